"""Scan reports as Trivy and its operator write them, read into what they mean. Pure.

Sources: aquasecurity/trivy, pkg/types/report.go, pkg/report/predicate/vuln.go (`--format cosign-vuln`); cosign,
specs/COSIGN_VULN_ATTESTATION_SPEC.md; aquasecurity/trivy-operator, docs/docs/crds/vulnerability-report.md. Unknown
fields are ignored; what a verdict hangs on must be there.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel, to_pascal

from bot.domain.errors import UnreadableError
from bot.domain.image import DIGEST, Digest
from bot.domain.json import JsonObject
from bot.domain.vulnerability import Finding, ScanReport, Severity
from runbooks import sarif

LONGEST = 120
"""Characters of a name or a version that are shown: whoever pushes a report writes them."""

PACKAGES = frozenset({"os-pkgs", "lang-pkgs"})
"""Classes of results that are about packages (aquasecurity/trivy, pkg/types/report.go)."""

NO_TIME = "0001-01-01"
"""Go's zero time, which Trivy writes where it knows none."""


class _Trivy(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal, populate_by_name=True)


class _Vulnerability(_Trivy):
    vulnerability_id: str = Field(alias="VulnerabilityID")
    pkg_name: str
    installed_version: str = ""
    fixed_version: str = ""
    severity: str = ""
    primary_url: str = Field(default="", alias="PrimaryURL")


class _Result(_Trivy):
    target: str
    class_: str = Field(default="", alias="Class")
    vulnerabilities: tuple[_Vulnerability, ...] | None = None

    @property
    def looked(self) -> bool:
        """Whether packages were looked at: a scan for secrets or settings alone says nothing of vulnerabilities."""
        return self.class_ in PACKAGES or self.vulnerabilities is not None


class _Metadata(_Trivy):
    repo_digests: tuple[str, ...] | None = None


class _Report(_Trivy):
    schema_version: int
    artifact_type: str
    created_at: str | int | None = None
    metadata: _Metadata = _Metadata()
    results: tuple[_Result, ...] | None = None


class _Camel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class _Scanner(_Camel):
    result: _Report


class _ScanTimes(_Camel):
    scan_finished_on: str = ""


class _Predicate(_Camel):
    scanner: _Scanner
    metadata: _ScanTimes = _ScanTimes()


class _Artifact(_Camel):
    digest: str = ""


class _ClusterVulnerability(_Camel):
    vulnerability_id: str = Field(alias="vulnerabilityID")
    resource: str
    installed_version: str = ""
    fixed_version: str = ""
    severity: str = ""
    primary_link: str = ""


class _ClusterReport(_Camel):
    artifact: _Artifact
    update_timestamp: str = ""
    vulnerabilities: tuple[_ClusterVulnerability, ...]


Model = TypeVar("Model", bound=BaseModel)


def parsed(body: bytes, source: str) -> JsonObject:
    """A JSON object. Raises UnreadableError naming `source`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise UnreadableError(f"{source} is not JSON") from exc
    if not isinstance(found, dict):
        raise UnreadableError(f"{source} is not a JSON object")
    return found


def read_report(document: JsonObject, source: str, *, written: str = "") -> ScanReport | None:
    """A Trivy report, a cosign vulnerability predicate or SARIF; `None`: it is something else.

    `written` is when whoever attached it says that it was made, for reports without a time of their own. Raises
    UnreadableError for one of these that is broken, or that tells of no finished scan.
    """
    if sarif.is_sarif(document):
        return sarif.read_sarif(document, source, written=moment(written, source))
    if "scanner" in document:
        predicate = _model(_Predicate, document, source)
        return _trivy(predicate.scanner.result, source, predicate.metadata.scan_finished_on or written)
    if "SchemaVersion" in document:
        return _trivy(_model(_Report, document, source), source, written)
    return None


def read_cluster_report(document: JsonObject, source: str) -> ScanReport:
    """The `report` of a VulnerabilityReport. Raises UnreadableError.

    Its digest is that of the image reference of the pod. For a pod without one the operator writes the image's id there
    (pkg/plugins/trivy/plugin.go, `parseImageRef`), which is the digest of no manifest, and so matches none.
    """
    report = _model(_ClusterReport, document, source)
    return ScanReport(
        digests=digests_in([report.artifact.digest]),
        created=moment(report.update_timestamp, source),
        findings=tuple(
            _finding(
                one.vulnerability_id,
                one.resource,
                (one.installed_version, one.fixed_version),
                one.severity,
                link=one.primary_link,
            )
            for one in report.vulnerabilities
        ),
        source=source,
    )


def moment(written: str | int | None, source: str) -> datetime | None:
    """A time in RFC 3339, or in Unix seconds; `None` for none. Raises UnreadableError. Without an offset: UTC."""
    if not written or str(written).startswith(NO_TIME):
        return None
    try:
        if isinstance(written, int):
            return datetime.fromtimestamp(written, UTC)
        read = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError) as exc:
        raise UnreadableError(f"{source} says it was made at '{str(written)[:40]}', which is no time") from exc
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def digests_in(references: Iterable[str]) -> frozenset[Digest]:
    """The digests of image references, or digests themselves."""
    found = (reference.rpartition("@")[2] for reference in references)
    return frozenset(Digest(one) for one in found if DIGEST.fullmatch(one))


def _trivy(report: _Report, source: str, written: str) -> ScanReport:
    if report.artifact_type != "container_image":
        raise UnreadableError(f"{source} is about a {report.artifact_type[:40] or 'thing'}, not about an image")
    results = report.results or ()
    if not any(result.looked for result in results):
        # Trivy leaves `Results` out where it found nothing that it knows how to look at, or was stopped.
        raise UnreadableError(f"{source} has no results about packages: the scan looked at none, or failed")
    return ScanReport(
        digests=digests_in(report.metadata.repo_digests or ()),
        created=moment(report.created_at, source) or moment(written, source),
        findings=tuple(
            _finding(
                one.vulnerability_id,
                one.pkg_name,
                (one.installed_version, one.fixed_version),
                one.severity,
                link=one.primary_url,
            )
            for result in results
            for one in result.vulnerabilities or ()
        ),
        source=source,
    )


def _finding(name: str, component: str, versions: tuple[str, str], severity: str, *, link: str) -> Finding:
    installed, fixed = versions
    return Finding(
        name.strip()[:LONGEST],
        component.strip()[:LONGEST],
        installed.strip()[:LONGEST],
        fixed.strip()[:LONGEST],
        Severity.of(severity),
        link if link.startswith(("https://", "http://")) else "",
    )


def _model(model: type[Model], document: JsonObject, source: str) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        fault = exc.errors(include_url=False, include_context=False)[0]
        at = ".".join(str(part) for part in fault["loc"])
        raise UnreadableError(f"{source} is no report: '{at[:LONGEST]}': {fault['msg']}") from exc
