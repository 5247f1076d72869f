"""What builds attach to images: scan reports, where they were built, and descriptions of APIs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.image import Digest
from bot.sandbox.registry.blob import Blob

TRIVY = "application/vnd.aquasec.trivy.report+json"
"""The type under which a report is attached (`oras attach`)."""

BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1"
OPENAPI = "application/vnd.oai.openapi+json"


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A finding. `severity` is Trivy's word, such as HIGH."""

    id: str
    severity: str
    package: str = "openssl"
    installed: str = "3.0.1"
    fixed: str = ""


def trivy_report(image: str, digest: Digest, findings: Sequence[Vulnerability], *, at: datetime) -> Blob:
    """A report as `trivy image --format json` writes it (aquasecurity/trivy, pkg/types/report.go)."""
    return Blob(json.dumps(_trivy(image, digest, findings, at=at)).encode(), TRIVY)


def vulnerability_predicate(
    image: str, digest: Digest, findings: Sequence[Vulnerability], *, at: datetime
) -> dict[str, Any]:
    """The same as `trivy image --format cosign-vuln` writes it, to be attested (cosign,
    specs/COSIGN_VULN_ATTESTATION_SPEC.md)."""
    times = {"scanStartedOn": at.isoformat(), "scanFinishedOn": at.isoformat()}
    scanner = {"uri": "pkg:github/aquasecurity/trivy", "result": _trivy(image, digest, findings, at=at)}
    return {"invocation": {}, "scanner": scanner, "metadata": times}


def operator_report(digest: Digest, findings: Sequence[Vulnerability], *, at: datetime) -> dict[str, Any]:
    """The `report` of a VulnerabilityReport (aquasecurity/trivy-operator, docs/docs/crds/vulnerability-report.md)."""
    found = [
        {
            "vulnerabilityID": one.id,
            "resource": one.package,
            "installedVersion": one.installed,
            "fixedVersion": one.fixed,
            "severity": one.severity,
            "primaryLink": _link(one),
        }
        for one in findings
    ]
    return {"artifact": {"digest": digest}, "updateTimestamp": at.isoformat(), "vulnerabilities": found}


def slsa_provenance(builder: str, source: str, commit: str) -> dict[str, Any]:
    """Who built it, and of which commit of `source` (a repository without scheme): slsa.dev/spec/v1.0/provenance."""
    uri = f"git+https://{source}"
    dependency = {"uri": uri, "digest": {"gitCommit": commit}}
    return {
        "buildDefinition": {"buildType": BUILD_TYPE, "externalParameters": {}, "resolvedDependencies": [dependency]},
        "runDetails": {"builder": {"id": builder}},
    }


def _trivy(image: str, digest: Digest, findings: Sequence[Vulnerability], *, at: datetime) -> dict[str, Any]:
    found = [
        {
            "VulnerabilityID": one.id,
            "PkgName": one.package,
            "InstalledVersion": one.installed,
            "FixedVersion": one.fixed,
            "Severity": one.severity,
            "PrimaryURL": _link(one),
        }
        for one in findings
    ]
    result = {"Target": f"{image} (debian 12.9)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found}
    return {
        "SchemaVersion": 2,
        "CreatedAt": at.isoformat(),
        "ArtifactName": image,
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"{image.partition('@')[0]}@{digest}"]},
        "Results": [result],
    }


def _link(found: Vulnerability) -> str:
    return f"https://avd.aquasec.com/nvd/{found.id.lower()}"


def openapi_document(document: Mapping[str, Any]) -> Blob:
    """A description of an API, as the gate `compatibility` looks for it."""
    return Blob(json.dumps(document).encode(), OPENAPI)
