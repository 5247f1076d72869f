"""`sluice sandbox --tour`: the story played in real time beside the bot, and printed as it happens."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from rich.console import Console
from rich.rule import Rule
from rich.status import Status
from rich.table import Table
from rich.text import Text

from bot.ports.clock import Clock
from bot.sandbox.bot_process import COMMAND
from bot.sandbox.session import Sandbox
from bot.sandbox.stage import NotAsToldError, Stage
from bot.sandbox.story import AFTER, BEFORE, play

TOUR_RATE = 400.0
"""Requests a second to each service while the tour is played: evidence comes four times as fast as in the sandbox."""

LOOK_S = 0.2
STILL = timedelta(seconds=10)
"""How often a wait is told where no line can be replaced by the next."""

AUDIT_WITHIN_S = 30.0
WHO_WIDTH = 7


class LiveStage:
    """A stage in real time: the stand-ins serve, and the bot is a process."""

    def __init__(self, made: Sandbox) -> None:
        self._made = made
        self.around, self.switches = made.around, made.switches

    async def until(self, holds: Callable[[], bool], *, within: timedelta, about: str) -> None:
        """See `Stage`."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while not holds():
                    await self._stirred()
        except TimeoutError as exc:
            raise NotAsToldError(f"expected within {within.total_seconds():.0f} s: {about}") from exc

    async def kill_bot(self) -> None:
        """See `Stage`."""
        await self._made.bot.killed()

    async def audited(self) -> str:
        """See `Stage`: asked of `sluice audit verify`, as anybody would."""
        asked = await asyncio.create_subprocess_exec(
            *COMMAND, "audit", "verify",
            env=self._made.bot.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(AUDIT_WITHIN_S):
                said, wrong = (each.decode(errors="replace").strip() for each in await asked.communicate())
        except TimeoutError as exc:
            raise NotAsToldError(f"`sluice audit verify` did not end within {AUDIT_WITHIN_S:.0f} s") from exc
        finally:
            if asked.returncode is None:
                asked.kill()
                await asked.wait()
        if asked.returncode:
            raise NotAsToldError(f"`sluice audit verify` failed: {wrong or said}")
        return said

    async def _stirred(self) -> None:
        """Until something was said in the channel, or for a moment: the cluster tells nobody."""
        changes = self.around.slack.changes
        try:
            async with asyncio.timeout(LOOK_S):
                await changes.moved(changes.number)
        except TimeoutError:
            return


class Printed:
    """A `Teller` that prints, each line with the time since the start.

    While something is waited for, one line at the bottom says how it stands; without a terminal a line is told now and
    then.
    """

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console, self._clock = console, clock
        self._begun = clock.now()
        self._waited: datetime = self._begun
        self._chapters = 0
        self._status: Status | None = None

    def chapter(self, title: str, about: str) -> None:
        """See `Teller`."""
        self._chapters += 1
        self.close()
        self._console.print()
        self._console.print(Rule(Text(f"{self._chapters} · {title}", style="bold"), align="left", style="cyan"))
        self._console.print(Text(about, style="italic"))
        self._console.print()

    def note(self, text: str) -> None:
        """See `Teller`."""
        self._row("⚡", Text(text, style="bold yellow"))

    def typed(self, who: str, line: str) -> None:
        """See `Teller`."""
        self._row(who, Text(line, style="bold cyan"), style="bold cyan")

    def reacted(self, who: str, emoji: str) -> None:
        """See `Teller`."""
        self._row(who, Text(f"reacts {emoji}"), style="bold cyan")

    def answered(self, text: str, *, where: str) -> None:
        """See `Teller`."""
        first, _, rest = text.partition("\n")
        said = Text(first, style="bold" if where.startswith("#") else "")
        told = Text.assemble(said, (f"  ({where})", "dim"), f"\n{rest}" if rest else "")
        self._row("sluice", told, style="magenta")

    def proved(self, text: str) -> None:
        """See `Teller`."""
        self._row("✓", Text(text, style="green"), style="bold green")

    def waiting(self, text: str) -> None:
        """See `Teller`."""
        now = self._clock.now()
        if not self._console.is_terminal:
            if now - self._waited >= STILL:
                self._row("…", Text(text, style="dim"))
            return
        room = self._console.width - 12
        line = Text(f"{self._time()}  {text if len(text) <= room else f'{text[: room - 1]}…'}", style="dim")
        if self._status is None:
            self._status = self._console.status(line)
            self._status.start()
        else:
            self._status.update(line)

    def close(self) -> None:
        """Take the line at the bottom away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _row(self, who: str, said: Text, *, style: str = "") -> None:
        self._waited = self._clock.now()
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=5, justify="right", style="dim", no_wrap=True)
        grid.add_column(width=WHO_WIDTH, justify="right", style=style, no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        grid.add_row(self._time(), who, said)
        self._console.print(grid)

    def _time(self) -> str:
        seconds = round((self._clock.now() - self._begun).total_seconds())
        return f"{seconds // 60}:{seconds % 60:02d}"


async def tour(made: Sandbox, console: Console, clock: Clock) -> bool:
    """Play the story in real time; whether everything happened as it was told. What did not is printed, with where to
    look."""
    if await told(LiveStage(made), console, clock):
        return True
    console.print(Text(f"The bot's log is {made.bot.log_file}; it said last:"), soft_wrap=True)
    for line in list(made.bot.log)[-5:]:
        console.print(Text(f"  {line}", style="dim"), soft_wrap=True)
    return False


async def told(stage: Stage, console: Console, clock: Clock) -> bool:
    """Play the story on a stage and print it; whether everything happened as it was told. `clock` is the stage's."""
    console.print(Text(BEFORE))
    printed = Printed(console, clock)
    try:
        await play(stage, printed)
    except NotAsToldError as exc:
        printed.close()
        console.print()
        console.print(Text("Not as told.", style="bold red"), Text(str(exc)), soft_wrap=True)
        return False
    finally:
        printed.close()
    console.print()
    console.print(Text(AFTER))
    return True
