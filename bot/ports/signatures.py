"""Who signed something, told without asking anybody: no call to a transparency log or a key server is made."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.image import Digest


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Whose signature counts: the holder of the private key to the public one in `key_file` (PEM); or, where that is
    empty, an identity: `issuer` vouched for `subject`, which may be a pattern (`*` stands for anything but `/` and `@`,
    `**` for anything). `trusted_root_file`: whose word on identities is believed, in Sigstore's format; empty: the
    public instance's.
    """

    key_file: str = ""
    issuer: str = ""
    subject: str = ""
    trusted_root_file: str = ""

    def __str__(self) -> str:
        return f"the key in {self.key_file}" if self.key_file else f"{self.subject} (by {self.issuer})"


@dataclass(frozen=True, slots=True)
class Proof:
    """What cosign writes beside a layer, as annotations (specs/SIGNATURE_SPEC.md). `signature` is base64; `certificate`
    is PEM and `log_entry` the bundle of Rekor's promise, both empty for a signature by key."""

    signature: str = ""
    certificate: str = ""
    log_entry: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """What somebody trusted has signed. `signer` is for people. `payload_type` is empty for a bare signature over an
    image's manifest, of which there is no payload beside."""

    signer: str
    payload_type: str = ""
    payload: bytes = b""


class Signatures(Protocol):
    """Checks signatures. All raise UntrustedError where it is not proven that the asked one signed, UnreadableError for
    what is no signature at all, and RefusedError when the key or the trusted root cannot be read. They compute and read
    local files only."""

    def payload(self, payload: bytes, proof: Proof, by: SignedBy) -> Signed:
        """A payload signed as it stands (cosign's simple signing)."""
        ...

    def envelope(self, envelope: bytes, proof: Proof, by: SignedBy) -> Signed:
        """A DSSE envelope, as cosign attaches it; a certificate stands beside it."""
        ...

    def bundle(self, bundle: bytes, digest: Digest, by: SignedBy) -> Signed:
        """A Sigstore bundle: a DSSE envelope, or a signature over the manifest with this digest."""
        ...
