"""Scan reports read into what they mean, where they are odd and yet say enough, or do not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import UnreadableError
from bot.domain.vulnerability import Severity, tally
from runbooks.scan_reports import digests_in, moment, parsed, read_cluster_report, read_report
from runbooks.statements import IN_TOTO, read_statement, unsigned_payload
from tests.builders import DIGEST
from tests.fakes.clock import START
from tests.runbooks.scans import HIGH, LOW, SCANNED, STRANGE, UNFIXED, operators, sarif, trivy


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-02T06:00:00Z", datetime(2026, 3, 2, 6, tzinfo=UTC)),
        ("2026-03-02T07:00:00.123456789+01:00", datetime(2026, 3, 2, 6, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-02T06:00:00", datetime(2026, 3, 2, 6, tzinfo=UTC)),
        (1629894030, datetime(2021, 8, 25, 12, 20, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_as_go_writes_them(written: Any, read: datetime | None) -> None:
    """Nanoseconds, offsets, seconds since 1970, and its zero, which is no time."""
    assert moment(written, "x") == read


@pytest.mark.parametrize("written", ["soon", "2026-13-01", 10**30, "+"])
def test_what_is_no_time_is_unreadable(written: Any) -> None:
    """A report of no known age has none that would be right."""
    with pytest.raises(UnreadableError, match="which is no time"):
        moment(written, "x")


def test_only_whole_digests_bind() -> None:
    """A tag or an image's id in their place binds nothing."""
    assert digests_in([f"a/b@{DIGEST}", "a/b:v1", "sha256:12", DIGEST]) == {DIGEST}


def test_a_severity_is_what_it_says_in_any_case() -> None:
    """What nobody knows is UNKNOWN."""
    said = [Severity.of(one) for one in ("high", " CRITICAL ", "", None, 7, "negligible")]
    assert said == [Severity.HIGH, Severity.CRITICAL, *[Severity.UNKNOWN] * 4]


def test_a_report_is_counted_the_worst_last() -> None:
    """As the message shows it."""
    report = read_report(trivy(DIGEST, HIGH, UNFIXED, LOW, STRANGE), "x")
    assert report
    assert tally(report.findings) == "1 UNKNOWN, 1 LOW, 2 HIGH"


def test_a_link_must_be_one() -> None:
    """Whoever pushes a report writes it."""
    document = trivy(DIGEST, HIGH)
    document["Results"][0]["Vulnerabilities"][0]["PrimaryURL"] = "javascript:alert(1)"
    report = read_report(document, "x")
    assert report
    assert report.findings[0].link == ""


def test_sarif_tells_of_vulnerabilities_only() -> None:
    """Secrets and licences are another gate's; a rule without a sort counts as the worst it may be."""
    document = sarif(DIGEST, HIGH, LOW, STRANGE)
    rules = document["runs"][0]["tool"]["driver"]["rules"]
    rules[0]["properties"]["tags"] = ["secret", "security", "CRITICAL"]
    rules[1]["properties"] = {}
    report = read_report(document, "x")
    assert report
    assert [(one.id, one.severity) for one in report.findings] == [
        (LOW[0], Severity.UNKNOWN),
        (STRANGE[0], Severity.UNKNOWN),
    ]


def test_sarif_may_say_itself_when_it_was_made() -> None:
    """Its own word wins over the annotation's."""
    ran = [{"executionSuccessful": True, "endTimeUtc": "2026-03-02T06:00:00Z"}]
    report = read_report(sarif(DIGEST, invocations=ran), "x", written=START.isoformat())
    assert report
    assert report.created == SCANNED


def test_what_is_something_else_is_no_report() -> None:
    """A list of parts, for one."""
    assert read_report({"bomFormat": "CycloneDX"}, "x") is None


@pytest.mark.parametrize("change", [{"artifact": None}, {"vulnerabilities": None}, {"updateTimestamp": "soon"}])
def test_a_broken_report_of_the_operator_is_unreadable(change: dict[str, Any]) -> None:
    """Nothing in it is guessed."""
    with pytest.raises(UnreadableError):
        read_cluster_report(operators(DIGEST) | change, "x")


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b'{"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x"}',
        b'{"_type": "https://evil.test/Statement", "subject": [{"digest": {}}], "predicateType": "x"}',
    ],
)
def test_what_is_no_statement_is_unreadable(payload: bytes) -> None:
    """Though somebody may have signed it once."""
    with pytest.raises(UnreadableError):
        read_statement(payload, IN_TOTO, "x")


def test_an_envelope_is_opened_whoever_signed_it() -> None:
    """Alone, or in a bundle; what has none is nothing."""
    assert unsigned_payload(b'{"payloadType": "t", "payload": "aGk="}', "x") == ("t", b"hi")
    assert unsigned_payload(b'{"dsseEnvelope": {"payloadType": "t", "payload": "aGk="}}', "x") == ("t", b"hi")
    assert unsigned_payload(b'{"messageSignature": {}}', "x") == ("", b"")
    with pytest.raises(UnreadableError, match="not base64"):
        unsigned_payload(b'{"payload": "%"}', "x")
    with pytest.raises(UnreadableError, match="not a JSON object"):
        parsed(b"7", "x")
