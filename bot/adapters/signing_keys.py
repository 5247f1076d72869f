"""Signatures by key, as cosign makes them: ECDSA over P-256 or RSA (PKCS #1 v1.5), both with SHA-256, and Ed25519.

Source: sigstore/sigstore, pkg/signature (`LoadVerifier`); cosign, specs/SIGNATURE_SPEC.md ("Signature Schemes"). A
signature by key needs no entry in a transparency log: the key is trusted as long as it stands in the catalogue.
"""

from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.domain.errors import RefusedError, UntrustedError

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

LEAST_RSA_BITS = 2048


def read_key(path: Path) -> PublicKey:
    """The public key in a PEM file. Raises RefusedError that names the file and what may stand in it."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as exc:
        raise RefusedError(f"the public key in {path} cannot be read: {exc.strerror}") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise RefusedError(f"{path} holds no public key in PEM form; `cosign public-key` writes one") from exc
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()) | ed25519.Ed25519PublicKey():
            return key
        case rsa.RSAPublicKey(key_size=bits) if bits >= LEAST_RSA_BITS:
            return key
    raise RefusedError(f"the key in {path} is of no kind that Sluice checks: ECDSA P-256, RSA (2048 bits), Ed25519")


def check(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the private key signed this message."""
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, message, ec.ECDSA(SHA256()))
            case rsa.RSAPublicKey():
                key.verify(signature, message, padding.PKCS1v15(), SHA256())
            case _:
                key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def check_digest(key: PublicKey, signature: bytes, sha256: bytes) -> bool:
    """The same for a message of which only the SHA-256 is known. Raises UntrustedError for Ed25519, which signs whole
    messages."""
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, sha256, ec.ECDSA(Prehashed(SHA256())))
            case rsa.RSAPublicKey():
                key.verify(signature, sha256, padding.PKCS1v15(), Prehashed(SHA256()))
            case _:
                raise UntrustedError("a bare Ed25519 signature over a manifest cannot be checked by its digest")
    except InvalidSignature:
        return False
    return True
