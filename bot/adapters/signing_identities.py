"""Signatures by an identity (keyless): a short-lived certificate of Fulcio, and a transparency log's word on when it
was used. Checked without asking anybody, against a trusted root.

Bundles are checked by `sigstore`, the project's own client. Cosign's older form (annotations beside a layer) has the
log's promise (`SignedEntryTimestamp`) but no proof of inclusion, which that client insists on; it is checked here the
way cosign does: the promise, the certificate's chain at the promised time, its own log's receipt (SCT), its identity,
the signature, and that the log's entry is about this very signature.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID
from sigstore import errors
from sigstore._internal.sct import verify_sct  # the library opens these two to nobody; its version is bounded for them
from sigstore._internal.trust import KeyringPurpose
from sigstore._utils import KeyID
from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm

from bot.adapters.signing_keys import check
from bot.domain.errors import RefusedError, UntrustedError
from bot.domain.image import Digest
from bot.domain.pattern import matches
from bot.ports.signatures import Proof, SignedBy

ISSUER, ISSUER_V1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
"""Who vouched for the subject; the first is DER, the older one bare text (sigstore/fulcio, docs/oid-info.md)."""

EMBEDDED = ("https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
BROKEN = (
    errors.Error,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    verification.VerificationError,
    UnsupportedAlgorithm,
    binascii.Error,
)
"""What the libraries raise over signatures that are forged, broken, or of a kind that they do not know."""


class Identity:
    """The policy that a certificate must meet; remembers who it was."""

    def __init__(self, by: SignedBy) -> None:
        self._by = by
        self.signer = ""

    def verify(self, cert: x509.Certificate) -> None:
        """See `sigstore.verify.policy.VerificationPolicy`: raises VerificationError."""
        issuer, subject = issuer_of(cert), subject_of(cert)
        if issuer != self._by.issuer:
            raise errors.VerificationError(f"{issuer} vouched for the signer, not {self._by.issuer}")
        if not matches(self._by.subject, subject):
            raise errors.VerificationError(f"{subject} signed it, not {self._by.subject}")
        self.signer = subject


def trusted_root(by: SignedBy) -> TrustedRoot:
    """Raises RefusedError, naming the file."""
    try:
        if by.trusted_root_file:
            return TrustedRoot.from_file(by.trusted_root_file)
        # Its own loader would write into the home folder, and prefers what it finds there.
        embedded = resources.files("sigstore._store").joinpath(*EMBEDDED)
        with resources.as_file(embedded) as path:
            return TrustedRoot.from_file(str(path))
    except (OSError, *BROKEN) as exc:
        where = Path(by.trusted_root_file) if by.trusted_root_file else "the library"
        raise RefusedError(f"the trusted root in {where} cannot be read: {exc}") from exc


def check_bundle(body: bytes, digest: Digest, by: SignedBy, *, enveloped: bool) -> tuple[str, str, bytes]:
    """Signer, payload type and payload of a bundle; without an envelope the last two are empty, and the signature is
    over the manifest with this digest. Raises UntrustedError."""
    root, identity = trusted_root(by), Identity(by)
    with _untrusted():
        verifier, bundle = Verifier(trusted_root=root), Bundle.from_json(body)
        if enveloped:
            kind, payload = verifier.verify_dsse(bundle, identity)
            return identity.signer, kind, payload
        manifest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(digest.removeprefix("sha256:")))
        verifier.verify_artifact(manifest, bundle, identity)
    return identity.signer, "", b""


def check_annotated(message: bytes, payload: bytes, proof: Proof, by: SignedBy) -> str:
    """Who signed `message`, by cosign's annotations. `payload` is what the log has the hash of: the message itself, or
    what an envelope holds. Raises UntrustedError."""
    if not proof.certificate or not proof.log_entry:
        raise UntrustedError("the signature has no certificate, or no entry of a transparency log beside it")
    root, identity = trusted_root(by), Identity(by)
    with _untrusted():
        certificate = x509.load_pem_x509_certificate(proof.certificate.encode())
        entry = json.loads(proof.log_entry)
        at = _promised(entry, root)
        chain = _chain(certificate, at, root)
        verify_sct(certificate, chain, root.ct_keyring(KeyringPurpose.VERIFY))
        _fit_for_signing(certificate)
        identity.verify(certificate)
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise UntrustedError("the certificate has a key that Fulcio does not certify")
        if not check(key, base64.b64decode(proof.signature, validate=True), message):
            raise UntrustedError("the signature does not fit what it is said to sign")
        _same(json.loads(base64.b64decode(entry["Payload"]["body"])), payload, proof, certificate)
    return identity.signer


def issuer_of(certificate: x509.Certificate) -> str:
    """Who vouched for the subject. Raises ExtensionNotFound."""
    extensions = certificate.extensions
    try:
        found = extensions.get_extension_for_oid(ISSUER).value
    except x509.ExtensionNotFound:
        return _raw(extensions.get_extension_for_oid(ISSUER_V1).value).decode()
    return asn1.decode_der(str, _raw(found))


def subject_of(certificate: x509.Certificate) -> str:
    """The one address, e-mail or URI, that the certificate is for. Raises VerificationError for none or several."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = [
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.RFC822Name),
    ]
    if len(list(names)) != 1 or len(found) != 1:
        raise errors.VerificationError("the certificate is for several names, or for none that can be checked")
    return found[0]


@contextmanager
def _untrusted() -> Iterator[None]:
    try:
        yield
    except UntrustedError:
        raise
    except BROKEN as exc:
        raise UntrustedError(f"the signature does not hold: {str(exc)[:300] or type(exc).__name__}") from exc


def _raw(extension: x509.ExtensionType) -> bytes:
    if not isinstance(extension, x509.UnrecognizedExtension):
        raise errors.VerificationError("the issuer stands in an extension of another kind")
    return extension.value


def _promised(entry: dict[str, Any], root: TrustedRoot) -> datetime:
    """When the log took the entry, if it is the log's own word: its signature is over the canonical JSON (RFC 8785) of
    these four."""
    payload = {key: entry["Payload"][key] for key in ("body", "integratedTime", "logID", "logIndex")}
    root.rekor_keyring(KeyringPurpose.VERIFY).verify(
        key_id=KeyID(bytes.fromhex(payload["logID"])),
        signature=base64.b64decode(entry["SignedEntryTimestamp"], validate=True),
        data=json.dumps(payload, sort_keys=True, separators=(",", ":")).encode(),
    )
    return datetime.fromtimestamp(int(payload["integratedTime"]), UTC)


def _chain(certificate: x509.Certificate, at: datetime, root: TrustedRoot) -> list[x509.Certificate]:
    """The certificates above this one, which was valid at that time. Fulcio's have no use for clients, as the usual
    rules for such chains would want."""
    usage = x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, None
    builder = (
        verification.PolicyBuilder()
        .store(verification.Store(root.get_fulcio_certs()))
        .time(at)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(*usage),
            ee_policy=verification.ExtensionPolicy.webpki_defaults_ee().may_be_present(*usage),
        )
    )
    return builder.build_client_verifier().verify(certificate, []).chain[1:]


def _fit_for_signing(certificate: x509.Certificate) -> None:
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if not usage.digital_signature or ExtendedKeyUsageOID.CODE_SIGNING not in extended:
        raise UntrustedError("the certificate is not for signing code")


def _same(body: dict[str, Any], payload: bytes, proof: Proof, certificate: x509.Certificate) -> None:
    """The log's entry must be about this signature: another's promise proves nothing (CVE-2022-36056)."""
    spec, kind = body["spec"], f"{body['kind']}/{body['apiVersion']}"
    match kind:
        case "hashedrekord/0.0.1":
            hashed, signature = spec["data"]["hash"], spec["signature"]["content"]
            verifier = spec["signature"]["publicKey"]["content"]
        case "dsse/0.0.1":
            (one,) = spec["signatures"]
            hashed, signature, verifier = spec["payloadHash"], one["signature"], one["verifier"]
        case _:
            raise UntrustedError(f"the log's entry is of the kind {kind[:40]}; sign anew with cosign 2.2 or newer")
    logged = x509.load_pem_x509_certificate(base64.b64decode(verifier))
    same = (
        (hashed["algorithm"], hashed["value"]) == ("sha256", hashlib.sha256(payload).hexdigest())
        and signature == proof.signature
        and logged.public_bytes(Encoding.DER) == certificate.public_bytes(Encoding.DER)
    )
    if not same:
        raise UntrustedError("the log's entry is about another signature")
