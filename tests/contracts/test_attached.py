"""What every `ImageRegistry` promises of what is attached to an image."""

import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import httpx
import pytest

from bot.adapters.oci_registry import OciRegistry
from bot.domain.errors import NotFoundError
from bot.domain.image import Digest
from bot.ports.image_registry import ImageRegistry, Layer, Place
from bot.sandbox.loopback import listening
from bot.sandbox.registry.blob import Blob
from bot.sandbox.registry.server import RegistryServer
from tests.fakes.clock import FakeClock
from tests.fakes.image_registry import FakeRegistry
from tests.real import servers

SARIF = "application/sarif+json"
REPORT = Blob(b'{"version": "2.1.0"}', SARIF, {"org.example/by": "trivy"})
PAYLOAD = Blob(b'{"critical": {}}', "application/vnd.dev.cosign.simplesigning.v1+json", {"sig": "abc"})
NUMBERS = itertools.count(1)


class World(Protocol):
    """Somebody who pushes images and attaches things to them, and the registry that is asked about them."""

    registry: ImageRegistry
    repository: str

    async def push(self, tag: str) -> Digest:
        """Push an image."""
        ...

    async def push_for_two(self, tag: str) -> Digest:
        """Push an index for linux/amd64 and linux/arm64."""
        ...

    async def attach(self, to: Digest, blobs: Sequence[Blob], *, place: Place = Place.REFERRERS) -> None:
        """Attach an artifact of the type SARIF, with the annotation `made: now`."""
        ...


class FakeWorld:
    """Memory."""

    def __init__(self) -> None:
        self.fake = FakeRegistry()
        self.registry: ImageRegistry = self.fake
        self.repository = "ghcr.io/acme/api"

    async def push(self, tag: str) -> Digest:
        return self.fake.push(self.repository, tag)

    async def push_for_two(self, tag: str) -> Digest:
        return self.fake.push(self.repository, tag, platforms=("linux/amd64", "linux/arm64"))

    async def attach(self, to: Digest, blobs: Sequence[Blob], *, place: Place = Place.REFERRERS) -> None:
        self.fake.attach(self.repository, to, blobs, artifact_type=SARIF, annotations={"made": "now"}, place=place)


class HttpWorld:
    """A server that speaks the distribution protocol: the sandbox's, or a real one."""

    def __init__(self, registry: ImageRegistry, pusher: servers.Registry) -> None:
        self.registry, self._pusher = registry, pusher
        self._path = f"acme/attached-{os.getpid()}-{next(NUMBERS)}"
        self.repository = f"{pusher.host}/{self._path}"

    async def push(self, tag: str) -> Digest:
        return await self._pusher.push(self._path, tag)

    async def push_for_two(self, tag: str) -> Digest:
        platforms = ("linux/amd64", "linux/arm64")
        images = {one: await self._pusher.push(self._path, one[-5:], platform=one) for one in platforms}
        return await self._pusher.push_index(self._path, tag, images)

    async def attach(self, to: Digest, blobs: Sequence[Blob], *, place: Place = Place.REFERRERS) -> None:
        tag = "" if place is Place.REFERRERS else f"{to.replace(':', '-')}.{place}"
        made: Mapping[str, str] = {"made": "now"}
        await self._pusher.attach(self._path, to, blobs, artifact_type=SARIF, annotations=made, tag=tag)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


def sandbox_world(without_referrers: int | None = None) -> Callable[[], AbstractAsyncContextManager[World]]:
    """The contract on our client and the sandbox's registry over loopback, with the referrers API or without."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        server = RegistryServer(FakeClock())
        server.distribution.without_referrers = without_referrers
        async with (
            listening(server.application()) as url,
            httpx.AsyncClient(base_url=url) as http,
            OciRegistry() as registry,
        ):
            yield HttpWorld(registry, servers.Registry(http, http.base_url.netloc.decode()))

    return opened


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on the registry that TEST_REGISTRY names."""
    async with servers.registry() as pusher, OciRegistry() as registry:
        yield HttpWorld(registry, pusher)


Worlds = Callable[[], AbstractAsyncContextManager[World]]
WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(sandbox_world(), id="sandbox"),
    *(pytest.param(sandbox_world(status), id=f"sandbox by tag, {status}") for status in (404, 400, 405, 406)),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def test_an_artifact_is_found_with_its_layers(worlds: Worlds) -> None:
    """Type, annotations and content as they were pushed."""
    async with worlds() as world:
        image = await world.push("v1")
        await world.attach(image, [REPORT])
        (found,) = await world.registry.attached(world.repository, image)
        content = await world.registry.content(world.repository, found.layers[0])
    assert (found.place, found.artifact_type, found.annotations) == (Place.REFERRERS, SARIF, {"made": "now"})
    assert found.layers == (Layer(SARIF, REPORT.digest, len(REPORT.content), REPORT.annotations),)
    assert content == REPORT.content


@pytest.mark.parametrize("place", [Place.SIGNATURE, Place.ATTESTATION, Place.SBOM])
async def test_cosigns_tags_are_found(worlds: Worlds, place: Place) -> None:
    """By the digest in the tag's name, behind what the referrers are."""
    async with worlds() as world:
        image = await world.push("v1")
        await world.attach(image, [PAYLOAD], place=place)
        await world.attach(image, [REPORT])
        first, second = await world.registry.attached(world.repository, image)
    assert (first.place, second.place) == (Place.REFERRERS, place)
    assert second.layers[0].annotations == {"sig": "abc"}


async def test_nothing_attached_is_an_empty_answer(worlds: Worlds) -> None:
    """Also in a repository that nobody has pushed to."""
    async with worlds() as world:
        image = await world.push("v1")
        assert await world.registry.attached(world.repository, image) == ()
        assert await world.registry.attached(f"{world.repository}-not", image) == ()


async def test_what_is_attached_to_another_image_is_not_attached_to_this(worlds: Worlds) -> None:
    """Each digest has its own."""
    async with worlds() as world:
        first, second = await world.push("v1"), await world.push("v2")
        await world.attach(first, [REPORT])
        await world.attach(first, [PAYLOAD], place=Place.SIGNATURE)
        assert await world.registry.attached(world.repository, second) == ()
        assert len(await world.registry.attached(world.repository, first)) == 2


async def test_an_index_and_its_images_have_each_their_own(worlds: Worlds) -> None:
    """Which of them counts is for whoever asks to decide; the index names its images."""
    async with worlds() as world:
        index = await world.push_for_two("v1")
        images = (await world.registry.resolve(world.repository, index)).manifests
        await world.attach(images["linux/arm64"], [REPORT])
        assert sorted(images) == ["linux/amd64", "linux/arm64"]
        assert await world.registry.attached(world.repository, index) == ()
        assert len(await world.registry.attached(world.repository, images["linux/arm64"])) == 1


async def test_several_artifacts_are_all_found(worlds: Worlds) -> None:
    """Reports of several nights."""
    async with worlds() as world:
        image = await world.push("v1")
        nights = [Blob(f"night {number}".encode(), SARIF) for number in range(3)]
        for night in nights:
            await world.attach(image, [night])
        found = await world.registry.attached(world.repository, image)
    assert {layer.digest for one in found for layer in one.layers} == {night.digest for night in nights}


async def test_a_blob_that_is_gone_is_not_found(worlds: Worlds) -> None:
    """Its manifest may have outlived it."""
    async with worlds() as world:
        await world.push("v1")
        with pytest.raises(NotFoundError):
            await world.registry.content(world.repository, Layer(SARIF, Blob(b"gone", SARIF).digest, 4))
