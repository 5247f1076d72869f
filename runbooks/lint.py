"""More than validity: what a runbook will not do although its author expects it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bot.domain.json import Json
from bot.domain.release import BRINGING
from runbooks import canary_rules
from runbooks.canary_rules import Finding
from runbooks.configuration import load
from runbooks.loader import STEPS, read_runbook
from runbooks.source import Document, Fault, Faults, Severity, read_file
from runbooks.spec import Entry, Runbook


def lint(path: Path) -> list[Fault]:
    """Errors and warnings of a runbook, of a catalogue with its runbooks, or of every YAML file in a folder.

    In the order of files and lines; empty when there is nothing to say.
    """
    if path.is_dir():
        return [fault for file in sorted((*path.glob("*.yaml"), *path.glob("*.yml"))) for fault in lint(file)]
    try:
        document = read_file(path)
        if is_catalogue(document.value):
            own = load(path).catalogue.runbooks_dir
            return lint(path.parent / own) if own else []
        return sorted(findings(read_runbook(document), document))
    except Faults as exc:
        return list(exc.faults)


def is_catalogue(value: Json) -> bool:
    """Whether a file is meant as a catalogue rather than as a runbook."""
    return isinstance(value, dict) and bool({"clusters", "environments", "services"} & value.keys())


def findings(runbook: Runbook, document: Document) -> Iterator[Fault]:
    """What can be read and yet is a mistake, or not what one wants; `document` is what the runbook was read from."""
    sections: dict[str, tuple[Entry, ...]] = {"steps": runbook.steps, "on_failure": runbook.on_failure}
    places = {entry.key: (name, index) for name, entries in sections.items() for index, entry in enumerate(entries)}
    for severity, rules in ((Severity.ERROR, MISTAKES), (Severity.WARNING, RULES)):
        for rule in rules:
            for entry, message, suggestion in rule(runbook):
                found = document.fault(places[entry.key], message, suggestion)
                yield replace(found, severity=severity)


def _change_before_approval(runbook: Runbook) -> Iterator[Finding]:
    asked = False
    for entry in runbook.steps:
        asked = asked or entry.kind == "approval"
        if STEPS[entry.kind].alters(entry.params) and not asked:
            yield (
                entry,
                f"'{entry.name}' changes something before anybody was asked; a protected environment would refuse this",
                "put 'approval' before it",
            )
            return


def _second_approval(runbook: Runbook) -> Iterator[Finding]:
    for entry in _later_approvals(runbook, after_a_change=False):
        yield entry, "people are asked once for a plan; this second approval asks nobody", "leave it out"


def _approval_after_change(runbook: Runbook) -> Iterator[Finding]:
    for entry in _later_approvals(runbook, after_a_change=True):
        yield (
            entry,
            "people are asked once for a plan, before its first change; this second approval, after one, cannot ask "
            "them again",
            "leave it out, or make what follows a runbook of its own",
        )


def _later_approvals(runbook: Runbook, *, after_a_change: bool) -> Iterator[Entry]:
    asked = changed = False
    for entry in runbook.steps:
        if entry.kind == "approval" and asked and changed is after_a_change:
            yield entry
        asked = asked or entry.kind == "approval"
        changed = changed or STEPS[entry.kind].alters(entry.params)


def _image_without_rollout(runbook: Runbook) -> Iterator[Finding]:
    kinds = [entry.kind for entry in runbook.steps]
    for index, entry in enumerate(runbook.steps):
        if entry.kind == "set_image" and "rollout" not in kinds[index + 1 :]:
            yield entry, "nobody looks whether the new pods come up", "add 'rollout' after it"


def _image_without_smoke(runbook: Runbook) -> Iterator[Finding]:
    kinds = [entry.kind for entry in runbook.steps]
    for index, entry in enumerate(runbook.steps):
        if entry.kind in BRINGING and "smoke" not in kinds[index + 1 :]:
            yield entry, "nothing proves that the service answers after the change", "add 'smoke' after the rollout"


def _image_without_restore(runbook: Runbook) -> Iterator[Finding]:
    changed = next((entry for entry in runbook.steps if entry.kind in BRINGING), None)
    if changed and all(entry.kind != "restore" for entry in runbook.on_failure):
        yield changed, "a failure after this leaves the broken version running", "add 'restore' to 'on_failure'"


def _restore_in_steps(runbook: Runbook) -> Iterator[Finding]:
    for entry in runbook.steps:
        if entry.kind == "restore":
            yield entry, "'restore' undoes the release even when it went well", "move it to 'on_failure'"


def _unreachable_failure_steps(runbook: Runbook) -> Iterator[Finding]:
    if runbook.on_failure and not any(STEPS[entry.kind].alters(entry.params) for entry in runbook.steps):
        yield runbook.on_failure[0], "this is never reached: no step changes anything, so nothing is undone", ""


def _approval_on_failure(runbook: Runbook) -> Iterator[Finding]:
    for entry in runbook.on_failure:
        if entry.kind == "approval":
            yield (
                entry,
                "the way back asks nobody: it was approved with the plan, and must not wait for people while the "
                "broken version runs",
                "leave it out of 'on_failure'",
            )


RULES: tuple[Callable[[Runbook], Iterator[Finding]], ...] = (
    _change_before_approval,
    _second_approval,
    _image_without_rollout,
    _image_without_smoke,
    _image_without_restore,
    _restore_in_steps,
    _unreachable_failure_steps,
    canary_rules.doubts,
)
"""What makes a warning."""

MISTAKES: tuple[Callable[[Runbook], Iterator[Finding]], ...] = (
    _approval_after_change,
    _approval_on_failure,
    canary_rules.mistakes,
)
"""What makes an error."""
