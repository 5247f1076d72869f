"""Everything by which a bad, unknown or foreign image could slip through: neither gate ever passes it.

Through the real client over a registry in memory. Nothing, a strange answer and a lie all stop; only a server that is
away is asked again.
"""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from bot.adapters.oci_registry import OciRegistry
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.image import Digest
from bot.domain.outcome import Failed, Outcome
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import Attestations
from runbooks.gates.signature import SignatureGate
from runbooks.gates.vulnerabilities import VulnerabilitiesGate
from runbooks.provenance import SLSA_V1
from runbooks.scanning import ScanFinder
from tests.adapters.oci_server import OciServer
from tests.adapters.oci_world import API, pushed
from tests.builders import a_plan
from tests.fakes.clock import START
from tests.real.servers import INDEX, Registry
from tests.runbooks.passes import WORKLOAD, Place
from tests.runbooks.scans import (
    CRITICAL,
    HIGH,
    SARIF,
    STRANGE,
    VULN,
    blob,
    exception,
    operators,
    predicate,
    sarif,
    trivy,
)
from tests.signing import (
    BUNDLE_03,
    SIGNED_AT,
    WORKFLOW,
    KeyHolder,
    Sigstore,
    other,
    provenance,
    statement,
    tampered,
)

PATH = "acme/api"


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries happen, but at once."""
    with stamina.set_testing(True, attempts=3):
        yield


@dataclass
class Attack:
    """An image in a registry that somebody has tampered with, or that answers strangely."""

    server: OciServer
    pusher: Registry
    digest: Digest
    other: Digest
    place: Place
    ann: KeyHolder
    mallory: KeyHolder
    sigstore: Sigstore
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    async def attach(self, one: Blob, *, to: Digest | None = None, tag: str = "") -> Digest:
        """Attach an artifact."""
        subject = to or self.digest
        named = f"{self.digest.replace(':', '-')}.{tag}" if tag else ""
        return await self.pusher.attach(PATH, subject, [one], artifact_type=one.media_type, tag=named)

    def answer(self, make: Callable[[httpx.Request, httpx.Response], httpx.Response], part: str) -> None:
        """From now on every answer to a path with `part` is made so."""
        self.server.rewrite = lambda request, real: make(request, real) if part in request.url.path else real

    @property
    def signed(self) -> dict[str, Any]:
        """Reports must be ann's."""
        return {"signed": True, "signatures": {"key_file": self.ann.policy.key_file}}


async def attacked(tmp_path: Path) -> Attack:
    """Two images that nobody has touched yet."""
    server = OciServer()
    pusher = await pushed(server)
    digest, second = await pusher.push(PATH, "v2"), await pusher.push(PATH, "v3")
    place = Place(
        artifact=replace(a_plan().artifact, image=f"{API}:v2@{digest}", digest=digest, commit="9f2c1e7" + "0" * 33)
    )
    ann, mallory = KeyHolder(tmp_path), KeyHolder(tmp_path, "mallory")
    return Attack(server, pusher, digest, second, place, ann, mallory, Sigstore(tmp_path))


async def asked(attack: Attack, kind: str) -> Outcome | Exception:
    """What a gate says, or why it can say nothing."""
    async with OciRegistry(transport=attack.server, deadline=timedelta(seconds=5)) as registry:
        attestations = Attestations(registry, SigstoreSignatures())
        finder = ScanFinder(attestations, attack.place.clusters, lambda _service: (WORKLOAD,))
        gates = {"vulnerabilities": VulnerabilitiesGate(finder), "signature": SignatureGate(attestations)}
        try:
            return await gates[kind].reconcile(attack.place.context(kind, attack.params))
        except (PermanentError, TemporaryError) as exc:
            return exc


Tampering = Callable[[Attack], Awaitable[None]]
SCANS: dict[str, Tampering] = {}
SIGNATURES: dict[str, Tampering] = {}


def row(table: dict[str, Tampering], name: str) -> Callable[[Tampering], Tampering]:
    """One row of a table."""

    def keep(tampering: Tampering) -> Tampering:
        table[name] = tampering
        return tampering

    return keep


def report_row(name: str, make: Callable[[Attack], Blob], **params: Any) -> None:
    """A row in which somebody attaches one report."""

    async def tamper(attack: Attack) -> None:
        attack.params = dict(params)
        await attack.attach(make(attack))

    SCANS[name] = tamper


def signed_row(name: str, make: Callable[[Attack], Blob]) -> None:
    """A row in which a signed report is asked for, and something else comes."""

    async def tamper(attack: Attack) -> None:
        attack.params = attack.signed
        await attack.attach(make(attack))

    SCANS[name] = tamper


def signature_row(name: str, make: Callable[[Attack], Blob], *, tag: str = "", keyless: bool = False) -> None:
    """A row in which somebody attaches one signature."""

    async def tamper(attack: Attack) -> None:
        attack.params = {"signatures": keyless_policy(attack) if keyless else attack.signed["signatures"]}
        await attack.attach(make(attack), tag=tag)

    SIGNATURES[name] = tamper


def keyless_policy(attack: Attack, subject: str = WORKFLOW) -> dict[str, str]:
    """The catalogue trusts an identity."""
    by = attack.sigstore.policy(subject)
    return {"issuer": by.issuer, "subject": by.subject, "trusted_root_file": by.trusted_root_file}


def about_nothing(attack: Attack) -> dict[str, Any]:
    """A scan for secrets alone."""
    return trivy(attack.digest, Results=[{"Target": "api", "Class": "secret"}])


report_row("a report of another digest", lambda a: blob(trivy(a.other)))
report_row("SARIF of another digest", lambda a: blob(sarif(a.other), SARIF))
report_row("an old report", lambda a: blob(trivy(a.digest, at=START - timedelta(days=8))))
report_row("a report from the future", lambda a: blob(trivy(a.digest, at=START + timedelta(hours=1))))
report_row("a report without a time", lambda a: blob(trivy(a.digest, at=None)))
report_row("a report of year one", lambda a: blob(trivy(a.digest, CreatedAt="0001-01-01T00:00:00Z")))
report_row("a time that is none", lambda a: blob(trivy(a.digest, CreatedAt="yesterday")))
report_row("malformed JSON", lambda _: Blob(b'{"SchemaVersion": 2,', "application/json"))
report_row("JSON nested too deeply", lambda _: Blob(b"[" * 100_000, "application/json"))
report_row("bytes that are no text", lambda _: Blob(b"\xff\xfe\x00", SARIF))
report_row("results missing", lambda a: blob({k: v for k, v in trivy(a.digest).items() if k != "Results"}))
report_row("empty results of a failed scan", lambda a: blob(trivy(a.digest, Results=[])))
report_row("results null", lambda a: blob(trivy(a.digest, Results=None)))
report_row("a scan for secrets alone", lambda a: blob(about_nothing(a)))
report_row("a scan of a file system", lambda a: blob(trivy(a.digest, ArtifactType="filesystem")))
report_row(
    "vulnerabilities of another shape",
    lambda a: blob(trivy(a.digest, Results=[{"Target": "x", "Vulnerabilities": {}}])),
)
report_row("SARIF without rules", lambda a: blob(sarif(a.digest, tool={"driver": {"name": "Trivy"}}), SARIF))
report_row(
    "SARIF whose finding has no rule",
    lambda a: blob(sarif(a.digest, HIGH, tool={"driver": {"name": "x", "rules": []}}), SARIF),
)
report_row("SARIF without results", lambda a: blob(sarif(a.digest, results=None), SARIF))
report_row("SARIF without runs", lambda _: blob({"version": "2.1.0", "runs": []}, SARIF))
report_row(
    "SARIF of a run that failed", lambda a: blob(sarif(a.digest, invocations=[{"executionSuccessful": False}]), SARIF)
)
report_row("SARIF that is something else", lambda _: blob({"hello": "world"}, SARIF))
report_row("SARIF without a time", lambda a: blob(sarif(a.digest), SARIF))
report_row("a finding at the threshold", lambda a: blob(trivy(a.digest, HIGH)))
report_row("a finding above it", lambda a: blob(trivy(a.digest, CRITICAL)))
report_row("a finding of unknown severity", lambda a: blob(trivy(a.digest, STRANGE)))
report_row("an exception for another id", lambda a: blob(trivy(a.digest, HIGH)), exceptions=[exception("CVE-2026-9")])
report_row(
    "an exception for the beginning of it", lambda a: blob(trivy(a.digest, HIGH)), exceptions=[exception("CVE-2026-")]
)
report_row(
    "an exception that is over", lambda a: blob(trivy(a.digest, HIGH)), exceptions=[exception(until="2026-03-01")]
)
report_row("an attestation about another image", lambda a: a.ann.bundle(statement(a.other, VULN, predicate(a.digest))))
report_row(
    "an attestation of another predicate", lambda a: a.ann.bundle(statement(a.digest, SLSA_V1, predicate(a.digest)))
)
signed_row("unsigned where signed is asked for", lambda a: blob(trivy(a.digest)))
signed_row("signed by another key", lambda a: a.mallory.bundle(statement(a.digest, VULN, predicate(a.digest))))
signed_row("the right key for another image", lambda a: a.ann.bundle(statement(a.other, VULN, predicate(a.digest))))
signed_row(
    "signed, but a report of another image", lambda a: a.ann.bundle(statement(a.digest, VULN, predicate(a.other)))
)
signed_row(
    "signed, of another predicate type", lambda a: a.ann.bundle(statement(a.digest, SLSA_V1, predicate(a.digest)))
)
signed_row("signed, with an empty predicate", lambda a: a.ann.bundle(statement(a.digest, VULN, {})))
signed_row(
    "signed, of another payload type",
    lambda a: a.ann.bundle(statement(a.digest, VULN, predicate(a.digest)), kind="text/plain"),
)
signed_row("a signature without a report", lambda a: a.ann.bundle(statement(a.digest)))
signed_row(
    "an envelope tampered with",
    lambda a: tampered(a.ann.bundle(statement(a.digest, VULN, predicate(a.digest, HIGH))), b"HIGH", b"LOW"),
)


@row(SCANS, "nothing at all")
async def _nothing(_attack: Attack) -> None:
    pass


@row(SCANS, "a tag that lists what belongs to another image")
async def _foreign_report(attack: Attack) -> None:
    attack.server.distribution.without_referrers = 404
    report = await attack.attach(blob(trivy(attack.digest)), to=attack.other)
    await attack.pusher.list_referrer(PATH, attack.digest, report)


@row(SCANS, "other bytes than the digest says")
async def _changed_report(attack: Attack) -> None:
    report = blob(trivy(attack.digest, HIGH))
    await attack.attach(report)
    clean = json.dumps(trivy(attack.digest)).encode()
    attack.answer(lambda _request, _real: httpx.Response(200, content=clean), f"/blobs/{report.digest}")


@row(SCANS, "the operator's report of another image")
async def _operators_other(attack: Attack) -> None:
    attack.params = {"source": "cluster"}
    attack.place.cluster.scan_reports = {"prod": [operators(attack.other)]}


@row(SCANS, "the operator's report of an image's id")
async def _operators_id(attack: Attack) -> None:
    attack.params = {"source": "either"}
    attack.place.cluster.scan_reports = {"prod": [operators(f"sha256:{'5' * 64}"), operators("")]}


@row(SCANS, "the operator's report without its list")
async def _operators_broken(attack: Attack) -> None:
    attack.params = {"source": "cluster"}
    broken = operators(attack.digest)
    del broken["vulnerabilities"]
    attack.place.cluster.scan_reports = {"prod": [broken]}


@row(SCANS, "a cluster that is away")
async def _cluster_away(attack: Attack) -> None:
    attack.params = {"source": "either"}
    attack.place.cluster.down = True


@row(SCANS, "nobody says whose signature")
async def _unsaid(attack: Attack) -> None:
    attack.params = {"signed": True}
    await attack.attach(attack.ann.bundle(statement(attack.digest, VULN, predicate(attack.digest))))


signature_row("signed by another key", lambda a: a.mallory.simple(a.digest), tag="sig")
signature_row("a bundle of another key", lambda a: a.mallory.bundle(statement(a.digest)))
signature_row("the right key, another image's payload", lambda a: a.ann.simple(a.other), tag="sig")
signature_row("the right key, another image's bundle", lambda a: a.ann.bundle(statement(a.other)))
signature_row(
    "a payload that signs no image", lambda a: a.ann.simple(a.digest, kind="atomic container signature"), tag="sig"
)
signature_row(
    "a signature moved to another payload",
    lambda a: Blob(
        a.ann.simple(a.digest).content, a.ann.simple(a.digest).media_type, a.ann.simple(a.other).annotations
    ),
    tag="sig",
)
signature_row(
    "no signature beside the payload",
    lambda a: Blob(a.ann.simple(a.digest).content, a.ann.simple(a.digest).media_type),
    tag="sig",
)
signature_row("an attestation of the right key", lambda a: a.ann.bundle(statement(a.digest, VULN, predicate(a.digest))))
signature_row("an attestation under cosign's tag", lambda a: a.ann.attestation(statement(a.digest)), tag="att")
signature_row(
    "a bundle tampered with",
    lambda a: tampered(a.ann.bundle(statement(a.other)), a.other[7:].encode(), a.digest[7:].encode()),
)
signature_row("a bundle of another payload type", lambda a: a.ann.bundle(statement(a.digest), kind="text/plain"))
signature_row("malformed JSON in a bundle", lambda _: Blob(b'{"dsseEnvelope": ', BUNDLE_03))
signature_row("an empty bundle", lambda _: Blob(b"{}", BUNDLE_03))
signature_row("a bare signature of other bytes", lambda a: a.ann.bare(b"something else"))
signature_row("a key where an identity is asked for", lambda a: a.ann.bundle(statement(a.digest)), keyless=True)
signature_row(
    "another issuer", lambda a: a.sigstore.signer(issuer="https://gitlab.com").bundle(statement(a.digest)), keyless=True
)
signature_row(
    "another issuer, by cosign's tag",
    lambda a: a.sigstore.signer(issuer="https://gitlab.com").simple(a.digest),
    keyless=True,
    tag="sig",
)
signature_row(
    "a subject that begins alike",
    lambda a: a.sigstore.signer(f"{WORKFLOW}-evil").bundle(statement(a.digest)),
    keyless=True,
)
signature_row(
    "a subject that ends alike",
    lambda a: a.sigstore.signer(f"https://evil.test/?{WORKFLOW}").simple(a.digest),
    keyless=True,
    tag="sig",
)
signature_row(
    "a certificate without its log's receipt",
    lambda a: a.sigstore.signer(logged=False).bundle(statement(a.digest)),
    keyless=True,
)
signature_row(
    "the right identity, another image", lambda a: a.sigstore.signer().bundle(statement(a.other)), keyless=True
)
signature_row(
    "the right identity, another image's payload",
    lambda a: a.sigstore.signer().simple(a.other),
    keyless=True,
    tag="sig",
)


@row(SIGNATURES, "nothing at all")
async def _unsigned(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"]}


@row(SIGNATURES, "nobody says whose signature")
async def _no_policy(attack: Attack) -> None:
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")


@row(SIGNATURES, "the key's file is gone")
async def _no_key(attack: Attack) -> None:
    attack.params = {"signatures": {"key_file": str(attack.ann.folder / "gone.pub")}}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")


@row(SIGNATURES, "another Sigstore than the one that is trusted")
async def _other_root(attack: Attack) -> None:
    attack.params = {"signatures": keyless_policy(attack)}
    await attack.attach(Sigstore(attack.ann.folder, "theirs").signer().bundle(statement(attack.digest)))


@row(SIGNATURES, "a certificate that was over")
async def _late(attack: Attack) -> None:
    attack.params = {"signatures": keyless_policy(attack)}
    signer = attack.sigstore.signer()
    signer.at = SIGNED_AT + timedelta(days=1)
    await attack.attach(signer.bundle(statement(attack.digest)))


@row(SIGNATURES, "a tag that lists what belongs to another image")
async def _foreign_signature(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"]}
    attack.server.distribution.without_referrers = 404
    found = await attack.attach(attack.ann.bundle(statement(attack.digest)), to=attack.other)
    await attack.pusher.list_referrer(PATH, attack.digest, found)


@row(SIGNATURES, "provenance is required, and there is none")
async def _no_provenance(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"] | {"provenance": {"required": True}}}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")


@row(SIGNATURES, "provenance of another repository")
async def _other_repository(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"] | {"provenance": {"source": "github.com/acme/api"}}}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")
    built = provenance(source="https://github.com/acme.evil/api")
    await attack.attach(attack.ann.bundle(statement(attack.digest, SLSA_V1, built)))


@row(SIGNATURES, "provenance that names no builder")
async def _no_builder(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"]}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")
    await attack.attach(attack.ann.bundle(statement(attack.digest, SLSA_V1, {})))


@pytest.mark.parametrize("name", SCANS)
async def test_no_such_scan_passes(name: str, tmp_path: Path) -> None:
    """Known bad fails with a reason; unknown is an error, or asked again."""
    attack = await attacked(tmp_path)
    await SCANS[name](attack)
    assert isinstance(await asked(attack, "vulnerabilities"), Failed | PermanentError | TemporaryError)


@pytest.mark.parametrize("name", SIGNATURES)
async def test_no_such_signature_passes(name: str, tmp_path: Path) -> None:
    """The same of signatures."""
    attack = await attacked(tmp_path)
    await SIGNATURES[name](attack)
    assert isinstance(await asked(attack, "signature"), Failed | PermanentError | TemporaryError)


ANSWERS: dict[str, httpx.Response | Exception] = {
    "401": httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
    "403": httpx.Response(403),
    "404": httpx.Response(404),
    "418": httpx.Response(418),
    "429": httpx.Response(429, headers={"Retry-After": "5"}),
    "500": httpx.Response(500),
    "a time-out": httpx.ReadTimeout("slow"),
    "50 MB": httpx.Response(200, content=b" " * 50_000_000),
    "half an answer": httpx.Response(200, content=b'{"manifests": [', headers={"Content-Type": INDEX}),
    "a friendly page": httpx.Response(200, content=b"<html>", headers={"Content-Type": "text/html"}),
    "another list": httpx.Response(200, content=b'{"manifests": []}', headers={"Content-Type": INDEX}),
}


@pytest.mark.parametrize("part", ["the list", "the artifact", "its content"])
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("kind", ["vulnerabilities", "signature"])
async def test_no_strange_answer_passes(kind: str, name: str, part: str, tmp_path: Path) -> None:
    """A good report and a good signature are there, but the registry does not give them out."""
    attack = await attacked(tmp_path)
    one = blob(trivy(attack.digest)) if kind == "vulnerabilities" else attack.ann.bundle(statement(attack.digest))
    artifact = await attack.attach(one)
    attack.params = {"signatures": attack.signed["signatures"]} if kind == "signature" else {}
    assert not isinstance(await asked(attack, kind), Failed | Exception), "without the answer it passes"
    strange = ANSWERS[name]

    def make(_request: httpx.Request, _real: httpx.Response) -> httpx.Response:
        if isinstance(strange, Exception):
            raise strange
        return httpx.Response(strange.status_code, content=strange.content, headers=strange.headers)

    paths = {"the list": "/referrers/", "the artifact": f"/manifests/{artifact}", "its content": f"/blobs/{one.digest}"}
    attack.answer(make, paths[part])
    assert isinstance(await asked(attack, kind), Failed | PermanentError | TemporaryError)


def test_there_are_enough_rows() -> None:
    """And each has a name of its own."""
    assert len(SCANS) + len(SIGNATURES) >= 70
    assert other("sha256:x") != other("sha256:y")
