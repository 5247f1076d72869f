"""A Sigstore of one's own (Fulcio, its certificate log, Rekor), made in the test."""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot.ports.signatures import SignedBy
from bot.sandbox.registry.blob import Blob
from bot.sandbox.registry.signing import simple_signing
from runbooks.attestations import CERTIFICATE_NOTE, LOG_NOTE, SIGNATURE_NOTE
from runbooks.statements import ENVELOPE, SIMPLE_SIGNING
from tests.signing import BUNDLE_03, GITHUB, IMAGE, SIGNED_AT, WORKFLOW, b64, envelope, pae, signed

SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


class Sigstore:
    """Fulcio, its certificate log and Rekor; `policy` trusts them, and one identity."""

    def __init__(self, folder: Path, name: str = "root") -> None:
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        self._ct_key, self._rekor_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._ca = self._authority()
        self.root_file = folder / f"{name}.json"
        self.root_file.write_text(json.dumps(self._root()))

    def policy(self, subject: str = WORKFLOW, issuer: str = GITHUB) -> SignedBy:
        """This identity, on this Sigstore's word."""
        return SignedBy(issuer=issuer, subject=subject, trusted_root_file=str(self.root_file))

    def signer(self, subject: str = WORKFLOW, issuer: str = GITHUB, **more: Any) -> "Signer":
        """Somebody with a certificate for this identity."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Signer(self, key, self._certificate(key, subject, issuer, **more))

    def promise(self, body: bytes, at: datetime = SIGNED_AT) -> dict[str, Any]:
        """Rekor's entry with its promise (SET), in cosign's form."""
        payload = {
            "body": b64(body),
            "integratedTime": int(at.timestamp()),
            "logID": _key_id(self._rekor_key).hex(),
            "logIndex": 0,
        }
        canonical = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
        return {"SignedEntryTimestamp": b64(signed(self._rekor_key, canonical)), "Payload": payload}

    def entry(self, body: bytes, at: datetime = SIGNED_AT) -> dict[str, Any]:
        """The same in a bundle's form, with the proof that it is in a log of one entry."""
        promised, kind = self.promise(body, at), json.loads(body)
        root = hashlib.sha256(b"\x00" + body).digest()
        note = f"rekor.test - 1\n1\n{b64(root)}\n"
        signature = b64(_key_id(self._rekor_key)[:4] + signed(self._rekor_key, note.encode()))
        checkpoint = f"{note}\n\u2014 rekor.test {signature}\n"
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(_key_id(self._rekor_key))},
            "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
            "integratedTime": str(promised["Payload"]["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": promised["SignedEntryTimestamp"]},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": b64(body),
        }

    def _authority(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sigstore test")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # noqa: FBT003 - positional in X.509's order
        key = self._ca_key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key)
            .serial_number(1)
            .not_valid_before(SIGNED_AT - timedelta(days=30))
            .not_valid_after(SIGNED_AT + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .sign(self._ca_key, SHA256())
        )

    def _certificate(
        self,
        key: ec.EllipticCurvePrivateKey,
        subject: str,
        issuer: str,
        *,
        at: datetime = SIGNED_AT,
        also: tuple[str, ...] = (),
        code_signing: bool = True,
        logged: bool = True,
    ) -> x509.Certificate:
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)  # noqa: FBT003 - positional in X.509's order
        purpose = ExtendedKeyUsageOID.CODE_SIGNING if code_signing else ExtendedKeyUsageOID.CLIENT_AUTH
        names = [
            x509.RFC822Name(one) if "@" in one and "/" not in one else x509.UniformResourceIdentifier(one)
            for one in (subject, *also)
        ]
        ca_key = self._ca_key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(minutes=1))
            .not_valid_after(at + timedelta(minutes=9))
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(_text("1.3.6.1.4.1.57264.1.1", issuer.encode()), critical=False)
            .add_extension(_text("1.3.6.1.4.1.57264.1.8", asn1.encode_der(issuer)), critical=False)
        )
        if not logged:
            return builder.sign(self._ca_key, SHA256())
        receipt = self._receipt(builder.sign(self._ca_key, SHA256()).tbs_certificate_bytes, at)
        return builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, receipt), critical=False).sign(
            self._ca_key, SHA256()
        )

    def _receipt(self, tbs: bytes, at: datetime) -> bytes:
        """The certificate log's signed timestamp (RFC 6962, 3.2 and 3.3), as the certificate embeds it."""
        ms = int(at.timestamp() * 1000)
        entry = _key_id(self._ca_key) + len(tbs).to_bytes(3, "big") + tbs
        signature = signed(self._ct_key, struct.pack("!BBQH", 0, 0, ms, 1) + entry + b"\x00\x00")
        one = struct.pack("!B32sQHBBH", 0, _key_id(self._ct_key), ms, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(one) + 2, len(one)) + one
        return asn1.encode_der(listed)

    def _root(self) -> dict[str, Any]:
        valid = {"start": "2020-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            public = {"rawBytes": b64(raw), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
            return {
                "baseUrl": "https://log.invalid",
                "hashAlgorithm": "SHA2_256",
                "publicKey": public,
                "logId": {"keyId": b64(_key_id(key))},
            }

        certificates = [{"rawBytes": b64(self._ca.public_bytes(Encoding.DER))}]
        authority = {
            "subject": {"organization": "test", "commonName": "sigstore test"},
            "uri": "https://fulcio.invalid",
            "certChain": {"certificates": certificates},
            "validFor": valid,
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self._rekor_key)],
            "certificateAuthorities": [authority],
            "ctlogs": [log(self._ct_key)],
            "timestampAuthorities": [],
        }


@dataclass
class Signer:
    """An identity at work: the key of one signature, and its certificate."""

    sigstore: Sigstore
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    at: datetime = SIGNED_AT

    def bundle(self, payload: bytes) -> Blob:
        """What cosign 3 and GitHub attach."""
        signature = signed(self.key, pae(payload))
        return self._bundled({"dsseEnvelope": envelope(payload, signature)}, self.dsse_body(payload, signature))

    def bare(self, manifest: bytes) -> Blob:
        """A bundle with nothing but a signature over a manifest."""
        signature = signed(self.key, manifest)
        digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(manifest).digest())}
        message = {"messageDigest": digest, "signature": b64(signature)}
        return self._bundled({"messageSignature": message}, self.hashed_body(manifest, signature))

    def simple(self, digest: str, **proof: str) -> Blob:
        """A layer of cosign's `.sig` tag, with certificate and promise; `proof` replaces annotations."""
        body = simple_signing(IMAGE, digest)
        signature = signed(self.key, body)
        promise = self.sigstore.promise(self.hashed_body(body, signature), self.at)
        notes = {SIGNATURE_NOTE: b64(signature), CERTIFICATE_NOTE: self.pem, LOG_NOTE: json.dumps(promise)}
        return Blob(body, SIMPLE_SIGNING, notes | proof)

    def attestation(self, payload: bytes) -> Blob:
        """A layer of cosign's `.att` tag."""
        signature = signed(self.key, pae(payload))
        promise = self.sigstore.promise(self.dsse_body(payload, signature), self.at)
        notes = {SIGNATURE_NOTE: "", CERTIFICATE_NOTE: self.pem, LOG_NOTE: json.dumps(promise)}
        return Blob(json.dumps(envelope(payload, signature)).encode(), ENVELOPE, notes)

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def hashed_body(self, message: bytes, signature: bytes) -> bytes:
        """Rekor's entry of the kind hashedrekord."""
        hashed = {"algorithm": "sha256", "value": hashlib.sha256(message).hexdigest()}
        made = {"content": b64(signature), "publicKey": {"content": b64(self.pem.encode())}}
        spec = {"data": {"hash": hashed}, "signature": made}
        return _canonical({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec})

    def dsse_body(self, payload: bytes, signature: bytes) -> bytes:
        """Rekor's entry of the kind dsse."""
        hashed = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
        made = [{"signature": b64(signature), "verifier": b64(self.pem.encode())}]
        spec = {"envelopeHash": hashed, "payloadHash": hashed, "signatures": made}
        return _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})

    def _bundled(self, content: Mapping[str, Any], body: bytes) -> Blob:
        material = {
            "certificate": {"rawBytes": b64(self.certificate.public_bytes(Encoding.DER))},
            "tlogEntries": [self.sigstore.entry(body, self.at)],
        }
        made = {"mediaType": BUNDLE_03, "verificationMaterial": material, **content}
        return Blob(json.dumps(made).encode(), BUNDLE_03)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def _text(oid: str, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
