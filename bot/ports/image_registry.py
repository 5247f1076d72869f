"""What an image reference means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.image import Digest

REVISION = "org.opencontainers.image.revision"
"""The label that names the commit an image was built from (OCI image specification, pre-defined annotation keys)."""


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """What a reference means right now.

    `tag` is the tag it was found under (`None` when asked by digest). `platforms` are `os/architecture[/variant]`, one
    for an image and several for an index. `labels` are the image configuration's labels together with the manifest's
    annotations (of the first platform, for an index). `created` is `None` where the image does not say.
    """

    repository: str
    digest: Digest
    tag: str | None
    platforms: tuple[str, ...]
    labels: Mapping[str, str]
    created: datetime | None = None

    @property
    def commit(self) -> str:
        """The commit it says it was built from; empty where it says nothing."""
        return self.labels.get(REVISION, "")


class ImageRegistry(Protocol):
    """Reads an OCI registry; never writes."""

    async def resolve(self, repository: str, ref: str) -> ResolvedImage:
        """What `ref` (a tag, a commit of at least 7 digits, or a digest) means in `repository` (host/path).

        A commit matches the tags `<commit>`, `sha-<commit>` and any single tag that begins with one of these. Raises
        NotFoundError (no such tag, commit or digest; the text lists near names), RefusedError (401, 403),
        UnreadableError, UnreachableError.
        """
        ...
