"""What a runbook with a canary must hold, so that no canary is ever left with traffic that nobody decides on."""

from collections.abc import Iterator

from bot.domain.errors import UsageError
from bot.domain.plan import WATCHING
from runbooks.percent import parse_percent
from runbooks.spec import Entry, Runbook

MOMENTS = ("notify", "smoke")
"""Kinds that may stand between: they take no time to speak of."""

Finding = tuple[Entry, str, str]
"""Where, what, and what to do about it."""


def mistakes(runbook: Runbook) -> Iterator[Finding]:
    """Such a runbook is not carried out."""
    yield from _without_a_way_back(runbook)
    yield from _without_an_end(runbook)
    yield from _judged_before_it_is_there(runbook)
    yield from _compared_with_two(runbook)
    yield from _left_alone(runbook)


def doubts(runbook: Runbook) -> Iterator[Finding]:
    """It works, and is hardly what its author wants."""
    for before, after in zip(_canaries(runbook), _canaries(runbook)[1:], strict=False):
        if _weight(after) <= _weight(before):
            yield after, "the canary's share does not grow with this step", "give it more than before, or use 'judge'"
    if not _canaries(runbook):
        for entry in runbook.steps:
            if entry.kind == "promote":
                yield entry, "there is no canary to promote", "write 'set_image' and 'rollout', or a 'canary' before it"


def require_whole(runbook: Runbook) -> None:
    """Raise UsageError for the first mistake."""
    for entry, message, suggestion in mistakes(runbook):
        place = f"{runbook.file}:{entry.line}"
        raise UsageError(
            f"The runbook '{runbook.name}' cannot be used: {message} (step '{entry.name}', {place}).",
            hint=f"{suggestion[:1].upper()}{suggestion[1:]}.",
        )


def _canaries(runbook: Runbook) -> list[Entry]:
    return [entry for entry in runbook.steps if entry.kind == "canary"]


def _weight(entry: Entry) -> int:
    return parse_percent(entry.params["weight"])


def _without_a_way_back(runbook: Runbook) -> Iterator[Finding]:
    if _canaries(runbook) and all(entry.kind != "restore" for entry in runbook.on_failure):
        yield _canaries(runbook)[0], "a bad canary would keep its traffic", "add 'restore' to 'on_failure'"


def _without_an_end(runbook: Runbook) -> Iterator[Finding]:
    kinds = [entry.kind for entry in runbook.steps]
    if "canary" in kinds and "promote" not in kinds[len(kinds) - kinds[::-1].index("canary") :]:
        yield (
            _canaries(runbook)[-1],
            "a good canary would be left with its share",
            "add 'promote' after the last canary",
        )


def _judged_before_it_is_there(runbook: Runbook) -> Iterator[Finding]:
    for entry in runbook.steps:
        if entry.kind == "canary":
            return
        if entry.kind == "judge":
            yield entry, "there is no canary to judge yet", "put a 'canary' before it"


def _compared_with_two(runbook: Runbook) -> Iterator[Finding]:
    found = {str(entry.params.get("baseline", "stable")): entry for entry in _canaries(runbook)}
    if len(found) > 1:
        yield (
            found["stable"],
            "one canary cannot be compared with stable pods and with fresh ones",
            "write 'baseline: fresh' at each 'canary', or at none",
        )


def _left_alone(runbook: Runbook) -> Iterator[Finding]:
    """Only these kinds look at a canary, or are over in a moment."""
    kinds = [entry.kind for entry in runbook.steps]
    if "canary" not in kinds or "promote" not in kinds:
        return
    between = runbook.steps[kinds.index("canary") : len(kinds) - kinds[::-1].index("promote")]
    for entry in between:
        if entry.kind not in (*WATCHING, *MOMENTS):
            yield entry, f"nobody would look at the canary during '{entry.name}'", "put it before or after the canary"
