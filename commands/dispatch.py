"""One invocation, from its line to its reply: parse, authorise, look; then one transaction acts, answers, is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot import logs
from bot.domain.errors import NotFoundError, PermanentError, SluiceError, UsageError
from bot.domain.ids import TERMINAL, UserId, reply_key, slip_key
from bot.domain.invocation import Invocation, Origin
from bot.domain.journal import AuditEntry
from bot.domain.json import JsonObject
from bot.engine.runs import Runs
from bot.ports.chat import Content
from bot.ports.clock import Clock
from bot.ports.directory import Directory
from bot.ports.narrator import Telling
from bot.ports.planning import Planning
from bot.ports.store import Heard, Store, Transaction
from commands import replies
from commands.grammar import LONGEST_LINE, read_line
from commands.permissions import require_known
from commands.registry import COMMANDS
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from runbooks.catalogue import Catalogue
from runbooks.durations import roughly
from runbooks.source import unknown
from runbooks.spec import Runbook

log = logs.get(__name__)

VERBS: Mapping[str, CommandSpec[Any]] = {spec.verb: spec for spec in COMMANDS}
BUILT = (Origin.FORM, Origin.BUTTON)
"""Doors through which lines come that we made ourselves."""

TOO_OLD = timedelta(minutes=10)
"""A command that begins a change is not carried out after this time: whoever typed it has given up on it."""

LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Understood:
    """A line that means something."""

    spec: CommandSpec[Any]
    command: object


class Dispatcher:
    """Handles what people typed. A temporary fault propagates and leaves the invocation unhandled, to be tried again;
    as everything else is one transaction, trying again does nothing twice."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        catalogue: Callable[[], Catalogue],
        runbooks: Callable[[], Mapping[str, Runbook]],
        runs: Runs,
        planning: Planning,
    ) -> None:
        self._store = store
        self._clock = clock
        self._directory = directory
        self._catalogue = catalogue
        self._runbooks = runbooks
        self._runs = runs
        self._planning = planning

    async def handle(self, heard: Heard) -> None:
        """Answer one invocation. Raises TemporaryError when a server that is needed is away; nothing was done then."""
        try:
            await self._do(heard)
        except (UsageError, PermanentError) as exc:
            async with self._store.transaction() as tx:
                await self._finish(tx, heard, replies.slip(exc), refused=exc)

    async def _do(self, heard: Heard) -> None:
        invocation, catalogue = heard.invocation, self._catalogue()
        understood = self._understand(invocation, catalogue)
        self._require_fresh(understood, invocation)
        # Everything that may wait for the network comes before the transaction, which must be short.
        await require_known(self._directory, invocation.user)
        spec, command = understood.spec, understood.command
        member_of = await self._memberships(spec.groups(command, catalogue), invocation.user)
        reply = await spec.look(command, invocation, self._planning) if spec.look else None
        async with self._store.transaction() as tx:
            if reply is None:
                reply = await spec.handle(command, self._desk(tx, invocation, catalogue, member_of))
            await self._finish(tx, heard, reply)

    def _understand(self, invocation: Invocation, catalogue: Catalogue) -> Understood:
        line = read_line(invocation.text, verbatim=invocation.origin in BUILT)
        spec = VERBS.get(line.verb or "help")
        if spec is None:
            raise UsageError(
                unknown(f"There is no verb '{line.verb}'", line.verb, VERBS), hint="`/release help` lists them all."
            )
        reading = Reading(catalogue, self._runbooks(), self._clock.now())
        return Understood(spec, spec.parse(line, reading))

    def _require_fresh(self, understood: Understood, invocation: Invocation) -> None:
        late = self._clock.now() - invocation.received_at
        if late > TOO_OLD and understood.spec.starts(understood.command):
            raise UsageError(
                f"`{invocation.text[:LONGEST_SHOWN]}` was asked for {roughly(late)} ago and could not be handled until "
                "now, because Slack or another server that Sluice needs was away; nothing was done.",
                hint="Type it again if you still want it.",
            )

    async def _memberships(self, groups: Sequence[str], user: UserId) -> frozenset[str]:
        """Which of the groups a person belongs to; one that is gone has no members. Raises UnreachableError."""
        found = set()
        for group in groups:
            try:
                members = await self._directory.members(group)
            except NotFoundError:
                log.warning("group is not known", group=group)
                continue
            found |= {group} if user in members else set()
        return frozenset(found)

    def _desk(self, tx: Transaction, invocation: Invocation, catalogue: Catalogue, member_of: frozenset[str]) -> Desk:
        return Desk(
            tx,
            invocation,
            catalogue,
            runs=self._runs,
            now=self._clock.now(),
            commands=COMMANDS,
            member_of=member_of,
        )

    async def _finish(self, tx: Transaction, heard: Heard, reply: Reply, *, refused: SluiceError | None = None) -> None:
        """Answer, note in the journal, and be done with the invocation."""
        now = self._clock.now()
        outcome = type(refused).__name__ if refused else "done"
        await tx.tell([telling(heard, reply, refused=refused is not None)], at=now)
        await tx.audit(entry(heard.invocation, reply, outcome, now))
        await tx.handled(heard.number, at=now)
        log.info("command handled", invocation=heard.number, user=heard.invocation.user, outcome=outcome)


def telling(heard: Heard, reply: Reply, *, refused: bool = False) -> Telling:
    """The reply as a message, where the question was asked; its key says whether nothing was done."""
    asked = heard.invocation
    return Telling(
        key=slip_key(heard.number) if refused else reply_key(heard.number),
        channel=TERMINAL if asked.origin is Origin.TERMINAL else asked.channel,
        content=Content(reply.text),
        to=asked.user if reply.private else None,
        thread_ts=asked.thread_ts or None,
        urgent=True,
    )


def entry(asked: Invocation, reply: Reply, outcome: str, at: datetime) -> AuditEntry:
    """What the journal keeps of a command: the line as typed (cut where it is absurdly long) and what became of it."""
    detail: JsonObject = {"line": asked.text[:LONGEST_LINE], "origin": asked.origin.value, "outcome": outcome}
    return AuditEntry(at, asked.user, "command", reply.about or asked.channel, detail)
