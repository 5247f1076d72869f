"""A person at a terminal: asks through the same database, and reads the same messages as the channel."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.errors import UsageError
from bot.domain.ids import MessageKey, RunId, reply_key, slip_key
from bot.domain.invocation import Invocation
from bot.domain.phase import Phase
from bot.domain.run import Run
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.slack.mrkdwn import plain
from commands.grammar import read_line
from commands.wording import OWN_SLASH_COMMANDS

LOOK_S = 0.25
PATIENCE = timedelta(seconds=5)
"""After this long without an answer the person is told what may be missing."""

NOBODY_SERVES = (
    "Still waiting: is `sluice serve` running on this database? Your command is kept; Ctrl-C does not undo it."
)

SLASH_COMMAND = re.compile(rf"`/(?=(?:{'|'.join(sorted(OWN_SLASH_COMMANDS | {'release'}))})\b)")

STARTS = {"deploy": 1, "rollback": 1, "canary": 3, "promote": 3}
"""The verbs that start a run, with at least so many words behind them: it is followed to its end; without one they have
failed."""

GOOD = frozenset({Phase.SUCCEEDED})


class Terminal:
    """Follows one command to the end of the run that it started."""

    def __init__(self, *, store: Store, clock: Clock, say: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._say = say

    async def ask(self, invocation: Invocation) -> bool:
        """Ask, print the answer and follow the run; whether all went well. Raises UnreachableError."""
        await self._store.hear(invocation)
        answer, done = await self._answer(invocation)
        self._say(readable(answer))
        if not done or not _starts(invocation.text):
            return done
        run = await self._started(invocation, answer)
        return await self._follow(run.id) if run else "--dry-run" in invocation.text

    async def _answer(self, invocation: Invocation) -> tuple[str, bool]:
        """What was answered, and whether what was asked for was done rather than refused."""
        begun, warned = self._clock.now(), False
        while True:
            async with self._store.reading() as tx:
                known = await tx.answered(invocation.dedupe_key)
                letter = await tx.letter(reply_key(known[0])) if known else None
                slip = await tx.letter(slip_key(known[0])) if known else None
            if known and known[1]:
                said = letter or slip
                return said.telling.content.text if said else "", slip is None
            if not warned and self._clock.now() - begun > PATIENCE:
                self._say(NOBODY_SERVES)
                warned = True
            await asyncio.sleep(LOOK_S)

    async def _started(self, invocation: Invocation, answer: str) -> Run | None:
        async with self._store.reading() as tx:
            runs = await tx.runs(limit=20)
        mine = (run for run in runs if run.request.channel == invocation.channel and run.id in answer)
        return next((run for run in mine if run.created_at >= _about(invocation.received_at)), None)

    async def _follow(self, run_id: RunId) -> bool:
        shown: dict[MessageKey, str] = {}
        while True:
            async with self._store.reading() as tx:
                run = await tx.run(run_id)
                letters = await tx.letters_under(f"{run_id}/")
            for letter in letters:
                text = letter.telling.content.text
                if shown.get(letter.key) != text:
                    shown[letter.key] = text
                    self._say(readable(text))
            if run is None or run.phase.final:
                return run is not None and run.phase in GOOD
            await asyncio.sleep(LOOK_S)


def _starts(line: str) -> bool:
    """Whether a line asks for a run: `canary api prod` only asks how one stands."""
    try:
        read = read_line(line)
    except UsageError:
        return True  # whoever mistyped a release has released nothing
    return read.verb in STARTS and len(read.words) >= STARTS[read.verb]


def readable(text: str) -> str:
    """A message as a terminal shows it: without Slack's markup, and with commands as they are typed here."""
    return SLASH_COMMAND.sub("`sluice ", plain(text))


def _about(moment: datetime) -> datetime:
    # The serving process has a clock of its own.
    return moment - timedelta(minutes=1)
