"""An image in a registry that somebody has tampered with, and what the gates of the supply chain say of it.

Through the real client over a registry in memory.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import stamina

from bot.adapters.oci_registry import OciRegistry
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.image import Digest
from bot.domain.outcome import Outcome
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import Attestations
from runbooks.gates.signature import SignatureGate
from runbooks.gates.vulnerabilities import VulnerabilitiesGate
from runbooks.scanning import ScanFinder
from tests.adapters.oci_server import OciServer
from tests.adapters.oci_world import API, pushed
from tests.builders import a_plan
from tests.real.servers import Registry
from tests.runbooks.passes import WORKLOAD, Place
from tests.signing import (
    WORKFLOW,
    KeyHolder,
)
from tests.sigstore import Sigstore

PATH = "acme/api"


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
    with stamina.set_testing(True, attempts=3):  # retries happen, but without their pauses
        return await _asked(attack, kind)


async def _asked(attack: Attack, kind: str) -> Outcome | Exception:
    async with OciRegistry(transport=attack.server, deadline=timedelta(seconds=5)) as registry:
        attestations = Attestations(registry, SigstoreSignatures())
        finder = ScanFinder(attestations, attack.place.clusters, lambda _service: (WORKLOAD,))
        gates = {"vulnerabilities": VulnerabilitiesGate(finder), "signature": SignatureGate(attestations)}
        try:
            return await gates[kind].reconcile(attack.place.context(kind, attack.params))
        except (PermanentError, TemporaryError) as exc:
            return exc


Tampering = Callable[[Attack], Awaitable[None]]


def row(table: dict[str, Tampering], name: str) -> Callable[[Tampering], Tampering]:
    """One row of a table."""

    def keep(tampering: Tampering) -> Tampering:
        table[name] = tampering
        return tampering

    return keep


def keyless_policy(attack: Attack, subject: str = WORKFLOW) -> dict[str, str]:
    """The catalogue trusts an identity."""
    by = attack.sigstore.policy(subject)
    return {"issuer": by.issuer, "subject": by.subject, "trusted_root_file": by.trusted_root_file}
