"""Where scan reports of an image are: attached to it in the registry, or in the clusters where it runs.

A report that is attached to an index is about what the scanner took of it, and counts for the whole; one that is
attached to an image of the index counts for that platform. With none at the index, every platform must have one. What
is found in either place is judged: the newest of each manifest.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.errors import NotFoundError, UnreadableError
from bot.domain.image import Digest, ImageRef
from bot.domain.json import JsonObject
from bot.domain.plan import Plan
from bot.domain.target import WorkloadRef
from bot.domain.vulnerability import ScanReport
from bot.ports.image_registry import Place
from bot.ports.scans import ScannedClusters
from bot.ports.signatures import SignedBy
from runbooks.attestations import Attestations, Item
from runbooks.scan_reports import parsed, read_cluster_report, read_report
from runbooks.statements import BUNDLE, ENVELOPE, IN_TOTO, read_statement, unsigned_payload

WorkloadsOf = Callable[[str], tuple[WorkloadRef, ...]]
"""Everywhere that a service runs. Raises UsageError."""

VULNERABILITY_PREDICATES = frozenset(
    {"https://cosign.sigstore.dev/attestation/vuln/v1", "cosign.sigstore.dev/attestation/vuln/v1"}
)
"""What `cosign attest --type vuln` writes; the second is that of cosign before 2.0."""

SARIF_WORD = "sarif"
"""Attestations of SARIF have no predicate type that everybody uses; those with this word in theirs are read."""

SBOMS = ("cyclonedx", "spdx", "syft", "openvex")
"""Words in the media types of what is no report; reading it would only cost."""

CREATED = ("org.opencontainers.artifact.created", "org.opencontainers.image.created")
"""When an artifact was made: trivy-plugin-referrer's annotation, and the OCI image specification's."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scanned:
    """Reports by the manifest that they are about, and why others do not count, for people."""

    reports: Mapping[Digest, tuple[ScanReport, ...]]
    refused: tuple[str, ...] = ()
    images: Mapping[str, Digest] = field(default_factory=dict)

    def newest(self) -> tuple[ScanReport, ...]:
        """The newest report of each manifest; one without a time counts as the oldest."""
        return tuple(max(each, key=lambda one: one.created or LONG_AGO) for each in self.reports.values() if each)

    def missing(self, digest: Digest) -> tuple[str, ...]:
        """The platforms without a report; `("",)`: of an image without platforms. Empty: nothing is missing."""
        if self.reports.get(digest):
            return ()
        bare = tuple(platform for platform, image in self.images.items() if not self.reports.get(image))
        return bare if self.images else ("",)


class ScanFinder:
    """Looks for reports of a plan's image."""

    def __init__(self, attestations: Attestations, clusters: ScannedClusters, workloads_of: WorkloadsOf) -> None:
        self._attestations = attestations
        self._clusters = clusters
        self._workloads_of = workloads_of

    async def attached(self, plan: Plan, by: SignedBy | None) -> Scanned:
        """Reports attached to the image, or to the images of its index. `by`: only what they have signed counts."""
        repository = ImageRef.parse(plan.artifact.image).repository
        images = (await self._attestations.registry.resolve(repository, plan.artifact.digest)).manifests
        reports: dict[Digest, tuple[ScanReport, ...]] = {}
        refused: list[str] = []
        for digest in (plan.artifact.digest, *images.values()):
            if by is None:
                found = await self._unsigned(repository, digest)
            else:
                found, others = await self._signed(repository, digest, by)
                refused += others
            # Scanners name the index also where they looked at one platform; one platform's report is never another's.
            about = {digest, plan.artifact.digest}
            ours = tuple(one for one in found if not one.digests or one.digests & about)
            refused += [f"{one.source} is a report about another image" for one in found if one not in ours]
            reports[digest] = ours
        return Scanned(reports, tuple(refused), images)

    async def in_clusters(self, plan: Plan) -> Scanned:
        """Reports of the operator, wherever the service runs. A cluster without it has none; any other trouble is one,
        because a newer report may be behind it."""
        repository = ImageRef.parse(plan.artifact.image).repository
        images = (await self._attestations.registry.resolve(repository, plan.artifact.digest)).manifests
        wanted = (plan.artifact.digest, *images.values())
        found, refused = [], []
        places = {(ref.cluster, ref.namespace) for ref in self._workloads_of(plan.target.service)}
        for cluster, namespace in sorted(places):
            try:
                documents = await self._clusters.scans(cluster).reports(namespace)
            except NotFoundError as exc:
                refused.append(str(exc))
                continue
            where = f"the scan report in {namespace} of cluster {cluster}"
            found += [read_cluster_report(each, where) for each in documents if _digest(each) in wanted]
        return Scanned({one: _about(found, one) for one in wanted}, tuple(refused), images)

    async def _signed(self, repository: str, digest: Digest, by: SignedBy) -> tuple[list[ScanReport], list[str]]:
        attested, refused = await self._attestations.attested(repository, digest, by)
        found, others = [], list(refused)
        for one in attested:
            if not _is_report(one.statement.predicate_type):
                continue
            report = read_report(one.statement.predicate, str(one.item), written=_written(one.item))
            if report is None:
                others.append(f"{one.item} is a signed attestation without a report")
            else:
                found.append(report)
        return found, others

    async def _unsigned(self, repository: str, digest: Digest) -> list[ScanReport]:
        found = []
        for item in await self._attestations.items(repository, digest):
            if item.artifact.place is Place.SBOM or not _readable(item):
                continue
            body = await self._attestations.registry.content(repository, item.layer)
            report = _opened(item, body, digest)
            found += [report] if report else []
        return found


def _opened(item: Item, body: bytes, digest: Digest) -> ScanReport | None:
    """The report in a layer, as it is or inside an attestation, which must be about this manifest."""
    source = str(item)
    if item.media_type in (IN_TOTO, ENVELOPE) or item.media_type.startswith(BUNDLE):
        kind, payload = unsigned_payload(body, source)
        if not payload and item.media_type != IN_TOTO:
            return None  # a bare signature
        if kind not in ("", IN_TOTO):
            return None
        statement = read_statement(payload or body, kind or IN_TOTO, source)
        if not _is_report(statement.predicate_type) or digest not in statement.subjects:
            return None
        return read_report(statement.predicate, source, written=_written(item))
    report = read_report(parsed(body, source), source, written=_written(item))
    if report is None and SARIF_WORD in (item.media_type + item.artifact.artifact_type):
        raise UnreadableError(f"{source} says that it is SARIF, and is not")
    return report


def _readable(item: Item) -> bool:
    """JSON that may be a report: tools agree on no type of their own for Trivy's (its plugin uses application/json).
    `oras attach` calls every file a layer of an image where nobody says otherwise."""
    types = (item.media_type, item.artifact.artifact_type)
    named = " ".join(types).lower()
    json = any(one.endswith(("/json", "+json")) for one in types) or item.media_type.startswith(BUNDLE)
    return json and not any(word in named for word in SBOMS) and "simplesigning" not in named


def _is_report(predicate_type: str) -> bool:
    return predicate_type in VULNERABILITY_PREDICATES or SARIF_WORD in predicate_type.lower()


def _written(item: Item) -> str:
    notes = item.artifact.annotations
    return next((notes[key] for key in CREATED if notes.get(key)), "")


def _digest(report: JsonObject) -> str:
    """Which image it is about, before it is read: what is said of others is no trouble of this one."""
    artifact = report.get("artifact")
    return str(artifact.get("digest", "")) if isinstance(artifact, dict) else ""


def _about(reports: Iterable[ScanReport], digest: Digest) -> tuple[ScanReport, ...]:
    return tuple(one for one in reports if digest in one.digests)
