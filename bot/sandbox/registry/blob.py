"""Bytes that are attached to an image."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.image import Digest


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer to attach, with its bytes."""

    content: bytes
    media_type: str
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> Digest:
        """The name of exactly these bytes."""
        return digest_of(self.content)


def digest_of(content: bytes) -> Digest:
    """The name of exactly these bytes."""
    return Digest(f"sha256:{hashlib.sha256(content).hexdigest()}")
