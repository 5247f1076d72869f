"""Signatures by key and by identity, in all forms that cosign writes; and everything that is none."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bot.adapters.signing_identities import trusted_root
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.errors import PermanentError, RefusedError, UnreadableError, UntrustedError
from bot.domain.image import Digest
from bot.ports.signatures import Proof, Signed, SignedBy
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import CERTIFICATE_NOTE, LOG_NOTE, SIGNATURE_NOTE
from runbooks.statements import IN_TOTO
from tests.builders import DIGEST
from tests.signing import (
    GITHUB,
    SIGNED_AT,
    WORKFLOW,
    KeyHolder,
    PrivateKey,
    other,
    public_pem,
    statement,
    tampered,
)
from tests.sigstore import Sigstore

SIGNATURES = SigstoreSignatures()
MANIFEST = b'{"schemaVersion": 2}'
MANIFEST_DIGEST = Digest(f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}")


def proof(blob: Blob) -> Proof:
    """What stands beside a layer."""
    notes = blob.annotations
    return Proof(notes.get(SIGNATURE_NOTE, ""), notes.get(CERTIFICATE_NOTE, ""), notes.get(LOG_NOTE, ""))


def payload_of(blob: Blob, by: SignedBy) -> Signed:
    """Check a simple signature."""
    return SIGNATURES.payload(blob.content, proof(blob), by)


def envelope_of(blob: Blob, by: SignedBy) -> Signed:
    """Check an attestation of cosign's `.att` tag."""
    return SIGNATURES.envelope(blob.content, proof(blob), by)


def bundle_of(blob: Blob, by: SignedBy, digest: Digest = DIGEST) -> Signed:
    """Check a bundle."""
    return SIGNATURES.bundle(blob.content, digest, by)


KEYS: dict[str, Callable[[], PrivateKey]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_signs_in_every_form(kind: str, tmp_path: Path) -> None:
    """Simple signing, an attestation, a bundle."""
    ann = KeyHolder(tmp_path, key=KEYS[kind]())
    said = statement(DIGEST)
    assert payload_of(ann.simple(DIGEST), ann.policy).signer == f"the key in {tmp_path}/cosign.pub"
    assert envelope_of(ann.attestation(said), ann.policy) == Signed(str(ann.policy), IN_TOTO, said)
    assert bundle_of(ann.bundle(said), ann.policy) == Signed(str(ann.policy), IN_TOTO, said)


@pytest.mark.parametrize("kind", ["P-256", "RSA"])
def test_a_key_signs_a_manifest_itself(kind: str, tmp_path: Path) -> None:
    """Then its digest is all that is needed."""
    ann = KeyHolder(tmp_path, key=KEYS[kind]())
    assert bundle_of(ann.bare(MANIFEST), ann.policy, MANIFEST_DIGEST) == Signed(str(ann.policy))
    with pytest.raises(UntrustedError, match="not over this image"):
        bundle_of(ann.bare(MANIFEST), ann.policy, DIGEST)


def test_a_bare_signature_of_ed25519_cannot_be_checked(tmp_path: Path) -> None:
    """It is over the whole manifest, of which only the digest is at hand: no yes without looking."""
    ann = KeyHolder(tmp_path, key=KEYS["Ed25519"]())
    with pytest.raises(UntrustedError, match="cannot be checked by its digest"):
        bundle_of(ann.bare(MANIFEST), ann.policy, MANIFEST_DIGEST)


def test_another_key_proves_nothing(tmp_path: Path) -> None:
    """In any form."""
    ann, mallory = KeyHolder(tmp_path), KeyHolder(tmp_path, "mallory")
    said = statement(DIGEST)
    for check, blob in (
        (payload_of, mallory.simple(DIGEST)),
        (envelope_of, mallory.attestation(said)),
        (bundle_of, mallory.bundle(said)),
        (bundle_of, tampered(ann.bundle(said), DIGEST[7:].encode(), other(DIGEST)[7:].encode())),
        (envelope_of, tampered(ann.attestation(said), b"api", b"web")),
        (payload_of, Blob(b"{}", "", ann.simple(DIGEST).annotations)),
        (payload_of, Blob(ann.simple(DIGEST).content, "", {})),
    ):
        with pytest.raises(UntrustedError):
            check(blob, ann.policy)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"dsseEnvelope": {"payload": "e30="}}', b"\xff", b'{"messageSignature": 1}', b"[" * 9999],
)
def test_what_is_no_signature_is_unreadable(content: bytes, tmp_path: Path) -> None:
    """By key and by identity."""
    for by in (KeyHolder(tmp_path).policy, Sigstore(tmp_path).policy()):
        with pytest.raises(PermanentError):
            bundle_of(Blob(content, ""), by)
        with pytest.raises(UnreadableError):
            envelope_of(Blob(content, ""), by)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"hello", "holds no public key in PEM form"),
        (public_pem(ec.generate_private_key(ec.SECP384R1())), "of no kind that Sluice checks"),
        (public_pem(rsa.generate_private_key(65537, 1024)), "of no kind that Sluice checks"),
    ],
    ids=["no file", "no key", "P-384", "RSA 1024"],
)
def test_a_key_that_cannot_be_used_is_named(content: bytes | None, said: str, tmp_path: Path) -> None:
    """With its file, and what may stand there."""
    path = tmp_path / "key.pub"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RefusedError, match=f"{path} ?.*{said}"):
        payload_of(KeyHolder(tmp_path).simple(DIGEST), SignedBy(key_file=str(path)))


def test_an_identity_signs_in_every_form(tmp_path: Path) -> None:
    """Cosign's old annotations, and the new bundle; nobody is asked."""
    sigstore = Sigstore(tmp_path)
    ci, by, said = sigstore.signer(), sigstore.policy(), statement(DIGEST)
    assert payload_of(ci.simple(DIGEST), by).signer == WORKFLOW
    assert envelope_of(ci.attestation(said), by) == Signed(WORKFLOW, IN_TOTO, said)
    assert bundle_of(ci.bundle(said), by) == Signed(WORKFLOW, IN_TOTO, said)
    assert bundle_of(ci.bare(MANIFEST), by, MANIFEST_DIGEST) == Signed(WORKFLOW)


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        (WORKFLOW, True),
        ("https://github.com/acme/api/.github/workflows/*@refs/heads/main", True),
        ("https://github.com/acme/**", True),
        ("https://github.com/acme/*", False),
        ("https://github.com/acme/api/.github/workflows/*@refs/heads/release", False),
        ("https://github.com/acme/ap?/.github/workflows/build.yml@refs/heads/main", False),
        (WORKFLOW[:-1], False),
        (WORKFLOW.upper(), False),
    ],
)
def test_a_subject_may_be_a_pattern(pattern: str, holds: bool, tmp_path: Path) -> None:
    """A star stays within its part."""
    sigstore = Sigstore(tmp_path)
    for check, blob in (
        (payload_of, sigstore.signer().simple(DIGEST)),
        (bundle_of, sigstore.signer().bundle(statement(DIGEST))),
    ):
        if holds:
            assert check(blob, sigstore.policy(pattern)).signer == WORKFLOW
        else:
            with pytest.raises(UntrustedError, match="signed it, not"):
                check(blob, sigstore.policy(pattern))


def test_nobody_else_is_that_identity(tmp_path: Path) -> None:
    """Another issuer, another Sigstore, a name that only begins alike, several names at once, no receipt of the
    certificate's log, a certificate for something else, or one that was over when it was used."""
    ours, theirs = Sigstore(tmp_path), Sigstore(tmp_path, "theirs")
    late = ours.signer()
    late.at = SIGNED_AT + timedelta(hours=1)
    for signer in (
        ours.signer(issuer="https://accounts.google.com"),
        theirs.signer(),
        ours.signer(f"{WORKFLOW}.evil"),
        ours.signer("https://github.com/acme.evil/api/.github/workflows/build.yml@refs/heads/main"),
        ours.signer("https://evil.test/", also=(WORKFLOW,)),
        ours.signer(logged=False),
        ours.signer(code_signing=False),
        late,
    ):
        for check, blob in (
            (payload_of, signer.simple(DIGEST)),
            (envelope_of, signer.attestation(statement(DIGEST))),
            (bundle_of, signer.bundle(statement(DIGEST))),
        ):
            with pytest.raises(UntrustedError):
                check(blob, ours.policy())


def test_a_promise_for_another_signature_proves_nothing(tmp_path: Path) -> None:
    """The log has seen something of ours, but not this (CVE-2022-36056)."""
    sigstore = Sigstore(tmp_path)
    ci = sigstore.signer()
    elsewhere = ci.simple(other(DIGEST)).annotations[LOG_NOTE]
    with pytest.raises(UntrustedError, match="the log's entry is about another signature"):
        payload_of(ci.simple(DIGEST, **{LOG_NOTE: elsewhere}), sigstore.policy())


@pytest.mark.parametrize(
    "change",
    [
        {LOG_NOTE: ""},
        {CERTIFICATE_NOTE: ""},
        {LOG_NOTE: "{"},
        {LOG_NOTE: "[]"},
        {LOG_NOTE: json.dumps({"SignedEntryTimestamp": "AAAA", "Payload": {}})},
        {CERTIFICATE_NOTE: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        {SIGNATURE_NOTE: "AAAA"},
        {SIGNATURE_NOTE: "not base64"},
    ],
)
def test_broken_annotations_prove_nothing(change: dict[str, str], tmp_path: Path) -> None:
    """Whatever is missing or bent."""
    sigstore = Sigstore(tmp_path)
    with pytest.raises(UntrustedError):
        payload_of(sigstore.signer().simple(DIGEST, **change), sigstore.policy())


def test_a_tampered_payload_proves_nothing(tmp_path: Path) -> None:
    """The certificate and the log's proof may be as good as they like."""
    sigstore = Sigstore(tmp_path)
    ci, said = sigstore.signer(), statement(DIGEST)
    with pytest.raises(UntrustedError):
        bundle_of(tampered(ci.bundle(said), b"api", b"web"), sigstore.policy())
    with pytest.raises(UntrustedError):
        envelope_of(tampered(ci.attestation(said), b"api", b"web"), sigstore.policy())
    with pytest.raises(UntrustedError):
        bundle_of(ci.bare(MANIFEST), sigstore.policy(), DIGEST)


def test_a_key_is_no_identity(tmp_path: Path) -> None:
    """And the other way round."""
    sigstore, ann = Sigstore(tmp_path), KeyHolder(tmp_path)
    with pytest.raises(UntrustedError):
        payload_of(ann.simple(DIGEST), sigstore.policy())
    with pytest.raises(UntrustedError):
        bundle_of(ann.bundle(statement(DIGEST)), sigstore.policy())
    with pytest.raises(UntrustedError):
        payload_of(sigstore.signer().simple(DIGEST), ann.policy)


def test_the_public_sigstore_is_trusted_where_no_other_is_named(tmp_path: Path) -> None:
    """By the root inside the library, without a look outside; ours is not under it."""
    by = SignedBy(issuer=GITHUB, subject=WORKFLOW)
    assert trusted_root(by).get_fulcio_certs()
    with pytest.raises(UntrustedError):
        bundle_of(Sigstore(tmp_path).signer().bundle(statement(DIGEST)), by)


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_root_that_cannot_be_read_is_named(content: str | None, tmp_path: Path) -> None:
    """No other takes its place."""
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)
    by = SignedBy(issuer=GITHUB, subject=WORKFLOW, trusted_root_file=str(path))
    with pytest.raises(RefusedError, match=f"the trusted root in {path} cannot be read"):
        bundle_of(Sigstore(tmp_path).signer().bundle(statement(DIGEST)), by)
