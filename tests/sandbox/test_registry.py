"""The sandbox's registry: pushed to from Python, read by the client and the gates of the house."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.adapters.oci_registry import OciRegistry
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.errors import UnreachableError, UntrustedError
from bot.ports.image_registry import Place
from bot.ports.signatures import SignedBy
from bot.sandbox.loopback import listening
from bot.sandbox.registry.content import MANIFEST
from bot.sandbox.registry.documents import (
    OPENAPI,
    Vulnerability,
    openapi_document,
    operator_report,
    slsa_provenance,
    trivy_report,
    vulnerability_predicate,
)
from bot.sandbox.registry.server import RegistryServer
from bot.sandbox.registry.signing import ImageSigner
from runbooks.attestations import Attestations, Item
from runbooks.provenance import SLSA_V1, Source, read_provenance
from runbooks.scan_reports import parsed, read_cluster_report, read_report
from tests.fakes.clock import START, FakeClock

COMMIT = "9f2c1e7" + "0" * 33
API = "acme/api"


class World:
    """A registry, our client of it, and its host."""

    def __init__(self, http: httpx.AsyncClient, registry: OciRegistry, server: RegistryServer) -> None:
        self.http, self.registry, self.server = http, registry, server
        self.repository = f"{http.base_url.netloc.decode()}/{API}"


@asynccontextmanager
async def opened() -> AsyncIterator[World]:
    """The world."""
    server = RegistryServer(FakeClock())
    async with (
        listening(server.application()) as url,
        httpx.AsyncClient(base_url=url) as http,
        OciRegistry() as registry,
    ):
        yield World(http, registry, server)


async def test_a_signature_is_one_that_counts(tmp_path: Path) -> None:
    """By the key that signed, for this digest, and by no other key."""
    ours, others = ImageSigner(), ImageSigner()
    files = {name: tmp_path / f"{name}.pub" for name in ("ours", "others")}
    files["ours"].write_text(ours.public_pem)
    files["others"].write_text(others.public_pem)
    async with opened() as world:
        digest = world.server.push(API, "v1")
        world.server.sign(API, digest, ours)
        (found,) = await world.registry.attached(world.repository, digest)
        payload = await world.registry.content(world.repository, found.layers[0])
    item, signatures = Item(found, found.layers[0]), SigstoreSignatures()
    assert found.place is Place.SIGNATURE
    assert digest.encode() in payload
    assert checked(signatures, SignedBy(key_file=str(files["ours"])), payload, item)
    assert not checked(signatures, SignedBy(key_file=str(files["others"])), payload, item)


def checked(signatures: SigstoreSignatures, policy: SignedBy, payload: bytes, item: Item) -> bool:
    """Whether the policy's signer has signed it."""
    try:
        signatures.payload(payload, item.proof, policy)
    except UntrustedError:
        return False
    return True


async def test_signatures_stand_beside_each_other() -> None:
    """A second one does not replace the first."""
    async with opened() as world:
        digest = world.server.push(API, "v1")
        for _ in range(2):
            world.server.sign(API, digest, ImageSigner())
        (found,) = await world.registry.attached(world.repository, digest)
    assert len(found.layers) == 2


async def test_a_signature_can_be_taken_away() -> None:
    """As if nobody had signed; what is attached otherwise stays."""
    async with opened() as world:
        digest, signer = world.server.push(API, "v1"), ImageSigner()
        world.server.sign(API, digest, signer)
        world.server.attach(API, digest, signer.attestation(digest, SLSA_V1, {}))
        world.server.unsign(API, digest)
        (found,) = await world.registry.attached(world.repository, digest)
    assert found.place is Place.REFERRERS


async def test_an_attestation_is_one_that_counts(tmp_path: Path) -> None:
    """Signed by this key and by no other, about this digest, with what it says of it."""
    ours, others = ImageSigner(), ImageSigner()
    (tmp_path / "ours.pub").write_text(ours.public_pem)
    by, said = SignedBy(key_file=str(tmp_path / "ours.pub")), slsa_provenance("builder", "github.com/acme/api", COMMIT)
    async with opened() as world:
        digest = world.server.push(API, "v1")
        for signer in (ours, others):
            world.server.attach(API, digest, signer.attestation(digest, SLSA_V1, said))
        opened_up = Attestations(world.registry, SigstoreSignatures())
        (found,), refused = await opened_up.attested(world.repository, digest, by)
    built = read_provenance(found.statement.predicate_type, found.statement.predicate)
    assert (built.builder, built.sources) == ("builder", (Source("github.com/acme/api", COMMIT),))
    assert len(refused) == 1


@pytest.mark.parametrize("findings", [(), (Vulnerability("CVE-2026-1234", "HIGH", fixed="3.0.2"),)])
def test_a_scan_says_the_same_wherever_it_is(findings: tuple[Vulnerability, ...]) -> None:
    """In an attestation as in a report of the operator."""
    digest = RegistryServer(FakeClock()).push(API, "v1")
    attested = read_report(vulnerability_predicate(API, digest, findings, at=START), "it")
    assert attested == read_cluster_report(operator_report(digest, findings, at=START), "it")


async def test_a_scan_report_is_read() -> None:
    """With its findings, its time and the digest that it is about."""
    async with opened() as world:
        digest = world.server.push(API, "v1")
        findings = [Vulnerability("CVE-2026-1234", "HIGH", fixed="3.0.2")]
        world.server.attach(API, digest, trivy_report(world.repository, digest, findings, at=START))
        (found,) = await world.registry.attached(world.repository, digest)
        report = read_report(parsed(await world.registry.content(world.repository, found.layers[0]), "it"), "it")
    assert report is not None
    assert (report.digests, report.created) == ({digest}, START)
    assert [(one.id, one.severity.name) for one in report.findings] == [("CVE-2026-1234", "HIGH")]


async def test_an_api_document_says_its_type() -> None:
    """That is how the gate knows it."""
    async with opened() as world:
        digest = world.server.push(API, "v1")
        world.server.attach(API, digest, openapi_document({"openapi": "3.1.0"}))
        (found,) = await world.registry.attached(world.repository, digest)
    assert found.artifact_type == OPENAPI


async def test_an_image_is_as_old_as_its_build() -> None:
    """Now, unless another time is given."""
    async with opened() as world:
        world.server.push(API, "v1", created=START - timedelta(days=1))
        world.server.push(API, "v2")
        created = [(await world.registry.resolve(world.repository, tag)).created for tag in ("v1", "v2")]
    assert created == [START - timedelta(days=1), START]


async def test_a_version_is_known_by_its_digest() -> None:
    """For traffic, to which pods show a digest only; a strange one stays what it is."""
    server = RegistryServer(FakeClock())
    digest = server.push(API, "v2-errors", platforms=("linux/amd64", "linux/arm64"))
    assert server.version_of(f"127.0.0.1:5000/{API}@{digest}") == "v2-errors"
    assert server.version_of(f"{API}:v1") == "v1"
    assert server.version_of(f"{API}@sha256:ab") == "sha256:ab"


async def test_a_tag_that_is_forgotten_is_not_listed() -> None:
    """Its image stays, by digest."""
    async with opened() as world:
        digest = world.server.push(API, "v1")
        world.server.untag(API, "v1")
        tags = (await world.http.get(f"/v2/{API}/tags/list")).json()["tags"]
        found = await world.registry.resolve(world.repository, digest)
    assert (tags, found.digest) == (None, digest)


async def test_nothing_is_attached_to_nothing() -> None:
    """Nor tagged."""
    server, nowhere = RegistryServer(FakeClock()), RegistryServer(FakeClock()).push(API, "v1")
    with pytest.raises(KeyError):
        server.attach(API, nowhere)
    with pytest.raises(KeyError):
        server.tag(API, "v1", nowhere)


async def test_head_tells_the_digest() -> None:
    """To those who can read the manifest; without Accept it is not found, as in real registries."""
    async with opened() as world:
        digest = world.server.push(API, "v1")
        seen = await world.http.head(f"/v2/{API}/manifests/v1", headers={"Accept": MANIFEST})
        blind = await world.http.head(f"/v2/{API}/manifests/v1")
    assert (seen.status_code, seen.headers["Docker-Content-Digest"], seen.content) == (200, digest, b"")
    assert blind.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/v2/acme/no/tags/list", b"", "NAME_UNKNOWN"),
        ("GET", "/v2/acme/api/manifests/no", b"", "MANIFEST_UNKNOWN"),
        ("GET", f"/v2/acme/api/blobs/sha256:{'0' * 64}", b"", "BLOB_UNKNOWN"),
        ("GET", "/v2/acme/api/referrers/v1", b"", "DIGEST_INVALID"),
        ("PUT", "/v2/acme/api/manifests/v2", b"no JSON", "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/api/manifests/-v2", b"{}", "TAG_INVALID"),
        ("PUT", f"/v2/acme/api/manifests/sha256:{'0' * 64}", b"{}", "DIGEST_INVALID"),
        ("PUT", "/v2/acme/api/blobs/uploads/7", b"", "BLOB_UPLOAD_UNKNOWN"),
        ("POST", f"/v2/acme/api/blobs/uploads/?digest=sha256:{'0' * 64}", b"x", "DIGEST_INVALID"),
        ("DELETE", "/v2/acme/api/manifests/v1", b"", "UNSUPPORTED"),
    ],
)
async def test_a_slip_has_a_code(method: str, path: str, body: bytes, code: str) -> None:
    """As the specification names it ("Error Codes")."""
    async with opened() as world:
        world.server.push(API, "v1")
        told = await world.http.request(method, path, content=body)
    assert told.is_client_error
    assert [one["code"] for one in told.json()["errors"]] == [code]


async def test_referrers_of_one_type_alone() -> None:
    """Where somebody asks for it, the answer says that it was filtered."""
    async with opened() as world:
        digest = world.server.push(API, "v1")
        world.server.attach(API, digest, openapi_document({}))
        world.server.attach(API, digest, artifact_type="text/plain", annotations={"a": "b"})
        told = await world.http.get(f"/v2/{API}/referrers/{digest}", params={"artifactType": "text/plain"})
    assert [(one["artifactType"], one["annotations"]) for one in told.json()["manifests"]] == [
        ("text/plain", {"a": "b"})
    ]
    assert told.headers["OCI-Filters-Applied"] == "artifactType"


async def test_a_registry_that_is_down_is_unreachable() -> None:
    """And a check of the address says so."""
    async with opened() as world:
        world.server.push(API, "v1")
        up = await world.http.get("/v2/")
        world.server.outage.down = True
        down = await world.http.get("/v2/")
        with pytest.raises(UnreachableError, match="HTTP 503"):
            await world.registry.resolve(world.repository, "v1")
    assert (up.status_code, down.status_code) == (200, 503)
