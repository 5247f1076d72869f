"""Releases whose bot dies, stops or loses its memory on the way."""

import asyncio
import random
from functools import partial
from pathlib import Path

import pytest

from tests.real.servers import until
from tests.real.stage import push, stage

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
            tag = f"v2-{number}"
            digest = (await push(here, tag))[tag]
            await here.slack.types("alice", f"/deploy api {tag} prod")
            ts = (await here.ballot(count=number))["ts"]
            await here.slack.reacts("bob", ts)
            await here.slack.reacts("carol", ts)
            await asyncio.sleep(moments.uniform(0.0, 2.0))
            await here.kill()
            await here.start()
            end = await here.ends(count=number)
            assert f"`{tag}` runs in *prod*" in end["text"], (number, end["text"])
            assert (await here.image("prod")).endswith(digest)
            assert await here.revision("prod") == number + 1
            assert len(await here.releases()) == number
            thread = await until(partial(here.slack.thread, ts), lambda found: "runs in" in found[-1])
            assert len(thread) == len(set(thread)), thread
