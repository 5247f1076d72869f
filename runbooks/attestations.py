"""What is attached to an image, opened: statements that somebody trusted has signed, and documents that anybody put
there.

What counts: the digest of the plan is what a signature must be about, for an index the index itself, because pods pull
what the plan names and its images follow from it. A scan looks at one platform, so reports count at an index and at its
images alike (see `runbooks.scanning`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.errors import UnreadableError, UntrustedError
from bot.domain.image import Digest, short
from bot.ports.image_registry import Attached, ImageRegistry, Layer
from bot.ports.signatures import Proof, Signatures, Signed, SignedBy
from runbooks.statements import BUNDLE, ENVELOPE, Statement, read_statement

SIGNATURE_NOTE = "dev.cosignproject.cosign/signature"
CERTIFICATE_NOTE = "dev.sigstore.cosign/certificate"
LOG_NOTE = "dev.sigstore.cosign/bundle"
"""Annotations of cosign's layers (specs/SIGNATURE_SPEC.md; cosign, pkg/oci/static/options.go)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A layer of an attached artifact."""

    artifact: Attached
    layer: Layer

    @property
    def media_type(self) -> str:
        """What it says it is."""
        return self.layer.media_type

    @property
    def proof(self) -> Proof:
        """What cosign wrote beside it."""
        notes = self.layer.annotations
        return Proof(notes.get(SIGNATURE_NOTE, ""), notes.get(CERTIFICATE_NOTE, ""), notes.get(LOG_NOTE, ""))

    def __str__(self) -> str:
        return f"sha256:{short(self.layer.digest)} attached to the image"


@dataclass(frozen=True, slots=True)
class Attested:
    """A statement about the image that somebody trusted has signed."""

    statement: Statement
    signer: str
    item: Item


class Attestations:
    """Reads and checks what is attached to a manifest."""

    def __init__(self, registry: ImageRegistry, signatures: Signatures) -> None:
        self.registry = registry
        self.signatures = signatures

    async def items(self, repository: str, digest: Digest) -> tuple[Item, ...]:
        """Every layer of everything that is attached to exactly this manifest."""
        return tuple(
            Item(one, layer) for one in await self.registry.attached(repository, digest) for layer in one.layers
        )

    async def signed(self, repository: str, item: Item, digest: Digest, by: SignedBy) -> Signed:
        """What a bundle or an envelope holds, when `by` has signed it. Raises UntrustedError and UnreadableError."""
        body = await self.registry.content(repository, item.layer)
        if item.media_type.startswith(BUNDLE):
            return self.signatures.bundle(body, digest, by)
        return self.signatures.envelope(body, item.proof, by)

    async def attested(
        self, repository: str, digest: Digest, by: SignedBy
    ) -> tuple[tuple[Attested, ...], tuple[str, ...]]:
        """All statements about this digest that `by` has signed; and why others do not count, for people.

        Others' attestations, broken ones and such of other images are no reason to fail: whoever may push can add them.
        """
        found, refused = [], []
        for item in enveloped(await self.items(repository, digest)):
            try:
                signed = await self.signed(repository, item, digest, by)
                if not signed.payload_type:
                    continue  # a bare signature: it says nothing
                statement = read_statement(signed.payload, signed.payload_type, str(item))
            except (UntrustedError, UnreadableError) as exc:
                refused.append(str(exc))
                continue
            if digest in statement.subjects:
                found.append(Attested(statement, signed.signer, item))
            else:
                refused.append(f"{item} is signed, but about another image")
        return tuple(found), tuple(refused)


def enveloped(items: tuple[Item, ...]) -> Iterator[Item]:
    """Those that hold a signed statement."""
    return (item for item in items if item.media_type.startswith(BUNDLE) or item.media_type == ENVELOPE)
