"""What a verb is, and what it may use."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from bot.domain.invocation import Invocation
from bot.engine.runs import Runs
from bot.ports.planning import Planning
from bot.ports.store import Transaction
from commands.grammar import Line
from commands.reply import Reply
from runbooks.catalogue import Catalogue
from runbooks.spec import Runbook

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line is read against."""

    catalogue: Catalogue
    runbooks: Mapping[str, Runbook]
    now: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """What a verb acts with, inside one transaction that the dispatcher opened and will commit. `member_of`: which of
    the groups that the verb asks about the person belongs to."""

    tx: Transaction
    invocation: Invocation
    catalogue: Catalogue
    runs: Runs
    now: datetime
    commands: "Sequence[CommandSpec[Any]]"
    member_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CommandSpec(Generic[C]):
    """A verb. `usage` begins with it; `examples` are lines that can be typed as they are; `options`, without their
    dashes, are those that may stand anywhere in its line.

    `parse` is pure and raises UsageError. `look`, where there is one, runs before the transaction and may wait for the
    network; if it answers, that is the reply and nothing is done. `handle` acts; it may raise UsageError, upon which
    nothing it did stays. `starts` tells whether a command begins a change: an old one is not carried out.
    `groups` names the groups of which it matters whether the person belongs to them.
    """

    verb: str
    usage: str
    summary: str
    examples: tuple[str, ...]
    options: tuple[str, ...] = field(default=(), kw_only=True)
    parse: Callable[[Line, Reading], C]
    handle: Callable[[C, Desk], Awaitable[Reply]]
    look: Callable[[C, Invocation, Planning], Awaitable[Reply | None]] | None = None
    starts: Callable[[C], bool] = lambda _command: False
    groups: Callable[[C, Catalogue], tuple[str, ...]] = lambda _command, _catalogue: ()
