"""Two processes over one PostgreSQL database: whichever dies, the other one carries on."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests import postgresql
from tests.real.servers import until
from tests.real.stage import Stage, free_port, push, stage

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
            tag = f"v2-{number}"
            digest = (await push(survives, tag))[tag]
            await survives.slack.points_to(f"http://127.0.0.1:{survives.port}/slack/events")
            await survives.slack.types("alice", f"/deploy api {tag} prod")
            ts = (await survives.ballot(count=number))["ts"]
            await survives.slack.reacts("bob", ts)
            await survives.slack.reacts("carol", ts)
            await asyncio.sleep(moments.uniform(0.0, 1.5))
            await dies.kill()
            end = await survives.ends(count=number, within_s=2 * LEASE_S)
            assert f"`{tag}` runs in *prod*" in end["text"], (number, end["text"])
            assert (await survives.image("prod")).endswith(digest)
            assert await survives.revision("prod") == number + 1
            assert len(await survives.releases()) == number
            thread = await until(
                partial(survives.slack.thread, ts), lambda found: "runs in" in found[-1], within_s=LEASE_S
            )
            assert len(thread) == len(set(thread)), thread
            await dies.start()
