"""Where the gate `vulnerabilities` is asked in tests, and what it says."""

from dataclasses import replace
from typing import Any

from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.image import Digest
from bot.domain.outcome import Failed, Outcome, Succeeded
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import Attestations
from runbooks.gates.vulnerabilities import VulnerabilitiesGate
from runbooks.scanning import ScanFinder
from tests.builders import REPOSITORY, a_plan
from tests.fakes.image_registry import FakeRegistry
from tests.runbooks.passes import WORKLOAD, Place

ELSEWHERE = replace(WORKLOAD, namespace="staging")


class Desk:
    """An image in a registry, a cluster, and the gate."""

    def __init__(self, *platforms: str) -> None:
        self.registry = FakeRegistry()
        self.digest = self.registry.push(REPOSITORY, "v2", platforms=platforms or ("linux/amd64",))
        self.place = Place(
            artifact=replace(a_plan().artifact, image=f"{REPOSITORY}:v2@{self.digest}", digest=self.digest)
        )
        finder = ScanFinder(
            Attestations(self.registry, SigstoreSignatures()),
            self.place.clusters,
            lambda _service: (WORKLOAD, ELSEWHERE),
        )
        self.gate = VulnerabilitiesGate(finder)

    async def image_of(self, platform: str) -> Digest:
        """The manifest of one platform."""
        return (await self.registry.resolve(REPOSITORY, self.digest)).manifests[platform]

    def attach(self, *blobs: Blob, to: Digest | None = None, **more: Any) -> None:
        """Attach to the image each as an artifact of its own."""
        for one in blobs:
            self.registry.attach(REPOSITORY, to or self.digest, [one], **more)

    async def asked(self, **params: Any) -> Outcome:
        """What the gate says."""
        return await self.gate.reconcile(self.place.context("vulnerabilities", params))


def lines(outcome: Outcome) -> str:
    """The evidence as one text."""
    assert isinstance(outcome, Succeeded | Failed)
    return "\n".join(line for each in outcome.evidence for line in each.lines)
