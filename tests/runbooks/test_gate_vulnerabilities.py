"""The vulnerabilities gate: a recent scan of this very image shows nothing that nobody answers for."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.errors import NotFoundError
from bot.domain.image import Digest
from bot.domain.outcome import Failed, Succeeded
from bot.ports.image_registry import Place as Where
from bot.sandbox.registry.blob import Blob
from runbooks.gates.vulnerabilities import VulnerabilitiesSpec
from tests.fakes.clock import START
from tests.runbooks.scan_desk import Desk, lines
from tests.runbooks.scans import (
    CRITICAL,
    HIGH,
    LOW,
    SARIF,
    SCANNED,
    STRANGE,
    UNFIXED,
    VULN,
    blob,
    exception,
    operators,
    predicate,
    sarif,
    trivy,
)
from tests.signing import KeyHolder, statement


@pytest.mark.parametrize("kind", ["trivy", "cosign-vuln", "sarif"])
async def test_a_clean_report_passes(kind: str) -> None:
    """In each form that Trivy attaches."""
    desk = Desk()
    made = {"trivy": trivy, "cosign-vuln": predicate, "sarif": sarif}[kind](desk.digest, LOW)
    times = {"org.opencontainers.artifact.created": SCANNED.isoformat()}
    desk.attach(blob(made, SARIF if kind == "sarif" else "application/json"), annotations=times)
    assert await desk.asked() == Succeeded("no HIGH")


@pytest.mark.parametrize("kind", ["trivy", "cosign-vuln", "sarif"])
async def test_findings_are_counted_and_named(kind: str) -> None:
    """With component, versions and link, the worst first."""
    desk = Desk()
    made = {"trivy": trivy, "cosign-vuln": predicate, "sarif": sarif}[kind](desk.digest, HIGH, UNFIXED, CRITICAL, LOW)
    times = {"org.opencontainers.image.created": SCANNED.isoformat()}
    desk.attach(blob(made, SARIF if kind == "sarif" else "application/json"), annotations=times)
    outcome = await desk.asked()
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("2 HIGH, 1 CRITICAL; update the components, or write who answers for them")
    assert outcome.link == "https://avd.aquasec.com/nvd/cve-2026-2"
    assert lines(outcome).splitlines() == [
        "CRITICAL CVE-2026-2 libssl3 3.0.1 → 1.4 https://avd.aquasec.com/nvd/cve-2026-2",
        "HIGH CVE-2026-1 libssl3 3.0.1 → 3.0.2 https://avd.aquasec.com/nvd/cve-2026-1",
        "HIGH CVE-2026-3 libssl3 3.0.1 → no fix yet https://avd.aquasec.com/nvd/cve-2026-3",
    ]


async def test_a_long_list_is_cut() -> None:
    """The rest is counted."""
    desk = Desk()
    desk.attach(blob(trivy(desk.digest, *((f"CVE-{number}", "HIGH", "1") for number in range(30)))))
    assert lines(await desk.asked()).endswith("\nand 10 more")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "1 UNKNOWN, 2 HIGH"),
        ({"fixable_only": True}, "1 UNKNOWN, 1 HIGH"),
        ({"unknown_counts": False}, "2 HIGH"),
        ({"threshold": "LOW"}, "1 UNKNOWN, 1 LOW, 2 HIGH"),
        ({"threshold": "CRITICAL"}, "1 UNKNOWN"),
        ({"threshold": "CRITICAL", "unknown_counts": False}, "no CRITICAL"),
        ({"threshold": "UNKNOWN", "unknown_counts": False}, "1 UNKNOWN, 1 LOW, 2 HIGH"),
    ],
)
async def test_the_threshold_decides(params: dict[str, Any], said: str) -> None:
    """What nobody has rated counts as bad unless the runbook says otherwise."""
    desk = Desk()
    desk.attach(blob(trivy(desk.digest, HIGH, UNFIXED, LOW, STRANGE)))
    outcome = await desk.asked(**params)
    assert said in (outcome.said if isinstance(outcome, Succeeded) else f"{outcome}")


async def test_an_exception_is_shown_with_who_answers_for_it() -> None:
    """Until its last day has passed."""
    desk = Desk()
    desk.attach(blob(trivy(desk.digest, HIGH)))
    outcome = await desk.asked(exceptions=[exception(until="2026-03-02")])
    assert isinstance(outcome, Succeeded)
    assert outcome.said == "no HIGH, 1 excepted"
    assert "excepted: HIGH CVE-2026-1" in lines(outcome)
    assert lines(outcome).endswith("CVE-2026-1 until 2026-03-02 (not reachable; @ann)")


async def test_an_exception_that_is_over_fails_with_its_words() -> None:
    """So that whoever gave it can decide anew."""
    desk = Desk()
    desk.attach(blob(trivy(desk.digest, HIGH)))
    outcome = await desk.asked(exceptions=[exception(until="2026-03-01")])
    assert isinstance(outcome, Failed)
    assert "the exception is over: CVE-2026-1 until 2026-03-01 (not reachable; @ann)" in outcome.reason


async def test_a_new_exception_beside_one_that_is_over_holds() -> None:
    """It was decided anew."""
    desk = Desk()
    desk.attach(blob(trivy(desk.digest, HIGH)))
    assert isinstance(await desk.asked(exceptions=[exception(until="2026-03-01"), exception()]), Succeeded)


async def test_the_newest_report_counts() -> None:
    """Last night's, not that of the build."""
    desk = Desk()
    desk.attach(blob(trivy(desk.digest, at=SCANNED - timedelta(days=1))), blob(trivy(desk.digest, HIGH)))
    assert isinstance(await desk.asked(), Failed)


async def test_reports_of_every_platform_count_for_an_index() -> None:
    """Each of them, and what hangs at the index besides."""
    desk = Desk("linux/amd64", "linux/arm64")
    amd64, arm64 = await desk.image_of("linux/amd64"), await desk.image_of("linux/arm64")
    desk.attach(blob(trivy(amd64)), to=amd64)
    missing = await desk.asked()
    assert isinstance(missing, Failed)
    assert missing.reason.startswith(
        "there is no scan report of this image for linux/arm64; attach one, as with `trivy"
    )
    desk.attach(blob(trivy(arm64)), to=arm64)
    assert await desk.asked() == Succeeded("no HIGH")
    desk.attach(blob(trivy(desk.digest, CRITICAL)))
    assert isinstance(await desk.asked(), Failed)


async def test_a_report_at_the_index_counts_for_the_whole() -> None:
    """As scanners attach it that were given the tag."""
    desk = Desk("linux/amd64", "linux/arm64")
    desk.attach(blob(trivy(desk.digest)))
    assert await desk.asked() == Succeeded("no HIGH")


@pytest.mark.parametrize("at_the_index", [True, False])
async def test_a_report_of_one_platform_is_none_of_another(*, at_the_index: bool) -> None:
    """Wherever somebody attached it: the other image was never looked at."""
    desk = Desk("linux/amd64", "linux/arm64")
    amd64, arm64 = await desk.image_of("linux/amd64"), await desk.image_of("linux/arm64")
    desk.attach(blob(trivy(amd64)), to=amd64)
    desk.attach(blob(trivy(amd64)), to=desk.digest if at_the_index else arm64)
    found = await desk.asked()
    assert isinstance(found, Failed)
    assert "there is no scan report of this image for linux/arm64" in found.reason
    assert "is a report about another image" in found.reason


async def test_a_file_that_oras_attached_is_read() -> None:
    """Its layer says nothing of what it is; the artifact does."""
    desk = Desk()
    made = blob(trivy(desk.digest), "application/vnd.oci.image.layer.v1.tar")
    desk.attach(made, artifact_type="application/vnd.acme.scan+json")
    assert await desk.asked() == Succeeded("no HIGH")


async def test_what_is_no_report_is_left_alone() -> None:
    """Lists of parts, signatures, other people's documents."""
    desk = Desk()
    desk.attach(
        blob({"bomFormat": "CycloneDX"}, "application/vnd.cyclonedx+json"),
        blob({"hello": "world"}),
        blob(["a list"], "text/plain"),
        blob({"payloadType": "x", "payload": "e30="}, "application/vnd.in-toto+json"),
        blob(trivy(desk.digest)),
    )
    desk.attach(Blob(b"not json", "application/json"), place=Where.SBOM)
    assert await desk.asked() == Succeeded("no HIGH")


async def test_a_signed_attestation_is_read(tmp_path: Path) -> None:
    """As cosign attaches it, in both of its forms; without `signed` whoever signed it."""
    for form in ("bundle", "attestation"):
        desk, ann = Desk(), KeyHolder(tmp_path)
        made = getattr(ann, form)(statement(desk.digest, VULN, predicate(desk.digest)))
        desk.attach(made, place=Where.ATTESTATION if form == "attestation" else Where.REFERRERS)
        assert await desk.asked() == Succeeded("no HIGH")
        assert await desk.asked(signed=True, signatures=keyed(ann)) == Succeeded("no HIGH")


async def test_with_signed_nobody_elses_report_counts(tmp_path: Path) -> None:
    """A bare report, and a better one of somebody else, change nothing."""
    desk, ann, mallory = Desk(), KeyHolder(tmp_path), KeyHolder(tmp_path, "mallory")
    desk.attach(blob(trivy(desk.digest)))
    desk.attach(mallory.bundle(statement(desk.digest, VULN, predicate(desk.digest, at=START))))
    desk.attach(Blob(b"{", "application/vnd.dev.sigstore.bundle.v0.3+json"))
    outcome = await desk.asked(signed=True, signatures=keyed(ann))
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("there is no signed scan report of this image; attach one, as with `cosign attest")
    assert "not signed by the key in" in outcome.reason
    desk.attach(ann.bundle(statement(desk.digest, VULN, predicate(desk.digest, HIGH))))
    assert isinstance(await desk.asked(signed=True, signatures=keyed(ann)), Failed)


def keyed(ann: KeyHolder) -> dict[str, str]:
    """The catalogue's `signatures`, as a plan holds them."""
    return {"key_file": ann.policy.key_file}


async def test_the_operators_report_counts_where_the_service_runs() -> None:
    """In any of its namespaces; the newest."""
    desk = Desk()
    desk.place.cluster.scan_reports = {"staging": [operators(desk.digest), {"artifact": {}}]}
    assert await desk.asked(source="cluster") == Succeeded("no HIGH")
    assert isinstance(await desk.asked(source="image"), Failed)
    desk.place.cluster.scan_reports["prod"] = [operators(desk.digest, CRITICAL, at=START)]
    outcome = await desk.asked(source="cluster")
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("1 CRITICAL")


async def test_a_cluster_without_the_operator_is_named() -> None:
    """With what to do."""
    outcome = await Desk().asked(source="cluster")
    assert isinstance(outcome, Failed)
    assert "install the Trivy Operator there" in outcome.reason


async def test_either_looks_into_the_cluster_only_where_the_registry_has_none() -> None:
    """A report in the registry is enough."""
    desk = Desk()
    desk.place.cluster.scan_reports = {"staging": [operators(desk.digest, CRITICAL)]}
    assert isinstance(await desk.asked(source="either"), Failed)
    desk.attach(blob(trivy(desk.digest)))
    assert await desk.asked(source="either") == Succeeded("no HIGH")


async def test_an_image_that_is_gone_does_not_pass() -> None:
    """Whatever was said of it."""
    desk = Desk()
    desk.place.plan = replace(
        desk.place.plan, artifact=replace(desk.place.plan.artifact, digest=Digest(f"sha256:{'0' * 64}"))
    )
    with pytest.raises(NotFoundError):
        await desk.asked()


def test_it_is_read_aloud() -> None:
    """With what was asked for."""
    assert VulnerabilitiesSpec().read_aloud() == (
        "A scan report attached to the image, at most 7d old, must show nothing HIGH or worse."
    )
    asked = VulnerabilitiesSpec.model_validate({"threshold": "CRITICAL", "fixable_only": True, "source": "either"})
    assert (
        asked.read_aloud()
        == "A scan report of the image, at most 7d old, must show nothing CRITICAL that could be fixed."
    )


def test_what_is_signed_is_in_the_registry() -> None:
    """A report in a cluster carries no signature."""
    with pytest.raises(ValidationError, match="reports in a cluster are not signed"):
        VulnerabilitiesSpec.model_validate({"signed": True, "source": "either"})
