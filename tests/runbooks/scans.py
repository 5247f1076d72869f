"""Scan reports as scanners write them, to be bent by the tests."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.registry.blob import Blob
from tests.fakes.clock import START

SCANNED = START - timedelta(hours=3)
"""Before the tests' now."""

VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
SARIF = "application/sarif+json"

Fault = tuple[str, str, str]
"""Id, severity, fixed version (empty: none)."""

HIGH: Fault = ("CVE-2026-1", "HIGH", "3.0.2")
CRITICAL: Fault = ("CVE-2026-2", "CRITICAL", "1.4")
UNFIXED: Fault = ("CVE-2026-3", "HIGH", "")
LOW: Fault = ("CVE-2026-4", "LOW", "9")
STRANGE: Fault = ("CVE-2026-5", "SPOOKY", "2")


def trivy(digest: str, *faults: Fault, at: datetime | None = SCANNED, **changes: Any) -> dict[str, Any]:
    """`trivy image --format json`."""
    found = [
        {
            "VulnerabilityID": name,
            "PkgName": "libssl3",
            "InstalledVersion": "3.0.1",
            "FixedVersion": fixed,
            "Severity": severity,
            "PrimaryURL": f"https://avd.aquasec.com/nvd/{name.lower()}",
        }
        for name, severity, fixed in faults
    ]
    result = {"Target": "api (alpine 3.20)", "Class": "os-pkgs", "Type": "alpine"}
    made = {
        "SchemaVersion": 2,
        "CreatedAt": at.isoformat() if at else None,
        "ArtifactName": "registry.example/acme/api",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"registry.example/acme/api@{digest}"]},
        "Results": [result | ({"Vulnerabilities": found} if found else {})],
    }
    return made | changes


def predicate(digest: str, *faults: Fault, at: datetime = SCANNED) -> dict[str, Any]:
    """`trivy image --format cosign-vuln`."""
    times = {"scanStartedOn": at.isoformat(), "scanFinishedOn": at.isoformat()}
    result = trivy(digest, *faults, at=None)
    return {
        "invocation": {},
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@0.57", "result": result},
        "metadata": times,
    }


def sarif(digest: str, *faults: Fault, **run: Any) -> dict[str, Any]:
    """`trivy image --format sarif`."""
    rules = [
        {
            "id": name,
            "helpUri": f"https://avd.aquasec.com/nvd/{name.lower()}",
            "properties": {"tags": ["vulnerability", "security", severity]},
        }
        for name, severity, _ in faults
    ]
    results = [
        {
            "ruleId": name,
            "level": "error",
            "message": {
                "text": f"Package: libssl3\nInstalled Version: 3.0.1\nVulnerability {name}\nSeverity: {severity}\n"
                f"Fixed Version: {fixed}\nLink: [{name}](https://avd.aquasec.com)"
            },
        }
        for name, severity, fixed in faults
    ]
    made = {
        "tool": {"driver": {"name": "Trivy", "rules": rules}},
        "results": results,
        "properties": {"repoDigests": [f"registry.example/acme/api@{digest}"]},
    }
    return {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [made | run]}


def operators(digest: str, *faults: Fault, at: datetime = SCANNED) -> dict[str, Any]:
    """The `report` of the Trivy Operator's VulnerabilityReport."""
    found = [
        {
            "vulnerabilityID": name,
            "resource": "libssl3",
            "installedVersion": "3.0.1",
            "fixedVersion": fixed,
            "severity": severity,
            "primaryLink": f"https://avd.aquasec.com/nvd/{name.lower()}",
            "title": "",
            "links": [],
        }
        for name, severity, fixed in faults
    ]
    return {
        "updateTimestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "artifact": {"repository": "acme/api", "digest": digest, "tag": "v2"},
        "registry": {"server": "registry.example"},
        "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "0.57.1"},
        "summary": {},
        "vulnerabilities": found,
    }


def blob(document: Any, media_type: str = "application/json") -> Blob:
    """A document as a layer."""
    return Blob(json.dumps(document).encode(), media_type)


def exception(name: str = HIGH[0], until: str = "2026-03-31", **changes: str) -> dict[str, str]:
    """An exception as a plan holds it."""
    return {"id": name, "reason": "not reachable", "author": "@ann", "until": until} | changes


def names(faults: Sequence[Fault]) -> list[str]:
    """Their ids."""
    return [name for name, _, _ in faults]
