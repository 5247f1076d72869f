"""The page on everything that is configured: the catalogue, runbooks, the environment of the process."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import BaseModel

from bot.settings import Settings
from deploy.reference.tables import below, section, table
from deploy.reference.wording import default_words, meaning, type_words
from runbooks.catalogue import Catalogue
from runbooks.durations import say
from runbooks.kinds import GateKind, StepKind
from runbooks.lookups import PLAN_TIME
from runbooks.registry import GATE_KINDS, STEP_KINDS
from runbooks.spec import RunbookFile

INTRODUCTION = """\
# Configuration

Generated from the code by `make docs`; do not edit it here.

Three things are configured: the [catalogue](#the-catalogue) `sluice.yaml`, which says what is released where and who
is asked; [runbooks](#runbooks), which say how; and the [environment](#environment-variables) of the process.
`sluice check` reads the catalogue with its runbooks and names every fault at once, with file, line and a suggestion.

Words in the tables: a *duration* is written `45s`, `30m`, `1h30m` or `2d`, never as a bare number. A *name* has at
most 63 small letters, digits and hyphens. A *user group* is the handle of one of Slack's, in quotes:
`"@release-approvers"`. A *channel* is in quotes too, `"#deploys"`, as YAML takes an unquoted `#` for a comment.
Unknown keys are faults.
"""

CATALOGUE = """\
## The catalogue

The file that `SLUICE_CONFIG` names. It is read at the start, and anew at SIGHUP; releases under way keep the sealed
values that they started with. It holds no secret: keys that end in `_file` name files.
"""

RUNBOOKS = """\
## Runbooks

A YAML file in the folder that `runbooks_dir` names; one of the same name as one of the library's takes its place.
[write-a-runbook.md](write-a-runbook.md) is the way in.
"""

ENTRIES = """\
Each entry of `gates`, `steps` and `on_failure` is a kind, alone (`- smoke`) or with its parameters
(`- rollout: {deadline: 5m}`). Besides its own parameters every kind takes two:

| key | type | meaning |
| --- | --- | --- |
| `name` | name | what it is called in messages and look-ups; without it the kind, and a number from the second on |
| `deadline` | duration | the longest that it may take; then it has failed |
"""

ENVIRONMENT = """\
## Environment variables

Values may also be files of the folder that `SLUICE_SECRETS_DIR` names, called like the variables. A token or secret
that still holds a placeholder is refused, by name.

| variable | type | left out | meaning |
| --- | --- | --- | --- |
"""

NEVER = timedelta(days=365)
"""A deadline as long as this is none."""


def configuration_page() -> str:
    """The whole page."""
    seen: set[type[BaseModel]] = {Catalogue}
    parts = [
        INTRODUCTION,
        CATALOGUE,
        *table(Catalogue),
        "",
        *(line for part in below(Catalogue, seen) for line in section(part)),
        RUNBOOKS,
        *table(RunbookFile),
        "",
        ENTRIES,
        *_lookups(),
        "### Steps",
        "",
        "In a protected environment a step that may change what people use comes after `approval`.",
        "",
        *(line for kind in STEP_KINDS for line in _kind(kind, seen)),
        "### Gates",
        "",
        "[gates.md](gates.md) has them in full. A standing gate is asked once more before the first change.",
        "",
        *(line for kind in GATE_KINDS for line in _kind(kind, seen)),
        ENVIRONMENT.rstrip("\n"),
        *_variables(),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _lookups() -> Iterator[str]:
    names = ", ".join(f"`${{{name}}}`" for name in PLAN_TIME)
    yield f"Parameters may look values up: {names}; and, of an earlier step, `${{steps.NAME.outputs.KEY}}`."
    yield ""


def _kind(kind: StepKind | GateKind, seen: set[type[BaseModel]]) -> Iterator[str]:
    yield f"#### {kind.name}"
    yield ""
    yield f"{kind.about} {_character(kind)}"
    yield ""
    rows = table(kind.spec)
    yield from rows
    yield from [""] if rows else []
    for part in below(kind.spec, seen):
        yield from section(part, level=5)


def _character(kind: StepKind | GateKind) -> str:
    limit = f"Deadline {say(kind.deadline)}." if kind.deadline < NEVER else "It has no deadline."
    if isinstance(kind, GateKind):
        return f"{limit} {'Standing.' if kind.standing else ''}".rstrip()
    if not kind.changes:
        return f"Changes nothing. {limit}"
    unless = ", unless it says `reads_only: true`" if "reads_only" in kind.spec.model_fields else ""
    return f"May change what people use{unless}. {limit}"


def _variables() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        kind = type_words(field.annotation, field.metadata)
        said = meaning(Settings, name, field)
        yield f"| `{field.validation_alias}` | {kind} | {default_words(field)} | {said} |"
    yield "| `SLUICE_SECRETS_DIR` | path |  | A folder with files that hold values of the variables above. |"
    said = "The kubeconfig of clusters that name none; without the file, the service account of Sluice's pod."
    yield f"| `KUBECONFIG` | path | `~/.kube/config` | {said} |"
