"""Everything by which a bad, unknown or foreign report could slip through: the gate never passes it.

Nothing and a lie both stop; only a server that is away is asked again.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.outcome import Failed
from bot.sandbox.registry.blob import Blob
from runbooks.provenance import SLSA_V1
from tests.fakes.clock import START
from tests.runbooks.attacks import PATH, Attack, Tampering, asked, attacked, row
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
    statement,
    tampered,
)

SCANS: dict[str, Tampering] = {}


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


@pytest.mark.parametrize("name", SCANS)
async def test_no_such_scan_passes(name: str, tmp_path: Path) -> None:
    """Known bad fails with a reason; unknown is an error, or asked again."""
    attack = await attacked(tmp_path)
    await SCANS[name](attack)
    assert isinstance(await asked(attack, "vulnerabilities"), Failed | PermanentError | TemporaryError)
