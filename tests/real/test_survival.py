"""Releases whose bot dies, stops or loses its memory on the way."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.real.stage import push, stage
from tests.real.voted import runs_once, voted

pytestmark = pytest.mark.real


async def test_losing_the_database_loses_no_way_back(tmp_path: Path) -> None:
    """The workload itself remembers the version before."""
    async with stage(tmp_path) as here:
        await push(here, "v2")
        before = await here.image("staging")
        await here.slack.types("alice", "/deploy api v2 staging")
        await here.ends()
        await here.kill()
        here.lose_database()
        await here.start()
        await here.slack.types("bob", "/rollback api staging")
        await here.ends(count=2)
        assert await here.image("staging") == before


async def test_a_clean_stop(tmp_path: Path) -> None:
    """SIGTERM ends the process with status 0; what it was doing goes on after the next start."""
    async with stage(tmp_path) as here:
        await push(here, "v2")
        await here.slack.types("alice", "/deploy api v2 staging")
        assert await here.stop() == 0
        await here.start()
        await here.ends()
        assert await here.revision("staging") == 2


KILLS = 30


async def test_kill_9_at_thirty_moments_changes_nothing(tmp_path: Path) -> None:
    """Killed at seeded moments of thirty deploys and started again: each makes one new revision and one release
    message, no thread message is doubled, and no vote is lost."""
    moments = random.Random(9)
    async with stage(tmp_path, replicas=2) as here:
        for number in range(1, KILLS + 1):
            digest, ts = await voted(here, number)
            await asyncio.sleep(moments.uniform(0.0, 2.0))
            await here.kill()
            await here.start()
            await runs_once(here, number, digest, ts)
