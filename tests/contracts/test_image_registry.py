"""What every `ImageRegistry` promises."""

import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

import httpx
import pytest

from bot.adapters.oci_registry import OciRegistry
from bot.domain.errors import NotFoundError
from bot.domain.image import Digest
from bot.ports.image_registry import ImageRegistry
from bot.sandbox.loopback import listening
from bot.sandbox.registry.server import RegistryServer
from tests.fakes.clock import FakeClock
from tests.fakes.image_registry import FakeRegistry
from tests.real import servers

COMMIT = "9f2c1e7aa01b4c5d6e7f8091a2b3c4d5e6f70819"
BUILT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NUMBERS = itertools.count(1)


class World(Protocol):
    """A repository somebody pushes to, and the registry that is asked about it."""

    registry: ImageRegistry
    repository: str

    async def push(self, tag: str, labels: Mapping[str, str] | None = None) -> Digest:
        """Push an image for linux/amd64, built at `BUILT`, another one for every tag and labels."""
        ...

    async def push_for_two(self, tag: str, labels: Mapping[str, str]) -> Digest:
        """Push one tag for linux/amd64 and linux/arm64; both images have the labels."""
        ...


class FakeWorld:
    """Memory."""

    def __init__(self) -> None:
        self.fake = FakeRegistry()
        self.registry: ImageRegistry = self.fake
        self.repository = "ghcr.io/acme/api"

    async def push(self, tag: str, labels: Mapping[str, str] | None = None) -> Digest:
        return self.fake.push(self.repository, tag, labels=labels, created=BUILT)

    async def push_for_two(self, tag: str, labels: Mapping[str, str]) -> Digest:
        platforms = ("linux/amd64", "linux/arm64")
        return self.fake.push(self.repository, tag, labels=labels, platforms=platforms, created=BUILT)


class HttpWorld:
    """A server that speaks the distribution protocol: the sandbox's, or a real one."""

    def __init__(self, registry: ImageRegistry, pusher: servers.Registry) -> None:
        self.registry, self._pusher = registry, pusher
        self._path = f"acme/api-{os.getpid()}-{next(NUMBERS)}"
        self.repository = f"{pusher.host}/{self._path}"

    async def push(self, tag: str, labels: Mapping[str, str] | None = None) -> Digest:
        return await self._pusher.push(self._path, tag, labels=labels)

    async def push_for_two(self, tag: str, labels: Mapping[str, str]) -> Digest:
        images = {
            platform: await self._pusher.push(self._path, f"part-{number}", labels=labels, platform=platform)
            for number, platform in enumerate(("linux/amd64", "linux/arm64"))
        }
        return await self._pusher.push_index(self._path, tag, images)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


class SandboxWorld:
    """The sandbox's registry, pushed to from Python and read over loopback."""

    def __init__(self, registry: ImageRegistry, server: RegistryServer, host: str) -> None:
        self.registry, self._server = registry, server
        self.repository = f"{host}/acme/api"

    async def push(self, tag: str, labels: Mapping[str, str] | None = None) -> Digest:
        return self._server.push("acme/api", tag, labels=labels, created=BUILT)

    async def push_for_two(self, tag: str, labels: Mapping[str, str]) -> Digest:
        platforms = ("linux/amd64", "linux/arm64")
        return self._server.push("acme/api", tag, labels=labels, platforms=platforms, created=BUILT)


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on our client and the sandbox's registry."""
    server = RegistryServer(FakeClock())
    async with listening(server.application()) as url, OciRegistry() as registry:
        yield SandboxWorld(registry, server, httpx.URL(url).netloc.decode())


@asynccontextmanager
async def pushed_world() -> AsyncIterator[World]:
    """The same, pushed to over HTTP like a real one."""
    async with (
        listening(RegistryServer(FakeClock()).application()) as url,
        httpx.AsyncClient(base_url=url) as http,
        OciRegistry() as registry,
    ):
        yield HttpWorld(registry, servers.Registry(http, http.base_url.netloc.decode()))


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on the registry that TEST_REGISTRY names."""
    async with servers.registry() as pusher, OciRegistry() as registry:
        yield HttpWorld(registry, pusher)


Worlds = Callable[[], AbstractAsyncContextManager[World]]
WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(pushed_world, id="sandbox, over HTTP"),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def test_a_tag_means_a_digest(worlds: Worlds) -> None:
    """With platform, labels and build time as the image has them."""
    labels = {"org.opencontainers.image.revision": COMMIT}
    async with worlds() as world:
        digest = await world.push("v1", labels)
        found = await world.registry.resolve(world.repository, "v1")
    assert (found.repository, found.digest, found.tag) == (world.repository, digest, "v1")
    assert (found.platforms, found.labels, found.created) == (("linux/amd64",), labels, BUILT)


async def test_a_tag_may_move(worlds: Worlds) -> None:
    """What it means is what it means now; the digest of before stays what it was."""
    async with worlds() as world:
        first = await world.push("v1", {"build": "1"})
        second = await world.push("v1", {"build": "2"})
        now = await world.registry.resolve(world.repository, "v1")
        before = await world.registry.resolve(world.repository, first)
    assert (now.digest, now.labels) == (second, {"build": "2"})
    assert (before.digest, before.labels, before.tag) == (first, {"build": "1"}, None)


async def test_an_index_tells_all_its_platforms(worlds: Worlds) -> None:
    """The digest is that of the index; labels come from its images."""
    labels = {"org.opencontainers.image.revision": COMMIT}
    async with worlds() as world:
        digest = await world.push_for_two("v1", labels)
        found = await world.registry.resolve(world.repository, "v1")
    assert (found.digest, found.platforms, found.labels) == (digest, ("linux/amd64", "linux/arm64"), labels)


@pytest.mark.parametrize("tag", [COMMIT[:7], f"sha-{COMMIT[:7]}", COMMIT, f"sha-{COMMIT}-arm"])
async def test_a_commit_finds_its_tag(worlds: Worlds, tag: str) -> None:
    """Named outright, with the usual prefix, or as the one tag that begins with it."""
    async with worlds() as world:
        digest = await world.push(tag)
        await world.push("sha-1234567")
        found = await world.registry.resolve(world.repository, COMMIT[:7])
    assert (found.digest, found.tag) == (digest, tag)


async def test_the_tag_as_typed_comes_first(worlds: Worlds) -> None:
    """Others that begin alike do not matter then."""
    async with worlds() as world:
        digest = await world.push(COMMIT[:7])
        await world.push(f"sha-{COMMIT}")
        found = await world.registry.resolve(world.repository, COMMIT[:7])
    assert (found.digest, found.tag) == (digest, COMMIT[:7])


async def test_a_commit_with_several_tags_must_be_told_apart(worlds: Worlds) -> None:
    """Guessing between two images is out of the question; both are named."""
    async with worlds() as world:
        await world.push(f"{COMMIT[:10]}-amd64")
        await world.push(f"{COMMIT[:10]}-debug")
        with pytest.raises(NotFoundError, match=f"several tags.*{COMMIT[:10]}-amd64, {COMMIT[:10]}-debug"):
            await world.registry.resolve(world.repository, COMMIT[:7])


async def test_a_slip_is_answered_with_near_names(worlds: Worlds) -> None:
    """The text holds what was probably meant."""
    async with worlds() as world:
        for tag in ("v1.4.1", "v1.4.2", "nightly"):
            await world.push(tag)
        with pytest.raises(NotFoundError, match=r"no tag 'v1\.4'; near names: v1\.4\.[12], v1\.4\.[12]$"):
            await world.registry.resolve(world.repository, "v1.4")


async def test_an_unknown_commit_is_not_found(worlds: Worlds) -> None:
    """Nothing begins with it."""
    async with worlds() as world:
        await world.push("v1")
        with pytest.raises(NotFoundError, match="no tag for commit deadbee"):
            await world.registry.resolve(world.repository, "deadbee")


async def test_an_unknown_digest_is_not_found(worlds: Worlds) -> None:
    """Somebody else's image."""
    async with worlds() as world:
        await world.push("v1")
        with pytest.raises(NotFoundError, match="has no image sha256:abab"):
            await world.registry.resolve(world.repository, f"sha256:{'ab' * 32}")


async def test_an_unknown_repository_is_not_found(worlds: Worlds) -> None:
    """Never pushed to."""
    async with worlds() as world:
        with pytest.raises(NotFoundError, match="is not in the registry"):
            await world.registry.resolve(f"{world.repository}-not", "v1")
