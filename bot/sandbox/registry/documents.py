"""What builds attach to images: scan reports and descriptions of APIs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.image import Digest
from bot.sandbox.registry.blob import Blob

TRIVY = "application/vnd.aquasec.trivy.report+json"
"""The type under which a report is attached (`oras attach`)."""

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
    found = [
        {
            "VulnerabilityID": one.id,
            "PkgName": one.package,
            "InstalledVersion": one.installed,
            "FixedVersion": one.fixed,
            "Severity": one.severity,
            "PrimaryURL": f"https://avd.aquasec.com/nvd/{one.id.lower()}",
        }
        for one in findings
    ]
    result = {"Target": f"{image} (debian 12.9)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found}
    report = {
        "SchemaVersion": 2,
        "CreatedAt": at.isoformat(),
        "ArtifactName": image,
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"{image.partition('@')[0]}@{digest}"]},
        "Results": [result],
    }
    return Blob(json.dumps(report).encode(), TRIVY)


def openapi_document(document: Mapping[str, Any]) -> Blob:
    """A description of an API, as the gate `compatibility` looks for it."""
    return Blob(json.dumps(document).encode(), OPENAPI)
