"""People who sign images with keys, and what they sign, made in the test."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.domain.image import Digest
from bot.ports.signatures import SignedBy
from bot.sandbox.registry.blob import Blob
from bot.sandbox.registry.signing import simple_signing
from runbooks.attestations import SIGNATURE_NOTE
from runbooks.statements import ENVELOPE, IN_TOTO, SIMPLE_SIGNING

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
BUNDLE_03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGN_TYPE = "https://sigstore.dev/cosign/sign/v1"
GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/acme/api/.github/workflows/build.yml@refs/heads/main"
IMAGE = "registry.example/acme/api"
SIGNED_AT = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def b64(body: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(body).decode()


def public_pem(key: PrivateKey) -> bytes:
    """What stands in a `cosign.pub`."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(key: PrivateKey, message: bytes) -> bytes:
    """A signature of cosign's sort for this kind of key."""
    match key:
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(SHA256()))
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), SHA256())
    return key.sign(message)


def statement(digest: str, predicate_type: str = SIGN_TYPE, predicate: Mapping[str, Any] | None = None) -> bytes:
    """An in-toto statement about an image."""
    subject = [{"name": "api", "digest": {"sha256": digest.removeprefix("sha256:")}}]
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subject,
            "predicateType": predicate_type,
            "predicate": dict(predicate or {}),
        }
    ).encode()


def pae(payload: bytes, kind: str = IN_TOTO) -> bytes:
    """What a DSSE signature is over."""
    return f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload


def envelope(payload: bytes, signature: bytes, kind: str = IN_TOTO) -> dict[str, Any]:
    """A DSSE envelope."""
    return {"payloadType": kind, "payload": b64(payload), "signatures": [{"sig": b64(signature)}]}


@dataclass
class KeyHolder:
    """Somebody with a private key, and the file with the public one."""

    folder: Path
    name: str = "cosign"
    key: PrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def policy(self) -> SignedBy:
        """Whoever has this key."""
        path = self.folder / f"{self.name}.pub"
        path.write_bytes(public_pem(self.key))
        return SignedBy(key_file=str(path))

    def simple(self, digest: str, **payload: Any) -> Blob:
        """A layer of cosign's `.sig` tag."""
        body = simple_signing(IMAGE, digest, **payload)
        return Blob(body, SIMPLE_SIGNING, {SIGNATURE_NOTE: b64(signed(self.key, body))})

    def attestation(self, payload: bytes) -> Blob:
        """A layer of cosign's `.att` tag."""
        body = json.dumps(envelope(payload, signed(self.key, pae(payload)))).encode()
        return Blob(body, ENVELOPE, {SIGNATURE_NOTE: ""})

    def bundle(self, payload: bytes, *, kind: str = IN_TOTO) -> Blob:
        """What cosign 3 attaches."""
        made = envelope(payload, signed(self.key, pae(payload, kind)), kind)
        material = {"publicKey": {"hint": "x"}, "tlogEntries": []}
        body = {"mediaType": BUNDLE_03, "verificationMaterial": material, "dsseEnvelope": made}
        return Blob(json.dumps(body).encode(), BUNDLE_03)

    def bare(self, manifest: bytes) -> Blob:
        """A bundle with nothing but a signature over a manifest."""
        digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(manifest).digest())}
        message = {"messageDigest": digest, "signature": b64(signed(self.key, manifest))}
        body = {"mediaType": BUNDLE_03, "verificationMaterial": {}, "messageSignature": message}
        return Blob(json.dumps(body).encode(), BUNDLE_03)


def tampered(blob: Blob, old: bytes, new: bytes) -> Blob:
    """The same envelope or bundle with its payload changed after signing."""
    made = json.loads(blob.content)
    inner = made.get("dsseEnvelope", made)
    payload = base64.b64decode(inner["payload"])
    assert old in payload
    inner["payload"] = b64(payload.replace(old, new))
    return Blob(json.dumps(made).encode(), blob.media_type, blob.annotations)


def provenance(
    builder: str = WORKFLOW, source: str = "https://github.com/acme/api", commit: str = "9f2c1e7" + "0" * 33
) -> dict[str, Any]:
    """SLSA v1, as GitHub's builds write it."""
    return {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": "refs/heads/main", "repository": source, "path": "build.yml"}},
            "resolvedDependencies": [{"uri": f"git+{source}@refs/heads/main", "digest": {"gitCommit": commit}}],
        },
        "runDetails": {"builder": {"id": builder}},
    }


def provenance_v02(
    builder: str = WORKFLOW, source: str = "https://github.com/acme/api", commit: str = "9f2c1e7" + "0" * 33
) -> dict[str, Any]:
    """SLSA v0.2, as slsa-github-generator writes it."""
    config = {"uri": f"git+{source}@refs/heads/main", "digest": {"sha1": commit}, "entryPoint": "build.yml"}
    return {"builder": {"id": builder}, "buildType": "x", "invocation": {"configSource": config}, "materials": [config]}


def other(digest: str) -> Digest:
    """Another image's digest."""
    return Digest(f"sha256:{hashlib.sha256(digest.encode()).hexdigest()}")
