"""Image references as the OCI distribution specification writes them."""

import re
from dataclasses import dataclass, replace
from typing import NewType

from bot.domain.errors import UsageError

Digest = NewType("Digest", str)
"""`sha256:` and 64 hexadecimal digits: the only name of an image that cannot move."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
COMMIT = re.compile(r"[0-9a-f]{7,40}")

MUTABLE_TAGS = frozenset(
    {"latest", "stable", "edge", "nightly", "main", "master", "develop", "dev", "head", "canary", "prod", "production"}
)
"""Names that everybody moves; a release named by one of them says nothing about what will run."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """`registry/repository[:tag][@digest]`."""

    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> "ImageRef":
        """Read a reference; a port in the registry's name is not taken for a tag. Raises UsageError."""
        name, _, digest = text.partition("@")
        if digest and not DIGEST.fullmatch(digest):
            raise UsageError(f"'{digest}' is not a digest; a digest is sha256: and 64 hexadecimal digits.")
        head, slash, last = name.rpartition("/")
        last, _, tag = last.partition(":")
        if not last or (tag and not TAG.fullmatch(tag)):
            raise UsageError(f"'{text}' is not an image reference such as ghcr.io/acme/api:v1.")
        return cls(f"{head}{slash}{last}", tag or None, Digest(digest) if digest else None)

    def pinned(self, digest: Digest) -> "ImageRef":
        """The same reference bound to `digest`; the tag stays for people, the digest decides."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def short(digest: str) -> str:
    """The first twelve hexadecimal digits, as container tools show them."""
    return digest.removeprefix("sha256:")[:12]


def is_mutable(ref: str) -> bool:
    """Whether `ref` is a name that everybody moves, such as `latest`."""
    return ref.lower() in MUTABLE_TAGS
