"""Canaries from Slack to a cluster, judged by a real metrics server: caught when bad, promoted when good."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.domain.traffic import Router
from tests.real.canary_scene import RUNBOOK, Traffic, leftovers, scene, weight
from tests.real.custom_resources import installed
from tests.real.servers import named, namespace, until
from tests.real.stage import Stage, push, stage

pytestmark = pytest.mark.real
BOTH = [Router.GATEWAY_API, Router.REPLICAS]


@asynccontextmanager
async def canaries(folder: Path, router: Router) -> AsyncIterator[tuple[Stage, Traffic]]:
    """A stage on which api runs v1 behind a router, under 50 requests a second, without an error."""
    (folder / "own").mkdir()
    (folder / "own" / "quick.yaml").write_text(RUNBOOK)
    async with namespace() as place:
        await installed(place.client)
    setting = scene(router)
    async with httpx.AsyncClient(base_url=named("RIG_TRAFFIC_URL"), timeout=10) as http:
        traffic = Traffic(http, setting.app)
        for version in ("v1", "v2"):
            await traffic.answers(version, error_rate=0.0)
        async with stage(folder, scene=setting) as here:
            await push(here, "v2")
            await asyncio.sleep(10)  # the judge wants to know the stable pods first
            yield here, traffic


async def begun(here: Stage) -> None:
    """A canary of v2 has been asked for and approved."""
    await here.slack.types("alice", "/canary api v2 prod --runbook quick")
    ts = (await here.ballot())["ts"]
    for user in ("bob", "carol"):
        await here.slack.reacts(user, ts)


@pytest.mark.parametrize("router", BOTH, ids=str)
async def test_a_good_canary_is_promoted(tmp_path: Path, router: Router) -> None:
    """Through both shares and the promotion no request is lost, and nothing of the canary is left."""
    async with canaries(tmp_path, router) as (here, traffic):
        before, since = (await traffic.counted())[0], time.monotonic()
        await begun(here)
        await until(lambda: weight(here, router), bool, within_s=60)
        end = await here.ends(within_s=240)
        requests, spent_s = (await traffic.counted())[0] - before, time.monotonic() - since
        assert "`v2` runs in *prod*" in end["text"]
        assert ":v2@" in await here.image("prod")
        assert await leftovers(here) == []
        assert (await traffic.counted())[1] == 0
        assert requests == pytest.approx(50 * spent_s, rel=0.03)


@pytest.mark.parametrize("router", BOTH, ids=str)
async def test_a_canary_that_turns_bad_loses_its_traffic(tmp_path: Path, router: Router) -> None:
    """A fifth of its answers fail: its share is 0 within seconds, and stable was never touched."""
    async with canaries(tmp_path, router) as (here, traffic):
        await begun(here)
        await until(lambda: weight(here, router), bool, within_s=60)
        await asyncio.sleep(5)
        await traffic.answers("v2", error_rate=0.2)
        turned = time.monotonic()
        await until(lambda: weight(here, router), lambda share: share == 0, within_s=60, every_s=0.05)
        caught_s = time.monotonic() - turned
        end = await here.ends(within_s=90)
        assert "*taken back*" in end["text"]
        assert "worse than stable: errors" in end["text"]
        assert ":v1@" in await here.image("prod")
        assert await here.revision("prod") == 1
        assert await leftovers(here) == []
        (picture,) = await until(lambda: here.slack.pictures(end["ts"]), bool)
        assert "rolled back" in picture or picture.endswith(".png")
        assert caught_s < 30
