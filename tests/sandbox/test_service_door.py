"""The door of the sandbox's services, over loopback."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.sandbox.endpoint import Endpoint
from bot.sandbox.loopback import listening
from bot.sandbox.service_door import ServiceDoor
from bot.sandbox.traffic import Traffic
from tests.fakes.clock import START, FakeClock

STABLE, CANARY = "api-7d9f8b6c5-bbbbb", "api-canary-7d9f8b6c5-ccccc"


@asynccontextmanager
async def opened(**shares: float) -> AsyncIterator[tuple[httpx.AsyncClient, Traffic, ServiceDoor]]:
    """Somebody who asks; the shares are those of the stable pod and of the canary."""
    traffic = Traffic(FakeClock())
    pods = {"stable": (STABLE, "v1"), "canary": (CANARY, "v2")}
    there = [Endpoint(pods[arm][0], "prod", f"acme/api:{pods[arm][1]}", share) for arm, share in shares.items()]
    traffic.route(START, service="api", namespace="prod", endpoints=there)
    door = ServiceDoor(traffic)
    async with listening(door.application()) as url, httpx.AsyncClient(base_url=url) as http:
        yield http, traffic, door


async def asked(http: httpx.AsyncClient, times: int) -> list[httpx.Response]:
    """So many answers."""
    return [await http.get("/prod/api/healthz") for _ in range(times)]


async def test_an_answer_tells_the_version() -> None:
    """And the pod that gave it."""
    async with opened(stable=1) as (http, _, _door):
        told = await http.get("/prod/api/version")
    assert (told.status_code, told.json()["version"], told.json()["pod"]) == (200, "v1", STABLE)


async def test_pods_answer_by_their_shares() -> None:
    """Without chance: a fifth is every fifth."""
    async with opened(stable=0.8, canary=0.2) as (http, _, _door):
        told = [answer.json()["version"] for answer in await asked(http, 20)]
    assert Counter(told) == {"v1": 16, "v2": 4}
    assert Counter(told[:5]) == {"v1": 4, "v2": 1}


async def test_a_broken_version_fails_by_its_rate() -> None:
    """The canary alone, and until it is mended."""
    async with opened(stable=0.5, canary=0.5) as (http, traffic, _door):
        traffic.answers(arm="canary", error_rate=0.5)
        broken = await asked(http, 20)
        traffic.forget()
        mended = await asked(http, 20)
    failed = [answer for answer in broken if answer.status_code == 500]
    assert (len(failed), {answer.json()["pod"] for answer in failed}) == (5, {CANARY})
    assert {answer.status_code for answer in mended} == {200}


@pytest.mark.parametrize("path", ["/prod/web/healthz", "/staging/api/healthz"])
async def test_nobody_there_is_unavailable(path: str) -> None:
    """As in front of a Service without ready pods."""
    async with opened(stable=1) as (http, _, _door):
        told = await http.get(path)
    assert (told.status_code, told.json()) == (503, {"error": "no endpoint"})


async def test_a_pod_without_a_share_is_not_asked() -> None:
    """A canary at weight 0 is there, and hears nothing."""
    async with opened(stable=1, canary=0) as (http, _, _door):
        told = await asked(http, 10)
    assert {answer.json()["pod"] for answer in told} == {STABLE}


async def test_a_closed_door_answers_nobody() -> None:
    """The switch of all stand-ins."""
    async with opened(stable=1) as (http, _, door):
        door.outage.down = True
        (told,) = await asked(http, 1)
    assert told.status_code == 503
