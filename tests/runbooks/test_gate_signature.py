"""The signature gate: the digest that will run is signed by whom the catalogue trusts, and built as it says."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.image import Digest
from bot.domain.outcome import Evidence, Failed, Outcome, Succeeded
from bot.ports.image_registry import Place as Where
from bot.ports.signatures import SignedBy
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import Attestations
from runbooks.gates.signature import SignatureGate, SignatureSpec
from runbooks.provenance import SLSA_V02, SLSA_V1
from tests.builders import REPOSITORY, a_plan
from tests.fakes.image_registry import FakeRegistry
from tests.runbooks.passes import Place
from tests.runbooks.scans import VULN, predicate
from tests.signing import WORKFLOW, KeyHolder, other, provenance, provenance_v02, statement
from tests.sigstore import Sigstore

COMMIT = "9f2c1e7" + "0" * 33
SOURCE = {"builder": WORKFLOW, "source": "github.com/acme/api"}


class Desk:
    """An image of a commit in a registry, and the gate."""

    def __init__(self, by: SignedBy, *platforms: str, commit: str = COMMIT, ref: str = "v2") -> None:
        self.registry = FakeRegistry()
        self.by = by
        self.digest = self.registry.push(REPOSITORY, "v2", platforms=platforms or ("linux/amd64",))
        image = f"{REPOSITORY}:v2@{self.digest}"
        self.place = Place(artifact=replace(a_plan().artifact, image=image, digest=self.digest, commit=commit))
        plan = self.place.plan
        self.place.plan = replace(plan, artifact=replace(plan.artifact, ref=ref))
        self.gate = SignatureGate(Attestations(self.registry, SigstoreSignatures()))

    def attach(self, *blobs: Blob, to: Digest | None = None, place: Where = Where.REFERRERS) -> None:
        """Attach to the image each as an artifact of its own."""
        for one in blobs:
            self.registry.attach(REPOSITORY, to or self.digest, [one], place=place)

    async def asked(self, **provenance: Any) -> Outcome:
        """What the gate says, with these rules for provenance."""
        who = (
            {"key_file": self.by.key_file}
            if self.by.key_file
            else {"issuer": self.by.issuer, "subject": self.by.subject, "trusted_root_file": self.by.trusted_root_file}
        )
        params = {"signatures": {**who, "provenance": provenance}}
        return await self.gate.reconcile(self.place.context("signature", params))


@pytest.fixture
def ann(tmp_path: Path) -> KeyHolder:
    """Whose key the catalogue names."""
    return KeyHolder(tmp_path)


@pytest.fixture
def desk(ann: KeyHolder) -> Desk:
    """An image that ann should have signed."""
    return Desk(ann.policy)


async def test_cosigns_tag_is_a_signature(desk: Desk, ann: KeyHolder) -> None:
    """Of cosign before 3, by key; the figure is short, the evidence says who."""
    desk.attach(ann.simple(desk.digest), place=Where.SIGNATURE)
    assert await desk.asked() == Succeeded(
        "signed", evidence=(Evidence("Signature", (f"signed by the key in {ann.policy.key_file}",)),)
    )


async def test_a_bundle_is_a_signature(desk: Desk, ann: KeyHolder) -> None:
    """Of cosign 3, among the referrers."""
    desk.attach(ann.bundle(statement(desk.digest)))
    assert isinstance(await desk.asked(), Succeeded)


async def test_the_simple_payload_of_cosign_3_is_one_too(desk: Desk, ann: KeyHolder) -> None:
    """Its type has another name."""
    desk.attach(ann.simple(desk.digest, kind="https://sigstore.dev/cosign/sign/v1"))
    assert isinstance(await desk.asked(), Succeeded)


@pytest.mark.parametrize("form", ["simple", "bundle"])
async def test_an_identity_signs(form: str, tmp_path: Path) -> None:
    """Of a build, in both forms."""
    sigstore = Sigstore(tmp_path)
    desk, ci = Desk(sigstore.policy()), sigstore.signer()
    desk.attach(ci.simple(desk.digest) if form == "simple" else ci.bundle(statement(desk.digest)))
    outcome = await desk.asked()
    assert isinstance(outcome, Succeeded)
    assert outcome.evidence[0].lines == (f"signed by {WORKFLOW}",)


async def test_an_attestation_is_no_signature(desk: Desk, ann: KeyHolder) -> None:
    """Whoever only scanned it has not released it, though the key is the same."""
    desk.attach(ann.bundle(statement(desk.digest, VULN, predicate(desk.digest))))
    desk.attach(ann.attestation(statement(desk.digest, SLSA_V1, provenance())), place=Where.ATTESTATION)
    outcome = await desk.asked()
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("the image is not signed by the key in ")
    assert "; sign it with `cosign sign --key" in outcome.reason


async def test_others_signatures_beside_do_no_harm(desk: Desk, ann: KeyHolder, tmp_path: Path) -> None:
    """Whoever may push can attach what they like; only ours counts."""
    mallory = KeyHolder(tmp_path, "mallory")
    desk.attach(mallory.simple(desk.digest), Blob(b"{", "application/vnd.dev.sigstore.bundle.v0.3+json"))
    refused = await desk.asked()
    assert isinstance(refused, Failed)
    assert "not counted: the signature is not of the key in" in refused.reason
    desk.attach(ann.simple(desk.digest))
    assert isinstance(await desk.asked(), Succeeded)


async def test_the_index_must_be_signed_not_its_images(ann: KeyHolder) -> None:
    """Pods pull by the index; a signature at one image says nothing of the others."""
    desk = Desk(ann.policy, "linux/amd64", "linux/arm64")
    images = (await desk.registry.resolve(REPOSITORY, desk.digest)).manifests
    for image in images.values():
        desk.attach(ann.simple(image), to=image)
    assert isinstance(await desk.asked(), Failed)
    desk.attach(ann.simple(desk.digest))
    assert isinstance(await desk.asked(), Succeeded)


@pytest.mark.parametrize(("kind", "made"), [(SLSA_V1, provenance), (SLSA_V02, provenance_v02)])
async def test_provenance_that_fits_is_told(kind: str, made: Any, desk: Desk, ann: KeyHolder) -> None:
    """Builder, repository and commit."""
    desk.attach(ann.simple(desk.digest), ann.bundle(statement(desk.digest, kind, made())))
    outcome = await desk.asked(required=True, **SOURCE)
    assert isinstance(outcome, Succeeded)
    assert outcome.said == "signed, provenance fits"
    assert outcome.evidence[0].lines[1] == f"built by {WORKFLOW} of github.com/acme/api@9f2c1e700000"


WRONG: list[tuple[Mapping[str, str], str]] = [
    ({"builder": "https://evil.test/builder"}, "it was built by https://evil.test/builder, not by"),
    ({"source": "https://github.com/acme/api-evil"}, "it was built of github.com/acme/api-evil, not of"),
    ({"source": "https://github.com.evil.test/acme/api"}, "it was built of github.com.evil.test/acme/api, not of"),
    ({"commit": "a" * 40}, "it was built of commit aaaaaaaaaaaa, not of 9f2c1e700000"),
    ({"commit": "main"}, "it was built of "),
]


@pytest.mark.parametrize("made", [provenance, provenance_v02])
@pytest.mark.parametrize(("change", "said"), WRONG)
async def test_provenance_that_does_not_fit_fails(
    change: Mapping[str, str], said: str, made: Any, desk: Desk, ann: KeyHolder
) -> None:
    """Whether it is required or only there."""
    kind = SLSA_V1 if made is provenance else SLSA_V02
    desk.attach(ann.simple(desk.digest), ann.bundle(statement(desk.digest, kind, made(**change))))
    outcome = await desk.asked(**SOURCE)
    assert isinstance(outcome, Failed)
    assert said in outcome.reason


async def test_a_second_provenance_must_fit_too(desk: Desk, ann: KeyHolder) -> None:
    """Two that disagree are one lie."""
    desk.attach(ann.simple(desk.digest), ann.bundle(statement(desk.digest, SLSA_V1, provenance())))
    desk.attach(ann.bundle(statement(desk.digest, SLSA_V1, provenance(commit="a" * 40))))
    assert isinstance(await desk.asked(**SOURCE), Failed)


async def test_provenance_may_be_absent_unless_it_is_required(desk: Desk, ann: KeyHolder, tmp_path: Path) -> None:
    """One of somebody else, or about another image, is none."""
    desk.attach(ann.simple(desk.digest))
    desk.attach(KeyHolder(tmp_path, "mallory").bundle(statement(desk.digest, SLSA_V1, provenance())))
    desk.attach(ann.bundle(statement(other(desk.digest), SLSA_V1, provenance())))
    assert isinstance(await desk.asked(**SOURCE), Succeeded)
    outcome = await desk.asked(required=True, **SOURCE)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("it has no provenance signed by the same; let the build attach one")


async def test_a_commit_that_was_typed_counts_where_the_image_names_none(ann: KeyHolder) -> None:
    """Its beginning is enough; where nobody knows a commit, none is compared."""
    for ref, good in ((COMMIT[:7], True), ("abcdef1", False), ("v2", True)):
        desk = Desk(ann.policy, commit="", ref=ref)
        desk.attach(ann.simple(desk.digest), ann.bundle(statement(desk.digest, SLSA_V1, provenance())))
        assert isinstance(await desk.asked(**SOURCE), Succeeded if good else Failed)


def test_it_is_read_aloud() -> None:
    """With whom, where the plan knows."""
    assert SignatureSpec().read_aloud() == "The image must be signed, by whom the catalogue says."
    who = {"issuer": "https://i.test", "subject": "ci", "provenance": {"required": True}}
    said = SignatureSpec.model_validate({"signatures": who}).read_aloud()
    assert said == "The image must be signed by ci (by https://i.test). Its provenance is required."
