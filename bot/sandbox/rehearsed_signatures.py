"""Signatures of a rehearsal: whomever the catalogue trusts, a key of the sandbox's own signs in their place."""

from dataclasses import replace
from pathlib import Path

from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.domain.image import Digest
from bot.ports.signatures import Proof, Signed, SignedBy


class RehearsedSignatures:
    """`Signatures` by the key in `key_file`, really checked, and told as theirs whom the catalogue names: its keys and
    trusted roots are not read, and certificates of identities are not played."""

    def __init__(self, key_file: Path) -> None:
        self._real, self._ours = SigstoreSignatures(), SignedBy(key_file=str(key_file))

    def payload(self, payload: bytes, proof: Proof, by: SignedBy) -> Signed:
        """See `Signatures`."""
        return _told(self._real.payload(payload, proof, self._ours), by)

    def envelope(self, envelope: bytes, proof: Proof, by: SignedBy) -> Signed:
        """See `Signatures`."""
        return _told(self._real.envelope(envelope, proof, self._ours), by)

    def bundle(self, bundle: bytes, digest: Digest, by: SignedBy) -> Signed:
        """See `Signatures`."""
        return _told(self._real.bundle(bundle, digest, self._ours), by)


def _told(signed: Signed, by: SignedBy) -> Signed:
    return replace(signed, signer=str(by))
