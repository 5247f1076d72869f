"""ci: the checks of the commit that the image was built from have concluded well."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import ClassVar

from pydantic import Field

from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from bot.ports.execution import StepContext
from bot.ports.pipelines import Check, CheckState, CiServers, CommitChecks, Conclusion
from runbooks.kinds import GateKind, StepSpec

NEXT_LOOK = timedelta(seconds=20)
"""Two requests each: an hour of waiting is 360 of the 5,000 that GitHub allows a token
(docs.github.com/en/rest/using-the-rest-api, "Rate limits for the REST API")."""

NAMED = 3
"""How many checks a figure names; the evidence has them all."""

MOST_LINES = 50


class CiSpec(StepSpec):
    """`required`: names or patterns (`test *`) of the checks that must be good; none: those that the service names,
    else all. The rest is the service's own: the `commit` that the image was built from, the `server`, its `project`."""

    shorthand: ClassVar[str | None] = "required"
    required: tuple[str, ...] = ()
    commit: str = Field(default="", description="Of which commit; empty: the one that the image was built from.")
    server: str = Field(default="", description="One of `ci`; empty: the service's.")
    project: str = Field(default="", description="Its project there; empty: the service's.")

    def read_aloud(self) -> str:
        which = f"The checks {', '.join(self.required)}" if self.required else "The required checks"
        return f"{which} of the commit that the image was built from must have concluded well."


KIND = GateKind(
    name="ci",
    spec=CiSpec,
    deadline=timedelta(hours=1),
    about="The required checks of the commit have concluded well; what still runs is waited for.",
)


class CiGate:
    """Asks the CI server at every pass; only what it says then counts."""

    def __init__(self, servers: CiServers) -> None:
        self._servers = servers

    async def reconcile(self, context: StepContext) -> Outcome:
        spec = CiSpec.model_validate(context.params)
        missing = [name for name in ("commit", "server", "project") if not getattr(spec, name)]
        if missing:
            return Failed(f"nobody says whose checks count: the plan has no {' and no '.join(missing)}")
        found = await self._servers.get(spec.server).checks(spec.project, spec.commit)
        return judged(found, spec)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The checks that count, and the required names that none of them has."""

    checks: Sequence[Check]
    missing: Sequence[str]


def judged(found: CommitChecks, spec: CiSpec) -> Outcome:
    """What the checks of a commit mean: known-bad fails, what runs or is missing waits, and nothing at all never
    passes."""
    counted = _counted(newest(found.checks), spec.required)
    bad = [check for check in counted.checks if check.bad]
    good = [check for check in counted.checks if check.good]
    waiting = [check for check in counted.checks if not check.good and not check.bad]
    count = f"{len(good)}/{len(counted.checks) + len(counted.missing)}"
    if bad:
        link = next((check.url for check in bad if check.url), found.url)
        return Failed(f"{count}: {_listed(bad, _ended)}", evidence=_evidence(bad), link=link)
    if waiting or counted.missing:
        missing = [f"there is no `{name}` yet" for name in counted.missing[:NAMED]]
        said = "; ".join([*([_listed(waiting, _going)] if waiting else []), *missing])
        return Pending(f"{count}: {said}", requeue_after=NEXT_LOOK, link=found.url)
    if not counted.checks:
        return Pending(f"no checks yet for commit `{spec.commit[:12]}`", requeue_after=NEXT_LOOK, link=found.url)
    if not spec.required and all(check.conclusion is not Conclusion.SUCCESS for check in counted.checks):
        # GitHub lets a required check pass that was skipped; of a commit where nothing ran, nothing is known.
        return Failed(f"{count}, but none of them ran: {_listed(counted.checks, _ended)}", link=found.url)
    return Succeeded(count, link=found.url)


def newest(checks: Iterable[Check]) -> list[Check]:
    """Of each check the newest attempt, by the server's own numbers; in the order of their names."""
    latest: dict[tuple[str, str], Check] = {}
    for check in checks:
        known = latest.get((check.name, check.source))
        if known is None or check.attempt > known.attempt:
            latest[check.name, check.source] = check
    return sorted(latest.values(), key=lambda check: (check.name, check.source))


def _counted(checks: Sequence[Check], required: Sequence[str]) -> _Counted:
    if not required:
        return _Counted(checks, ())
    chosen = [check for check in checks if any(_means(name, check) for name in required)]
    return _Counted(chosen, [name for name in required if not any(_means(name, check) for check in checks)])


def _means(name: str, check: Check) -> bool:
    """A name as it is written comes first: names such as `test [3.11]` would be patterns of something else."""
    return check.name == name or fnmatchcase(check.name, name)


def _ended(check: Check) -> str:
    said = check.conclusion.value.replace("_", " ") if check.conclusion else "no conclusion"
    return f"{said} ({check.said})" if check.conclusion is Conclusion.UNKNOWN and check.said else said


def _going(check: Check) -> str:
    return "is queued" if check.state is CheckState.QUEUED else "still runs"


def _listed(checks: Sequence[Check], say: Callable[[Check], str]) -> str:
    more = len(checks) - NAMED
    named = ", ".join(f"`{check.name}` {say(check)}" for check in checks[:NAMED])
    return f"{named} and {more} more" if more > 0 else named


def _evidence(bad: Sequence[Check]) -> tuple[Evidence, ...]:
    lines = tuple(f"{check.name}: {_ended(check)} {check.url}".rstrip() for check in bad[:MOST_LINES])
    return (Evidence("checks that are not good", lines),)
