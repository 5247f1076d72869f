"""Two processes over one PostgreSQL database: whichever dies, the other one carries on."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests import postgresql
from tests.real.stage import Stage, free_port, stage
from tests.real.voted import runs_once, voted

pytestmark = pytest.mark.real

DEATHS = 8
LEASE_S = 60
"""What a dead process was moving waits so long, at most, until the other one takes it."""


@asynccontextmanager
async def replicas(folder: Path) -> AsyncIterator[tuple[Stage, Stage]]:
    """Two of them, with one cluster and one workspace."""
    async with (
        postgresql.database() as url,
        stage(folder, replicas=2, database=url) as first,
    ):
        second = replace(first, port=free_port(), process=None)
        await second.start()
        try:
            yield first, second
        finally:
            await second.kill()


async def test_the_death_of_either_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    """Killed at seeded moments of releases that the survivor ends: each makes one new revision and one release message,
    no thread message is doubled, and no vote is lost."""
    moments = random.Random(4)
    async with replicas(tmp_path) as both:
        for number in range(1, DEATHS + 1):
            dies, survives = both if number % 2 else both[::-1]
            await survives.slack.points_to(f"http://127.0.0.1:{survives.port}/slack/events")
            digest, ts = await voted(survives, number)
            await asyncio.sleep(moments.uniform(0.0, 1.5))
            await dies.kill()
            await runs_once(survives, number, digest, ts, within_s=2 * LEASE_S)
            await dies.start()
