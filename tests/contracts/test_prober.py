"""What every `Prober` promises."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.http_probe import HttpProber
from bot.domain.errors import UnreachableError
from bot.domain.json import Json
from bot.ports.probe import Prober, ProbeRequest
from tests.fakes.prober import FakeProber


class World(Protocol):
    """Something to ask, and its prober."""

    prober: Prober

    def url(self, path: str) -> str:
        """The address of a page."""
        ...

    def serve(self, path: str, *, status: int = 200, text: str = "", body: Json = None, slow: bool = False) -> None:
        """The page answers like this from now on; `slow`: after longer than a second."""
        ...


class FakeWorld:
    """The imagined web."""

    def __init__(self) -> None:
        self.fake = FakeProber()
        self.prober: Prober = self.fake

    def url(self, path: str) -> str:
        return f"http://web.test{path}"

    def serve(self, path: str, *, status: int = 200, text: str = "", body: Json = None, slow: bool = False) -> None:
        elapsed = timedelta(seconds=2 if slow else 0.01)
        self.fake.answer(self.url(path), status=status, text=text, body=body, elapsed=elapsed)


class RealWorld:
    """A real web server on loopback."""

    def __init__(self, prober: Prober) -> None:
        self.prober = prober
        self.pages: dict[str, tuple[int, str, bool]] = {}
        self.server = TestServer(self._application())

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    def serve(self, path: str, *, status: int = 200, text: str = "", body: Json = None, slow: bool = False) -> None:
        self.pages[path] = (status, text if body is None else json.dumps(body), slow)

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._page)
        return app

    async def _page(self, request: web.Request) -> web.StreamResponse:
        status, text, slow = self.pages[request.path]
        if slow:
            # Never answers; the test's end cancels it.
            await asyncio.Event().wait()
        return web.Response(status=status, text=text)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on HTTP."""
    async with HttpProber() as prober:
        world = RealWorld(prober)
        async with world.server:
            yield world


Worlds = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture(params=[pytest.param(fake_world, id="fake"), pytest.param(real_world, id="http")])
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn; HTTP on loopback needs no server to be started for it."""
    made: Worlds = request.param
    return made


async def test_an_answer_has_its_status_and_its_json(worlds: Worlds) -> None:
    """What a smoke test compares."""
    async with worlds() as world:
        world.serve("/items", body={"items": [1, 2]})
        answer = await world.prober.send(ProbeRequest(world.url("/items")))
    assert (answer.status, answer.json) == (200, {"items": [1, 2]})
    assert answer.elapsed > timedelta()


async def test_a_bad_status_is_an_answer(worlds: Worlds) -> None:
    """A 503 is what the smoke test wants to know, not an error."""
    async with worlds() as world:
        world.serve("/healthz", status=503, text="database away")
        answer = await world.prober.send(ProbeRequest(world.url("/healthz")))
    assert (answer.status, answer.text, answer.json) == (503, "database away", None)


async def test_a_long_text_is_cut(worlds: Worlds) -> None:
    """People read the beginning."""
    async with worlds() as world:
        world.serve("/", text="x" * 5_000)
        answer = await world.prober.send(ProbeRequest(world.url("/")))
    assert answer.text == "x" * 2_000


async def test_no_answer_in_time_is_unreachable(worlds: Worlds) -> None:
    """The deadline covers the whole request, and the error names the address."""
    async with worlds() as world:
        world.serve("/slow", slow=True)
        with pytest.raises(UnreachableError, match=r"^no answer within 0\.2 s"):
            await world.prober.send(ProbeRequest(world.url("/slow"), deadline=timedelta(seconds=0.2)))


async def test_nobody_there_is_unreachable(worlds: Worlds) -> None:
    """A port without a listener."""
    async with worlds() as world:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await world.prober.send(ProbeRequest("http://127.0.0.1:9/healthz"))
