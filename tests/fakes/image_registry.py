"""A registry in memory: tags that can move, digests that cannot."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.adapters.oci_tags import exact_names, meant
from bot.domain.errors import NotFoundError, RefusedError, UnreachableError
from bot.domain.image import DIGEST, Digest
from bot.ports.image_registry import ResolvedImage

LINUX = ("linux/amd64",)


class FakeRegistry:
    """`ImageRegistry` without a server. `down`: every call is unreachable; `private`: repositories we may not read."""

    def __init__(self) -> None:
        self.down = False
        self.private: set[str] = set()
        self._images: dict[tuple[str, str], ResolvedImage] = {}
        self._tags: dict[str, dict[str, Digest]] = {}

    def push(
        self,
        repository: str,
        tag: str,
        *,
        labels: Mapping[str, str] | None = None,
        platforms: tuple[str, ...] = LINUX,
        created: datetime | None = None,
        content: str = "",
    ) -> Digest:
        """Make an image and let `tag` mean it. The same arguments give the same digest; `content` makes another."""
        made = repr((repository, tag, sorted((labels or {}).items()), platforms, created, content))
        digest = Digest(f"sha256:{hashlib.sha256(made.encode()).hexdigest()}")
        image = ResolvedImage(repository, digest, None, platforms, dict(labels or {}), created)
        self._images[repository, digest] = image
        self.move(repository, tag, digest)
        return digest

    def move(self, repository: str, tag: str, digest: Digest) -> None:
        """Let `tag` mean an image that is there already."""
        if (repository, digest) not in self._images:
            raise KeyError(f"{repository} has no {digest} to tag")
        self._tags.setdefault(repository, {})[tag] = digest

    def remove(self, repository: str, tag: str) -> None:
        """Forget the tag; its image stays."""
        del self._tags[repository][tag]

    async def resolve(self, repository: str, ref: str) -> ResolvedImage:
        """See `ImageRegistry`."""
        host = repository.partition("/")[0]
        if self.down:
            raise UnreachableError(f"registry {host} cannot be reached: it is down")
        if repository in self.private:
            raise RefusedError(f"registry {host} does not let Sluice read {repository} (HTTP 403)")
        if DIGEST.fullmatch(ref):
            return self._image(repository, Digest(ref))
        tags = self._tags.get(repository)
        if tags is None:
            raise NotFoundError(f"{repository} is not in the registry, or has never been pushed to")
        named = next((name for name in exact_names(ref) if name in tags), None)
        tag = named or meant(repository, ref, sorted(tags))
        return replace(self._image(repository, tags[tag]), tag=tag)

    def _image(self, repository: str, digest: Digest) -> ResolvedImage:
        image = self._images.get((repository, digest))
        if image is None:
            raise NotFoundError(f"{repository} has no image {digest}")
        return image
