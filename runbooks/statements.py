"""In-toto statements and the envelopes around them. Pure; whether a signature holds is told elsewhere.

Sources: in-toto/attestation, spec/v1/statement.md (and v0.1's); secure-systems-lab/dsse, envelope.md; sigstore's bundle
(sigstore/protobuf-specs, protos/sigstore_bundle.proto).
"""

import base64
import binascii
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.errors import UnreadableError
from bot.domain.image import DIGEST, Digest
from bot.domain.json import JsonObject
from runbooks.scan_reports import parsed

BUNDLE = "application/vnd.dev.sigstore.bundle"
"""How the media types of all versions of bundles begin."""

ENVELOPE = "application/vnd.dsse.envelope.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
TYPES = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})


class _Digests(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    sha256: str = ""


class _Subject(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    digest: _Digests


class _Statement(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    type: str = Field(alias="_type")
    subject: tuple[_Subject, ...] = Field(min_length=1)
    predicate_type: str = Field(alias="predicateType")
    predicate: JsonObject = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """Somebody says something (`predicate`) of the things with these digests."""

    subjects: frozenset[Digest]
    predicate_type: str
    predicate: JsonObject


def read_statement(payload: bytes, payload_type: str, source: str) -> Statement:
    """What an envelope holds. Raises UnreadableError: an envelope may hold anything that somebody signed once."""
    if payload_type != IN_TOTO:
        raise UnreadableError(f"{source} holds '{payload_type[:80]}', not an in-toto statement")
    try:
        read = _Statement.model_validate(parsed(payload, source))
    except ValidationError as exc:
        raise UnreadableError(f"{source} holds no in-toto statement") from exc
    if read.type not in TYPES:
        raise UnreadableError(f"{source} holds a statement of the unknown type '{read.type[:80]}'")
    named = (Digest(f"sha256:{subject.digest.sha256}") for subject in read.subject)
    subjects = frozenset(one for one in named if DIGEST.fullmatch(one))
    return Statement(subjects, read.predicate_type, read.predicate)


def unsigned_payload(body: bytes, source: str) -> tuple[str, bytes]:
    """Type and payload of an envelope or of the envelope in a bundle, whoever signed it; both empty: it has none.

    Raises UnreadableError.
    """
    document = parsed(body, source)
    envelope = document.get("dsseEnvelope", document)
    payload = envelope.get("payload") if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict) or not isinstance(payload, str):
        return "", b""
    try:
        return str(envelope.get("payloadType", "")), base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UnreadableError(f"{source} has a payload that is not base64") from exc
