"""What is attached to an image, where the registry answers oddly, or lies."""

import json
from collections.abc import Iterator

import httpx
import pytest
import stamina

from bot.adapters.oci_attached import MOST_ATTACHED, MOST_CONTENT
from bot.domain.errors import RefusedError, SluiceError, UnreachableError, UnreadableError
from bot.domain.image import Digest
from bot.ports.image_registry import Layer
from bot.sandbox.registry.blob import Blob
from tests.adapters.oci_server import OciServer, rewritten
from tests.adapters.oci_world import API, asking, pushed
from tests.real.servers import INDEX

PATH = "acme/api"
REPORT = Blob(b'{"SchemaVersion": 2}', "application/json")


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries happen, but at once."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def server() -> OciServer:
    """A registry with the referrers API."""
    return OciServer()


async def an_image(server: OciServer, *blobs: Blob) -> Digest:
    """An image that these are attached to, one by one."""
    pusher = await pushed(server)
    image = await pusher.push(PATH, "v1")
    for blob in blobs:
        await pusher.attach(PATH, image, [blob], artifact_type=blob.media_type)
    server.requests.clear()
    return image


async def test_pages_are_followed(server: OciServer) -> None:
    """To the last one."""
    image = await an_image(server, *(Blob(f"{number}".encode(), "text/plain") for number in range(5)))
    server.distribution.page = 2
    async with asking(server) as registry:
        assert len(await registry.attached(API, image)) == 5


async def test_pages_without_an_end_are_refused(server: OciServer) -> None:
    """A page that names itself as the next one."""
    image = await an_image(server, REPORT)

    def endless(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "/referrers/" in request.url.path:
            answer.headers["Link"] = f'<{request.url.path}?last=0>; rel="next"'
        return answer

    server.rewrite = endless
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="more than 10 pages of attached artifacts"):
            await registry.attached(API, image)


@pytest.mark.parametrize("without_referrers", [None, 404])
async def test_an_artifact_of_another_subject_is_left_out(server: OciServer, without_referrers: int | None) -> None:
    """Whoever may push can write anything into the index of the tag; the artifact's own manifest decides."""
    server.distribution.without_referrers = without_referrers
    image = await an_image(server)
    pusher = await pushed(server)
    other = await pusher.push(PATH, "v2")
    report = await pusher.attach(PATH, other, [REPORT])
    await pusher.list_referrer(PATH, image, report)
    async with asking(server) as registry:
        assert await registry.attached(API, image) == ()
        assert len(await registry.attached(API, other)) == 1


async def test_an_answer_that_is_no_index_means_that_there_is_no_such_api(server: OciServer) -> None:
    """As a proxy's friendly page with HTTP 200; then the tag is asked."""
    server.distribution.without_referrers = 404
    image = await an_image(server, REPORT)
    server.distribution.without_referrers = 200
    async with asking(server) as registry:
        assert len(await registry.attached(API, image)) == 1


async def test_other_bytes_under_a_listed_digest_are_refused(server: OciServer) -> None:
    """Somebody between us and the registry, or in it."""
    image = await an_image(server, REPORT)

    def changed(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "/manifests/sha256:" not in request.url.path:
            return answer
        return rewritten(answer, lambda body: body.update(artifactType="application/other"))

    server.rewrite = changed
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="when asked for"):
            await registry.attached(API, image)


async def test_other_bytes_of_a_blob_are_refused(server: OciServer) -> None:
    """Its digest is the only thing that binds it."""
    image = await an_image(server, REPORT)
    async with asking(server) as registry:
        (found,) = await registry.attached(API, image)
        server.rewrite = lambda _request, _answer: httpx.Response(200, content=b'{"SchemaVersion": 2, "Results": []}')
        with pytest.raises(UnreadableError, match="sent other bytes than"):
            await registry.content(API, found.layers[0])


@pytest.mark.parametrize("promised", [MOST_CONTENT + 1, 20])
async def test_a_blob_beyond_all_bounds_is_refused(server: OciServer, promised: int) -> None:
    """By its promise, or while it comes."""
    await an_image(server)
    server.rewrite = lambda _request, _answer: httpx.Response(200, content=b" " * 50_000_000)
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match=str(MOST_CONTENT)):
            await registry.content(API, Layer("text/plain", REPORT.digest, promised))


async def test_too_many_artifacts_are_refused(server: OciServer) -> None:
    """What is left unread could be what matters."""
    image = await an_image(server, REPORT)

    def crowded(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "/referrers/" not in request.url.path:
            return answer
        (one,) = json.loads(answer.content)["manifests"]
        body = json.dumps({"manifests": [one] * (MOST_ATTACHED + 1)}).encode()
        return httpx.Response(200, content=body, headers={"Content-Type": INDEX})

    server.rewrite = crowded
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="101 attached artifacts; Sluice reads at most 100"):
            await registry.attached(API, image)


@pytest.mark.parametrize("digest", ["sha256:../../../secret", "sha512:" + "0" * 128, ""])
async def test_what_is_no_digest_never_becomes_an_address(server: OciServer, digest: str) -> None:
    """A list could lead us anywhere else."""
    image = await an_image(server)
    body = json.dumps({"manifests": [{"digest": digest}]}).encode()
    server.rewrite = lambda _request, _answer: httpx.Response(200, content=body, headers={"Content-Type": INDEX})
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="which is no digest"):
            await registry.attached(API, image)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(403), RefusedError),
        (httpx.Response(429, headers={"Retry-After": "7"}), UnreachableError),
        (httpx.Response(418), SluiceError),
        (httpx.Response(200, content=b"{", headers={"Content-Type": INDEX}), UnreadableError),
        (httpx.Response(200, content=b" " * 5_000_000, headers={"Content-Type": INDEX}), UnreadableError),
    ],
    ids=["403", "429", "418", "half an answer", "5 MB"],
)
async def test_an_odd_answer_is_never_taken_for_nothing_attached(
    server: OciServer, answer: httpx.Response, error: type[SluiceError]
) -> None:
    """Only a registry without the API is asked in another way."""
    image = await an_image(server, REPORT)
    server.faults = [answer]
    async with asking(server) as registry:
        with pytest.raises(error):
            await registry.attached(API, image)
