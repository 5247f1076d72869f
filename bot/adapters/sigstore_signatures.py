"""`Signatures` by `cryptography` and `sigstore`: keys and identities, in the forms that cosign writes."""

import base64
import binascii
import json
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.adapters.signing_identities import check_annotated, check_bundle
from bot.adapters.signing_keys import check, check_digest, read_key
from bot.domain.errors import UnreadableError, UntrustedError
from bot.domain.image import Digest
from bot.ports.signatures import Proof, Signed, SignedBy


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class _Signature(_Part):
    sig: str


class _Envelope(_Part):
    payload_type: str
    payload: str
    signatures: tuple[_Signature, ...] = Field(min_length=1, max_length=10)


class _MessageSignature(_Part):
    signature: str


class _Bundle(_Part):
    dsse_envelope: _Envelope | None = None
    message_signature: _MessageSignature | None = None


Document = TypeVar("Document", bound=BaseModel)


class SigstoreSignatures:
    """Reads the key, or the trusted root, anew for each signature: both may be replaced while we run."""

    def payload(self, payload: bytes, proof: Proof, by: SignedBy) -> Signed:
        """See `Signatures`."""
        if not by.key_file:
            return Signed(check_annotated(payload, payload, proof, by), "", payload)
        if not check(read_key(Path(by.key_file)), _decoded(proof.signature), payload):
            raise UntrustedError(f"the signature is not of {by}")
        return Signed(str(by), "", payload)

    def envelope(self, envelope: bytes, proof: Proof, by: SignedBy) -> Signed:
        """See `Signatures`."""
        read = _read(_Envelope, envelope)
        if by.key_file:
            return _by_key(read, by)
        message, payload = pae(read.payload_type, read.payload)
        # Beside an envelope cosign writes no signature: it stands inside.
        inner = replace(proof, signature=read.signatures[0].sig)
        return Signed(check_annotated(message, payload, inner, by), read.payload_type, payload)

    def bundle(self, bundle: bytes, digest: Digest, by: SignedBy) -> Signed:
        """See `Signatures`."""
        read = _read(_Bundle, bundle)
        if (read.dsse_envelope is None) == (read.message_signature is None):
            raise UnreadableError("a bundle must hold either an envelope or a signature")
        if not by.key_file:
            return Signed(*check_bundle(bundle, digest, by, enveloped=read.dsse_envelope is not None))
        if read.dsse_envelope is not None:
            return _by_key(read.dsse_envelope, by)
        signature = _decoded(read.message_signature.signature if read.message_signature else "")
        if not check_digest(read_key(Path(by.key_file)), signature, bytes.fromhex(digest.removeprefix("sha256:"))):
            raise UntrustedError(f"the signature is not of {by}, or not over this image")
        return Signed(str(by))


def pae(payload_type: str, payload: str) -> tuple[bytes, bytes]:
    """What a DSSE signature is over (secure-systems-lab/dsse, protocol.md), and the payload itself."""
    body = _decoded(payload)
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body), body


def _by_key(envelope: _Envelope, by: SignedBy) -> Signed:
    key = read_key(Path(by.key_file))
    message, payload = pae(envelope.payload_type, envelope.payload)
    if not any(check(key, _decoded(one.sig), message) for one in envelope.signatures):
        raise UntrustedError(f"the attestation is not signed by {by}")
    return Signed(str(by), envelope.payload_type, payload)


def _decoded(written: str) -> bytes:
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UnreadableError("a signature that is not base64") from exc


def _read(model: type[Document], body: bytes) -> Document:
    try:
        return model.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError) as exc:
        raise UnreadableError(f"no {model.__name__.strip('_').lower()} of a signature that could be read") from exc
