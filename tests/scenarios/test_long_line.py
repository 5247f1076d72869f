"""A long line before a locked target costs each of those who wait the same as a short one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.fakes.people import ANN, BOB
from tests.scenarios.world import World

LOOK = timedelta(minutes=5)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement that is sent to a database meanwhile."""
    sent: list[str] = []

    def note(*told: object) -> None:
        sent.append(str(told[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def asked_in_line(folder: Path, template: Path, *, many: int) -> int:
    """How often runs are read in one look of all those who wait."""
    async with World(folder, template) as world:
        await world.says(ANN, "lock api staging looking into it")
        for _ in range(many):
            await world.hears(BOB, "deploy api v2 staging")
        await world.settle()
        await world.passes(timedelta(minutes=1))
        with counted() as sent:
            await world.passes(LOOK)
    return sum(1 for statement in sent if "runs.state" in statement and "runs.id = " in statement)


@pytest.mark.parametrize("many", [3, 12])
async def test_who_waits_does_not_read_everybody_else(tmp_path: Path, template: Path, many: int) -> None:
    """Those whom the lock keeps back need not know who else it keeps back."""
    assert await asked_in_line(tmp_path, template, many=many) <= many
