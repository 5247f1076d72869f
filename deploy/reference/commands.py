"""The page on everything that can be typed: verbs in Slack and at the terminal, and the program's own commands."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from inspect import unwrap
from typing import Any, TypeAlias, get_args, get_type_hints

import typer

from bot.cli import app
from bot.domain.errors import UsageError
from bot.sandbox.cli import add
from commands.grammar import FLAGS, OPTION_MEANINGS, VALUES, read_line
from commands.registry import COMMANDS
from commands.spec import CommandSpec, Reading
from commands.wording import slash_line
from runbooks.catalogue import Catalogue
from runbooks.loader import load_library

INTRODUCTION = """\
# Commands

Generated from the code by `make docs`; do not edit it here.

The same verbs are typed in Slack as slash commands (`/deploy …`, and `/release <verb> …` for those without a slash of
their own), as mentions (`@sluice deploy …`), and at a terminal on the same database (`sluice deploy …`,
`sluice release why …`). `<ref>` is a tag, a commit (full, or its first seven characters and more) or a digest
`sha256:…`. Words may come in any order that can be told apart. A slip gets a private answer with its fix. A bare
`/deploy`, `/canary`, `/promote` or `/rollback` opens a form.

## Verbs
"""

OPTIONS = """\
## Options of verbs

| option | of | meaning |
| --- | --- | --- |"""

PROGRAM = """\
## The program

`sluice` is the program. Exit status 0: all went well; 1: it did not, and standard error says why; 2: a wrong option.
"""

SAMPLE: dict[str, Any] = {
    "clusters": {"main": {}},
    "environments": {
        name: {"cluster": "main", "namespace": name, "approval": {"from": "@a", "break_glass": "@b"}}
        for name in ("staging", "prod")
    },
    "services": {
        name: {"image": f"ghcr.io/acme/{name}", "workload": f"deployment/{name}", "channel": "#deploys"}
        for name in ("api", "web")
    },
}
"""What the examples of the verbs speak of."""

GIVEN = {
    "at": "--at 18:00",
    "break-glass": "--break-glass --reason why",
    "dry-run": "--dry-run",
    "exempt": "--exempt why",
    "reason": "--reason why",
    "runbook": "--runbook hotfix",
}
"""Every option as it can be given."""

Command: TypeAlias = Any
"""A command of click; which click it is, that of typer or another, differs between typer's versions."""


def commands_page() -> str:
    """The whole page."""
    parts = [
        INTRODUCTION,
        *(line for spec in COMMANDS for line in _verb(spec)),
        OPTIONS,
        *(_option(name) for name in sorted(VALUES | FLAGS)),
        "",
        PROGRAM,
        *(line for path, command in _program() for line in _command(path, command)),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def reading() -> Reading:
    """What the examples are read against."""
    return Reading(Catalogue.model_validate(SAMPLE), load_library(), datetime(2026, 1, 31, 12, tzinfo=UTC))


def takes(spec: CommandSpec[Any], option: str) -> bool:
    """Whether an option makes another command of a verb's example."""
    try:
        with_it = spec.parse(read_line(f"{spec.examples[0]} {GIVEN[option]}"), reading())
    except UsageError:
        return False
    return bool(with_it != spec.parse(read_line(spec.examples[0]), reading()))


def _verb(spec: CommandSpec[Any]) -> Iterator[str]:
    yield from (f"### {spec.verb}", "", f"{spec.summary[0].upper()}{spec.summary[1:]}.", "", "```text")
    yield from (slash_line(usage.strip()) for usage in spec.usage.split(" | "))
    yield from ("```", "")
    if spec.options:
        yield from (f"Options: {', '.join(f'`--{name}`' for name in spec.options)}.", "")
    yield from ("For example:", "", "```text")
    yield from (slash_line(example) for example in spec.examples)
    yield from ("```", "")


def _option(name: str) -> str:
    verbs = ", ".join(f"`{spec.verb}`" for spec in COMMANDS if takes(spec, name))
    value = " …" if name in VALUES else ""
    return f"| `--{name}{value}` | {verbs} | {OPTION_MEANINGS[name]} |"


def _program() -> Iterator[tuple[str, Command]]:
    """Every command of the program, also those of the sandbox, by what is typed."""
    whole = typer.Typer(add_completion=False)
    whole.add_typer(app)
    add(whole)
    yield from _within("sluice", typer.main.get_command(whole))


def _within(path: str, command: Command) -> Iterator[tuple[str, Command]]:
    children: Mapping[str, Command] = getattr(command, "commands", {})
    for name, child in children.items():
        yield from _within(f"{path} {name}", child)
    if not children:
        yield path, command


def _command(path: str, command: Command) -> Iterator[str]:
    """A command with its arguments and options, as far as it says anything about them."""
    said = " ".join((command.help or "").split()).replace("<", "\\<")
    yield from (f"### {path}", "", said, "")
    for param in command.params:
        word = " ".join(param.opts) if param.param_type_name == "option" else f"{param.name}"
        yield f"- `{word}`{_default(param)}: {getattr(param, 'help', '') or ''}{_choices(command, param.name)}"
    yield from [""] if command.params else []


def _choices(command: Command, name: str) -> str:
    """The words that an option takes, where it takes a few; read off the function, as typer keeps them to itself."""
    hint = get_type_hints(unwrap(command.callback)).get(name)
    words = [f"`{choice.value}`" for choice in _within_type(hint) if isinstance(choice, Enum)]
    return f" One of {', '.join(words)}." if words else ""


def _within_type(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type) and issubclass(hint, Enum):
        yield from hint
    for each in get_args(hint):
        yield from _within_type(each)


def _default(param: Any) -> str:
    return "" if param.required or param.default in (None, False, "", ()) else f" (`{param.default}`)"
