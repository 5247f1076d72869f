"""What an image reference means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.image import Digest

REVISION = "org.opencontainers.image.revision"
"""The label that names the commit an image was built from (OCI image specification, pre-defined annotation keys)."""


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """What a reference means right now.

    `tag` is the tag it was found under (`None` when asked by digest). `platforms` are `os/architecture[/variant]`, one
    for an image and several for an index. `labels` are the image configuration's labels together with the manifest's
    annotations (of the first platform, for an index). `created` is `None` where the image does not say. `manifests` are
    the digests of an index's images by platform; empty for a single image, whose digest is its own.
    """

    repository: str
    digest: Digest
    tag: str | None
    platforms: tuple[str, ...]
    labels: Mapping[str, str]
    created: datetime | None = None
    manifests: Mapping[str, Digest] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """The commit it says it was built from; empty where it says nothing."""
        return self.labels.get(REVISION, "")


class Place(StrEnum):
    """Where an artifact was found that is attached to an image."""

    REFERRERS = "referrers"
    """The referrers API, or the tag that stands for it (OCI distribution specification 1.1): the artifact's own
    manifest names its subject."""

    SIGNATURE = "sig"
    ATTESTATION = "att"
    SBOM = "sbom"
    """Cosign's tags `sha256-<hex>.sig` and so on: only the name of the tag says what it belongs to."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A blob of an attached artifact. `size` is in bytes, as the manifest promises."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attached:
    """An artifact that is attached to an image. `digest` is that of its manifest, `artifact_type` what the manifest
    says of itself: everybody who may push can write anything there, so it proves nothing."""

    place: Place
    digest: Digest
    artifact_type: str
    layers: tuple[Layer, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)


class ImageRegistry(Protocol):
    """Reads an OCI registry; never writes."""

    async def resolve(self, repository: str, ref: str) -> ResolvedImage:
        """What `ref` (a tag, a commit of at least 7 digits, or a digest) means in `repository` (host/path).

        A commit matches the tags `<commit>`, `sha-<commit>` and any single tag that begins with one of these. Raises
        NotFoundError (no such tag, commit or digest; the text lists near names), RefusedError (401, 403),
        UnreadableError, UnreachableError.
        """
        ...

    async def attached(self, repository: str, digest: Digest) -> tuple[Attached, ...]:
        """What is attached to exactly this manifest; what hangs at an index does not hang at its images, or the other
        way round. Referrers first, in the registry's order, then cosign's tags.

        A referrer whose own manifest names another subject is left out, whatever the list says. Nothing attached, or an
        unknown repository, is an empty answer. Raises RefusedError, UnreadableError (also beyond 100 artifacts, as
        nobody could say what was left unread), UnreachableError.
        """
        ...

    async def content(self, repository: str, layer: Layer) -> bytes:
        """A layer's bytes, with the digest that it names.

        Raises UnreadableError for other bytes, or more than 16 MiB; NotFoundError, RefusedError, UnreachableError.
        """
        ...
