"""Login, odd answers, pages and retries of registries."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import stamina

from bot.adapters.oci_client import Repository
from bot.adapters.oci_registry import OciRegistry
from bot.domain.errors import (
    NotFoundError,
    PermanentError,
    RefusedError,
    UnreachableError,
    UnreadableError,
)
from tests.adapters.oci_server import OciServer, rewritten
from tests.adapters.oci_world import API, asking, pushed
from tests.real.servers import MANIFEST


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries happen, but at once."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.mark.parametrize(
    ("name", "host", "path"),
    [
        ("ghcr.io/acme/api", "ghcr.io", "acme/api"),
        ("127.0.0.1:5000/api", "127.0.0.1:5000", "api"),
        ("localhost/api", "localhost", "api"),
        ("acme/api", "docker.io", "acme/api"),
        ("nginx", "docker.io", "library/nginx"),
        ("docker.io/nginx", "docker.io", "library/nginx"),
        ("index.docker.io/acme/api", "docker.io", "acme/api"),
    ],
)
def test_a_repositorys_registry_is_known_from_its_name(name: str, host: str, path: str) -> None:
    """Docker Hub's short forms are spelled out."""
    place = Repository.parse(name)
    assert (place.host, place.path, str(place)) == (host, path, name)


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("ghcr.io/acme/api", "https://ghcr.io/v2/acme/api/"),
        ("nginx", "https://registry-1.docker.io/v2/library/nginx/"),
        ("localhost:5000/api", "http://localhost:5000/v2/api/"),
        ("127.0.0.1:5000/api", "http://127.0.0.1:5000/v2/api/"),
        ("registry.lan:5000/api", "http://registry.lan:5000/v2/api/"),
        ("registry.lan/api", "https://registry.lan/v2/api/"),
    ],
)
async def test_only_loopback_and_named_hosts_are_asked_without_tls(repository: str, address: str) -> None:
    """Everything else is HTTPS."""
    server = OciServer()
    async with OciRegistry(transport=server, insecure=frozenset({"registry.lan:5000"})) as registry:
        with pytest.raises(NotFoundError):
            await registry.resolve(repository, "v1")
    assert all(str(request.url).startswith(address) for request in server.requests)


async def test_a_mirror_is_asked_in_place_of_a_registry() -> None:
    """The image keeps its name; the registry itself hears nothing."""
    server = OciServer()
    async with OciRegistry(transport=server, mirrors={"ghcr.io": "cache.lan:5000"}) as registry:
        with pytest.raises(NotFoundError, match=r"ghcr\.io/acme/api"):
            await registry.resolve("ghcr.io/acme/api", "v1")
    assert {request.url.host for request in server.requests} == {"cache.lan"}


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_moments_weakness_is_overcome(fault: httpx.Response | Exception) -> None:
    """Two failures, then an answer."""
    server = OciServer()
    await pushed(server, "v1")
    server.faults = [fault, fault]
    async with asking(server) as registry:
        assert (await registry.resolve(API, "v1")).tag == "v1"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (httpx.Response(503), "answered HTTP 503"),
        (httpx.ConnectError("refused"), "cannot be reached: refused"),
        (httpx.ReadTimeout("slow"), "did not answer within 10 s"),
    ],
)
async def test_a_registry_that_stays_away_is_unreachable(fault: httpx.Response | Exception, said: str) -> None:
    """After three tries."""
    server = OciServer()
    server.faults = [fault] * 9
    async with asking(server) as registry:
        with pytest.raises(UnreachableError, match=said):
            await registry.resolve(API, "v1")
    assert len(server.requests) == 3


async def test_a_registry_that_wants_time_gets_it() -> None:
    """429 is not retried here: its wish goes to whoever can wait."""
    server = OciServer()
    server.faults.append(httpx.Response(429, headers={"Retry-After": "30"}))
    async with asking(server) as registry:
        with pytest.raises(UnreachableError, match="429") as unreachable:
            await registry.resolve(API, "v1")
    assert unreachable.value.retry_after == timedelta(seconds=30)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(403, RefusedError), (400, PermanentError), (404, NotFoundError)])
async def test_a_plain_no_is_not_retried(status: int, kind: type[Exception]) -> None:
    """Trying again would not help."""
    server = OciServer()
    await pushed(server, "v1")
    server.rewrite = lambda request, answer: httpx.Response(status)
    async with asking(server) as registry:
        with pytest.raises(kind):
            await registry.resolve(API, "v1")
    assert len(server.requests) <= 2


async def test_a_digest_that_does_not_fit_its_bytes_is_unreadable() -> None:
    """A cache that mixes things up, or worse."""
    server = OciServer()
    await pushed(server, "v1")
    server.rewrite = lambda request, answer: rewritten(answer, lambda body: body.update(annotations={"a": "b"}))
    async with asking(server) as registry:
        digest = server.tags("acme/api")["v1"]
        with pytest.raises(UnreadableError, match=rf"sent sha256:\w+ when asked for {API}@{digest}"):
            await registry.resolve(API, digest)


async def test_a_header_that_does_not_fit_the_bytes_is_unreadable() -> None:
    """The bytes decide; a registry that contradicts itself is not believed."""
    server = OciServer()
    await pushed(server, "v1")

    def lying(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        answer.headers["Docker-Content-Digest"] = f"sha256:{'0' * 64}"
        return answer

    server.rewrite = lying
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="but its bytes are sha256:"):
            await registry.resolve(API, "v1")


async def test_another_configuration_than_named_is_unreadable() -> None:
    """Labels decide gates: they must be the image's own."""
    server = OciServer()
    await pushed(server, "v1")
    server.rewrite = lambda request, answer: (
        httpx.Response(200, content=b"{}") if "/blobs/" in request.url.path else answer
    )
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="another configuration"):
            await registry.resolve(API, "v1")


async def test_a_body_beyond_all_bounds_is_not_read() -> None:
    """Four mebibytes are enough for a manifest."""
    server = OciServer()
    server.rewrite = lambda request, answer: httpx.Response(200, content=b" " * (4 * 1024 * 1024 + 1))
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="more than 4194304 bytes"):
            await registry.resolve(API, "v1")


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"mediaType": MANIFEST, "layers": []}, "is not a container image"),
        ({"mediaType": MANIFEST, "manifests": []}, "an index without an image for any platform"),
        ({"mediaType": MANIFEST, "config": "odd"}, "no valid manifest"),
    ],
)
async def test_what_is_no_image_is_unreadable(manifest: dict[str, object], said: str) -> None:
    """Charts and signatures live in registries, too."""
    server = OciServer()
    registry = await pushed(server)
    await registry.put("acme/api", "v1", manifest)
    async with asking(server) as ours:
        with pytest.raises(UnreadableError, match=said):
            await ours.resolve(API, "v1")


async def test_an_artifact_without_a_platform_is_unreadable() -> None:
    """A Helm chart has a configuration, but nothing that runs."""
    server = OciServer()
    registry = await pushed(server)
    await registry.push("acme/api", "v1", platform="")
    async with asking(server) as ours:
        with pytest.raises(UnreadableError, match="names no platform"):
            await ours.resolve(API, "v1")


async def test_attestations_are_no_platforms() -> None:
    """Builders list them beside the images as unknown/unknown, sometimes first."""
    server = OciServer()
    registry = await pushed(server)
    image = await registry.push("acme/api", "part", labels={"a": "1"})
    await registry.push_index("acme/api", "v1", {"unknown/unknown": image, "linux/amd64": image})
    async with asking(server) as ours:
        found = await ours.resolve(API, "v1")
    assert (found.platforms, found.labels) == (("linux/amd64",), {"a": "1"})


async def test_annotations_count_among_labels() -> None:
    """The manifest's own win over the configuration's, and both over the index's."""
    server = OciServer()
    await pushed(server, "v1")
    server.rewrite = lambda request, answer: (
        rewritten(answer, lambda body: body.update(annotations={"a": "manifest"}))
        if request.url.path.endswith("/v1")
        else answer
    )
    async with asking(server) as registry:
        assert (await registry.resolve(API, "v1")).labels == {"a": "manifest"}


async def test_tags_come_in_pages() -> None:
    """A commit is found on any of the first ten."""
    server = OciServer()
    await pushed(server, *(f"v{number}" for number in range(7)), "sha-9f2c1e7aa0")
    server.distribution.page = 2
    async with asking(server) as registry:
        assert (await registry.resolve(API, "9f2c1e7")).tag == "sha-9f2c1e7aa0"
        with pytest.raises(NotFoundError, match="near names"):
            await registry.resolve(API, "v9")


async def test_tags_without_end_are_read_to_the_tenth_page() -> None:
    """A registry that always has another page must not hold us for ever."""
    server = OciServer()
    await pushed(server, *(f"v{number}" for number in range(30)))
    server.distribution.page = 2
    async with asking(server) as registry:
        with pytest.raises(NotFoundError):
            await registry.resolve(API, "9f2c1e7")
    assert len([request for request in server.requests if "tags/list" in request.url.path]) == 10


async def test_a_repository_without_tags_says_so() -> None:
    """All of them were deleted."""
    server = OciServer()
    await pushed(server, "v1")
    server.rewrite = lambda request, answer: (
        httpx.Response(200, json={"tags": None}) if "tags/list" in request.url.path else httpx.Response(404)
    )
    async with asking(server) as registry:
        with pytest.raises(NotFoundError, match="it has no tags at all"):
            await registry.resolve(API, "v1")
