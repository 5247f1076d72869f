"""Eight gates of a second each: how long from the command until the plan's message shows that all of them passed.

The engine, its database and its messages are the real ones; each gate takes a second to answer, as slow servers do.
"""

import asyncio
import statistics
import time
from pathlib import Path

from bot.domain.outcome import Outcome, Succeeded
from bot.domain.phase import StepPhase
from bot.ports.execution import Executor, StepContext
from bot.store.database import Database
from tests.builders import a_step
from tests.engine.stage import Script, Stage

GATES = 8
TAKES_S = 1.0
ROUNDS = 5


class SlowGates(Script):
    """Gates that take their time."""

    def get(self, kind: str) -> Executor:
        """See `Executors`."""
        return _Slow() if kind.startswith("gate") else self


class _Slow:
    async def reconcile(self, context: StepContext) -> Outcome:
        del context
        await asyncio.sleep(TAKES_S)
        return Succeeded("passed")


async def main(folder: Path) -> None:
    """Print the time of each round, and their median."""
    times = [await ready(folder / f"{number}.db") for number in range(ROUNDS)]
    for number, taken in enumerate(times, 1):
        print(f"round {number}: {GATES} gates of {TAKES_S:g} s each, ready after {taken:.2f} s")
    print(f"median: {statistics.median(times):.2f} s")


async def ready(path: Path) -> float:
    """Seconds from the request until the release message shows every gate passed."""
    async with Database(f"sqlite+aiosqlite:///{path}") as store:
        await store.migrate()
        stage = Stage(store, SlowGates())
        begun = time.perf_counter()
        run = await stage.begins(gates=tuple(a_step(f"gate-{number}", section="gates") for number in range(GATES)))
        taken = time.perf_counter() - begun
        shown = stage.workspace.messages[0].text
        assert shown.count(":white_check_mark: *gate-") == GATES, shown
        assert all(run.step(gate.key).phase is StepPhase.SUCCEEDED for gate in run.sealed_plan().gates)
        return taken
