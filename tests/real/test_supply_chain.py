"""Both gates over a real registry, and over a real API server with the Trivy Operator's reports."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes_cluster import KubernetesClusters
from bot.adapters.kubernetes_login import Connection
from bot.adapters.kubernetes_scans import VULNERABILITY_REPORTS
from bot.adapters.oci_registry import OciRegistry
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.adapters.system_clock import SystemClock
from bot.domain.image import Digest
from bot.domain.outcome import Failed, Outcome, Succeeded
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import Attestations
from runbooks.gates.signature import SignatureGate
from runbooks.gates.vulnerabilities import VulnerabilitiesGate
from runbooks.provenance import SLSA_V1
from runbooks.scanning import ScanFinder
from tests.builders import a_plan
from tests.fakes.clock import START
from tests.fakes.cluster import FakeClusters
from tests.real import servers
from tests.real.custom_resources import scanner_installed
from tests.runbooks.passes import WORKLOAD, Place
from tests.runbooks.scans import CRITICAL, SARIF, VULN, blob, operators, predicate, sarif, trivy
from tests.signing import WORKFLOW, KeyHolder, other, provenance, statement
from tests.sigstore import Sigstore

pytestmark = pytest.mark.real
COMMIT = "9f2c1e7" + "0" * 33


class Desk:
    """An image in the real registry, and both gates."""

    def __init__(self, registry: OciRegistry, pusher: servers.Registry, path: str, digest: Digest) -> None:
        self.pusher, self.path, self.digest = pusher, path, digest
        image = f"{pusher.host}/{path}:v2@{digest}"
        self.place = Place(artifact=replace(a_plan().artifact, image=image, digest=digest, commit=COMMIT))
        self.attestations = Attestations(registry, SigstoreSignatures())
        self.clusters: Any = FakeClusters()
        self.workload = WORKLOAD

    async def attach(self, one: Blob, *, tag: str = "") -> None:
        """Attach an artifact, as tools do."""
        named = f"{self.digest.replace(':', '-')}.{tag}" if tag else ""
        made = {"org.opencontainers.artifact.created": START.isoformat()}
        await self.pusher.attach(
            self.path, self.digest, [one], artifact_type=one.media_type, annotations=made, tag=named
        )

    async def signature(self, signatures: Mapping[str, Any]) -> Outcome:
        """What the gate `signature` says."""
        context = self.place.context("signature", {"signatures": dict(signatures)})
        return await SignatureGate(self.attestations).reconcile(context)

    async def vulnerabilities(self, **params: Any) -> Outcome:
        """What the gate `vulnerabilities` says."""
        finder = ScanFinder(self.attestations, self.clusters, lambda _service: (self.workload,))
        return await VulnerabilitiesGate(finder).reconcile(self.place.context("vulnerabilities", params))


@asynccontextmanager
async def a_desk(name: str) -> AsyncIterator[Desk]:
    """An image that nobody has signed or scanned yet."""
    async with servers.registry() as pusher, OciRegistry() as registry:
        path = f"acme/{name}-{os.getpid()}"
        yield Desk(registry, pusher, path, await pusher.push(path, "v2"))


@pytest.mark.parametrize("form", ["tag", "bundle"])
async def test_a_signature_by_key_is_found(form: str, tmp_path: Path) -> None:
    """Under cosign's tag, and as a referrer; another's and another image's change nothing."""
    ann, mallory = KeyHolder(tmp_path), KeyHolder(tmp_path, "mallory")
    trusted = {"key_file": ann.policy.key_file}
    async with a_desk(f"key-{form}") as desk:
        await desk.attach(mallory.bundle(statement(desk.digest)))
        await desk.attach(ann.bundle(statement(other(desk.digest))))
        assert isinstance(await desk.signature(trusted), Failed)
        if form == "tag":
            await desk.attach(ann.simple(desk.digest), tag="sig")
        else:
            await desk.attach(ann.bundle(statement(desk.digest)))
        assert isinstance(await desk.signature(trusted), Succeeded)


@pytest.mark.parametrize("form", ["tag", "bundle"])
async def test_a_signature_by_an_identity_is_found(form: str, tmp_path: Path) -> None:
    """With its provenance, which must fit."""
    sigstore = Sigstore(tmp_path)
    by, ci = sigstore.policy(), sigstore.signer()
    trusted = {"issuer": by.issuer, "subject": by.subject, "trusted_root_file": by.trusted_root_file}
    built = {"required": True, "builder": WORKFLOW, "source": "github.com/acme/api"}
    async with a_desk(f"identity-{form}") as desk:
        if form == "tag":
            await desk.attach(ci.simple(desk.digest), tag="sig")
            await desk.attach(ci.attestation(statement(desk.digest, SLSA_V1, provenance())), tag="att")
        else:
            await desk.attach(ci.bundle(statement(desk.digest)))
            await desk.attach(ci.bundle(statement(desk.digest, SLSA_V1, provenance())))
        assert isinstance(await desk.signature({**trusted, "provenance": built}), Succeeded)
        elsewhere = {**built, "source": "github.com/acme/web"}
        assert isinstance(await desk.signature({**trusted, "provenance": elsewhere}), Failed)


async def test_reports_in_every_form_are_found(tmp_path: Path) -> None:
    """Trivy's, SARIF, and a signed attestation under cosign's tag."""
    ann = KeyHolder(tmp_path)
    signed = {"signed": True, "signatures": {"key_file": ann.policy.key_file}}
    async with a_desk("reports") as desk:
        assert isinstance(await desk.vulnerabilities(), Failed)
        await desk.attach(blob(trivy(desk.digest)))
        assert await desk.vulnerabilities() == Succeeded("no HIGH")
        await desk.attach(blob(sarif(desk.digest, CRITICAL), SARIF))
        outcome = await desk.vulnerabilities()
        assert isinstance(outcome, Failed)
        assert outcome.reason.startswith("1 CRITICAL")
        assert isinstance(await desk.vulnerabilities(**signed), Failed)
        scan = predicate(desk.digest, at=START + timedelta(minutes=1))
        await desk.attach(ann.attestation(statement(desk.digest, VULN, scan)), tag="att")
        assert await desk.vulnerabilities(**signed) == Succeeded("no HIGH")


async def test_the_operators_report_is_found() -> None:
    """In the namespace where the service runs, by the image's digest."""
    connections = {"main": Connection(servers.named("KUBECONFIG"))}
    async with (
        servers.namespace() as place,
        KubernetesClusters(connections, SystemClock()) as clusters,
        a_desk("operator") as desk,
    ):
        await scanner_installed(place.client)
        desk.clusters, desk.workload = clusters, replace(WORKLOAD, namespace=place.name)
        assert isinstance(await desk.vulnerabilities(source="cluster"), Failed)
        for name, report in (("old", operators(other(desk.digest))), ("new", operators(desk.digest))):
            body = {
                "apiVersion": "aquasecurity.github.io/v1alpha1",
                "kind": "VulnerabilityReport",
                "metadata": {"name": f"replicaset-api-{name}"},
                "report": report,
            }
            await place.create(VULNERABILITY_REPORTS, body)
        assert await desk.vulnerabilities(source="cluster") == Succeeded("no HIGH")
        assert await desk.vulnerabilities(source="either") == Succeeded("no HIGH")
