"""A typed line becomes words and options; words become a service, an environment and a reference. Pure.

<verb> [positional words in any unambiguous order] [--option value | --option=value | --flag]
"""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.target import Target
from commands.markup import as_keyed, as_written
from commands.wording import slash_line
from runbooks.catalogue import Catalogue
from runbooks.source import did_you_mean, unknown

LONGEST_LINE = 2000
VALUES = frozenset({"runbook", "at", "reason", "exempt"})
FLAGS = frozenset({"dry-run", "break-glass"})

OPTION_MEANINGS: Mapping[str, str] = {
    "at": "begin then: `18:00` (UTC, today) or `2026-01-31T18:00Z`",
    "break-glass": "go on without votes, for the group of `break_glass`; needs a reason, and is told to everybody",
    "dry-run": "show the plan to the one who asks, and start nothing",
    "exempt": "ask people to let this change through a freeze, and say why; needs a vote",
    "reason": "why; shown to those who vote, and kept",
    "runbook": "another runbook than the target's own",
}
"""What every option says, a clause each."""

OPTION_EXAMPLES: Mapping[str, str] = {"runbook": "hotfix", "at": "18:00", "reason": '"what for"', "exempt": '"why now"'}
"""What may stand behind the options that take a value."""

RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]*-[a-z0-9-]*[a-z0-9]-[1-9]\d{0,8}")
TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line taken apart. `verb` is in small letters, empty for an empty line; options lack their dashes."""

    verb: str
    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    def allow(self, *, options: Collection[str] = (), flags: Collection[str] = ()) -> None:
        """Raise UsageError for an option that exists but means nothing to this verb."""
        for given in (*self.options, *self.flags):
            if given not in options and given not in flags:
                raise UsageError(
                    f"`{self.verb}` has no `--{given}`.", hint=f"`/release help {self.verb}` shows what it has."
                )


@dataclass(frozen=True, slots=True)
class Placed:
    """Words in their places. `ref` is empty where none was given."""

    service: str
    environment: str
    ref: str = ""

    @property
    def target(self) -> Target:
        """Service and environment as one."""
        return Target(self.service, self.environment)


def read_line(text: str, *, verbatim: bool = False) -> Line:
    """Take a line apart. Raises UsageError, and nothing else, on any text.

    `verbatim`: no person typed it; a form or a button built it, so nothing in it is an accident of a keyboard.
    """
    typed = as_written(text) if verbatim else as_keyed(text)
    if len(typed) > LONGEST_LINE:
        raise UsageError(f"That line is longer than {LONGEST_LINE:,} characters.", hint="Shorten the reason.")
    verb, *rest = _split(typed) or [""]
    words, options, flags = [], dict[str, str](), set[str]()
    parts = iter(rest)
    for part in parts:
        if not part.startswith("--") or len(part) == 2:  # noqa: PLR2004 - a lone -- is a word like any other
            words.append(part)
            continue
        name, equals, value = part[2:].partition("=")
        name = _option(name)
        if name in flags or name in options:
            raise UsageError(f"`--{name}` is given twice.")
        if name in FLAGS:
            _no_value(name, equals)
            flags.add(name)
        else:
            options[name] = value if equals else _next_value(name, parts)
    return Line(verb.lower().removeprefix("/"), tuple(words), options, frozenset(flags))


def option_line(name: str) -> str:
    """An option as it is typed, with a value where it takes one."""
    return " ".join([f"--{name}", *([OPTION_EXAMPLES[name]] if name in OPTION_EXAMPLES else [])])


def place(line: Line, catalogue: Catalogue, *, usage: str, ref: bool | None) -> Placed:
    """Find service, environment and reference among the words, whatever their order.

    `ref`: True: one must be there, False: none may be, None: one may be. Where several readings fit, the order of
    `usage` (service, reference, environment) decides; if that is none of them, UsageError says how to write it.
    """
    wanted = {True: (3,), False: (2,), None: (2, 3)}[ref]
    if len(line.words) not in wanted:
        raise _miscounted(line, catalogue, usage)
    readings = list(dict.fromkeys(_readings(line.words, catalogue)))
    if not readings:
        raise _unplaced(line.words, catalogue)
    in_order = _in_order(line.words)
    if len(readings) > 1 and in_order not in readings:
        raise UsageError(
            f"`{' '.join(line.words)}` can be read in {len(readings)} ways.", hint=f"Write `{slash_line(usage)}`."
        )
    return readings[0] if len(readings) == 1 else in_order


def run_or_target(line: Line, catalogue: Catalogue, *, usage: str) -> RunId | Target:
    """The run or the target that the words name. Raises UsageError."""
    if len(line.words) == 1 and RUN_ID.fullmatch(line.words[0].lower()):
        return RunId(line.words[0].lower())
    if len(line.words) != 2:  # noqa: PLR2004 - a service and an environment
        raise UsageError(
            f"`{line.verb}` needs a run, or a service and an environment.", hint=f"Write `{slash_line(usage)}`."
        )
    return place(line, catalogue, usage=usage, ref=False).target


def some_targets(line: Line, catalogue: Catalogue, *, usage: str) -> tuple[Target, ...]:
    """The targets that up to two words narrow down: a service, an environment, both, or all when there are none.

    Raises UsageError.
    """
    if len(line.words) > 1:
        return (place(line, catalogue, usage=usage, ref=False).target,)
    word = line.words[0].lower() if line.words else ""
    if word and word not in catalogue.services and word not in catalogue.environments:
        known = (*catalogue.services, *catalogue.environments)
        raise UsageError(unknown(f"'{word}' is neither a service nor an environment", word, known))
    # A service and an environment of the same name: the service, because it stands first in the usage.
    services = [word] if word in catalogue.services else list(catalogue.services)
    environments = list(catalogue.environments) if not word or word in catalogue.services else [word]
    return tuple(Target(service, environment) for service in services for environment in environments)


def moment(text: str, now: datetime) -> datetime:
    """The time that `--at` names, in UTC: `18:00` (today) or `2026-01-31T18:00Z`.

    Raises UsageError when it is no time, or in the past.
    """
    at = _time_of_day(text, now) or _whole_time(text)
    if at is None:
        raise UsageError(f"`--at {text}` is not a time.", hint="Write `--at 18:00` (UTC) or `--at 2026-01-31T18:00Z`.")
    if at <= now:
        hint = f"It is {now:%Y-%m-%dT%H:%M}Z now; give date and time for another day."
        raise UsageError(f"`--at {text}` is in the past.", hint=hint)
    return at


def _split(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.escape = ""
    try:
        return list(lexer)
    except ValueError as exc:
        raise UsageError("A quotation mark is opened and not closed.", hint='Close it: `--reason "…"`.') from exc


def _option(name: str) -> str:
    name = name.lower().replace("_", "-")
    if name not in VALUES | FLAGS:
        raise UsageError(unknown(f"There is no option `--{name}`", name, VALUES | FLAGS))
    return name


def _no_value(name: str, equals: str) -> None:
    if equals:
        raise UsageError(f"`--{name}` takes no value.", hint=f"Write only `--{name}`.")


def _next_value(name: str, parts: Iterator[str]) -> str:
    value = next(parts, "--")
    if value.startswith("--"):
        raise UsageError(f"`--{name}` needs a value.", hint=f"Write `{option_line(name)}`.")
    return value


def _readings(words: tuple[str, ...], catalogue: Catalogue) -> Iterator[Placed]:
    for service, environment, *ref in permutations(words):
        if service.lower() in catalogue.services and environment.lower() in catalogue.environments:
            yield Placed(service.lower(), environment.lower(), *ref)


def _in_order(words: tuple[str, ...]) -> Placed:
    return Placed(words[0].lower(), words[-1].lower(), *words[1:-1])


def _miscounted(line: Line, catalogue: Catalogue, usage: str) -> UsageError:
    """Too few or too many words: says which part is missing where that can be told."""
    known = [word.lower() for word in line.words]
    missing = [
        f"{part} ({', '.join(names)})"
        for part, names in (("a service", catalogue.services), ("an environment", catalogue.environments))
        if not any(word in names for word in known)
    ]
    if missing:
        return UsageError(f"`{line.verb}` needs {' and '.join(missing)}.", hint=f"Write `{slash_line(usage)}`.")
    if len(known) <= 2:  # noqa: PLR2004 - service and environment are there
        message = f"`{line.verb}` needs what to release: a tag, a commit or a digest."
    else:
        message = f"`{line.verb}` cannot be read with {len(known)} words."
    return UsageError(message, hint=f"Write `{slash_line(usage)}`.")


def _unplaced(words: tuple[str, ...], catalogue: Catalogue) -> UsageError:
    """The right number of words, but one of them names nothing: guess which, and say what would have been right."""
    services = [word for word in words if word.lower() in catalogue.services]
    environments = [word for word in words if word.lower() in catalogue.environments]
    if not services:
        word = _suspect([word for word in words if word not in environments[:1]] or [*words], catalogue.services, 0)
        return UsageError(unknown(f"There is no service '{word}'", word, catalogue.services))
    word = _suspect([word for word in words if word != services[0]] or [*words], catalogue.environments, -1)
    return UsageError(unknown(f"{services[0]} has no environment '{word}'", word, catalogue.environments))


def _suspect(words: list[str], known: Iterable[str], usual: int) -> str:
    """The word that is nearly a known one; else the one that usually stands there."""
    names = list(known)
    return next((word for word in words if did_you_mean(word, names).startswith("did you")), words[usual])


def _time_of_day(text: str, now: datetime) -> datetime | None:
    read = TIME_OF_DAY.fullmatch(text)
    return now.replace(hour=int(read[1]), minute=int(read[2]), second=0, microsecond=0) if read else None


def _whole_time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC) if len(text) > len("2026-01-31") else None
    except (ValueError, OverflowError):
        return None
