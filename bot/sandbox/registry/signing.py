"""A key of the sandbox's own, and signatures by it as cosign makes them (sigstore/cosign, specs/SIGNATURE_SPEC.md)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.domain.image import Digest
from bot.sandbox.registry.blob import Blob
from runbooks.attestations import SIGNATURE_NOTE
from runbooks.statements import ENVELOPE, IN_TOTO, SIMPLE_SIGNING

STATEMENT = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class ImageSigner:
    """Somebody with a private key, a new one unless one is given."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)

    @property
    def public_pem(self) -> str:
        """What stands in a `cosign.pub`, for `signatures: {key_file: …}` of the catalogue."""
        encoded = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return encoded.decode()

    def signature(self, image: str, digest: Digest) -> Blob:
        """A layer of cosign's `.sig` tag: that this digest is released, under the name `image`."""
        body = simple_signing(image, digest)
        return Blob(body, SIMPLE_SIGNING, {SIGNATURE_NOTE: self._signed(body)})

    def attestation(self, digest: Digest, predicate_type: str, predicate: Mapping[str, Any]) -> Blob:
        """What `cosign attest` attaches: a statement about this digest in an envelope (secure-systems-lab/dsse,
        protocol.md)."""
        subject = [{"name": "image", "digest": {"sha256": digest.removeprefix("sha256:")}}]
        said = {"_type": STATEMENT, "subject": subject, "predicateType": predicate_type, "predicate": dict(predicate)}
        payload = json.dumps(said).encode()
        message = f"DSSEv1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} ".encode() + payload
        written = {
            "payloadType": IN_TOTO,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"sig": self._signed(message)}],
        }
        return Blob(json.dumps(written).encode(), ENVELOPE)

    def _signed(self, message: bytes) -> str:
        return base64.b64encode(self.key.sign(message, ec.ECDSA(SHA256()))).decode()


def simple_signing(image: str, digest: str, *, kind: str = "cosign container image signature") -> bytes:
    """What cosign signs of an image."""
    critical = {
        "identity": {"docker-reference": image},
        "image": {"docker-manifest-digest": digest},
        "type": kind,
    }
    return json.dumps({"critical": critical, "optional": None}).encode()
