"""A registry in memory: tags that can move, digests that cannot."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.adapters.oci_tags import exact_names, meant
from bot.domain.errors import NotFoundError, RefusedError, UnreachableError, UnreadableError
from bot.domain.image import DIGEST, Digest
from bot.ports.image_registry import Attached, Layer, Place, ResolvedImage
from bot.sandbox.registry.blob import Blob

LINUX = ("linux/amd64",)
MOST_ATTACHED = 100


class FakeRegistry:
    """`ImageRegistry` without a server. `down`: every call is unreachable; `private`: repositories we may not read;
    `attaching_is_down`: what is attached is unreachable, while images are told."""

    def __init__(self) -> None:
        self.down = self.attaching_is_down = False
        self.private: set[str] = set()
        self._images: dict[tuple[str, str], ResolvedImage] = {}
        self._tags: dict[str, dict[str, Digest]] = {}
        self._attached: dict[tuple[str, Digest], list[Attached]] = {}
        self._blobs: dict[tuple[str, Digest], bytes] = {}

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
        digest = _named(made)
        several = {platform: _named(f"{made} {platform}") for platform in platforms} if len(platforms) > 1 else {}
        image = ResolvedImage(repository, digest, None, platforms, dict(labels or {}), created, several)
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

    def attach(
        self,
        repository: str,
        digest: Digest,
        blobs: Sequence[Blob],
        *,
        artifact_type: str = "",
        annotations: Mapping[str, str] | None = None,
        place: Place = Place.REFERRERS,
    ) -> None:
        """Attach an artifact with these layers to a manifest, whether or not that is there."""
        layers = tuple(Layer(one.media_type, one.digest, len(one.content), one.annotations) for one in blobs)
        self._blobs |= {(repository, one.digest): one.content for one in blobs}
        name = _named(repr((place, artifact_type, layers, annotations)))
        attached = self._attached.setdefault((repository, digest), [])
        attached.append(Attached(place, name, artifact_type, layers, annotations or {}))

    def damage(self, repository: str, digest: Digest) -> None:
        """Let the registry answer other bytes for a blob than it was given."""
        self._blobs[repository, digest] += b" "

    async def attached(self, repository: str, digest: Digest) -> tuple[Attached, ...]:
        """See `ImageRegistry`."""
        self._reach(repository)
        if self.attaching_is_down:
            raise UnreachableError(f"registry {repository.partition('/')[0]} answered HTTP 503 for {repository}")
        found = self._attached.get((repository, digest), [])
        if len(found) > MOST_ATTACHED:
            raise UnreadableError(f"{repository}@{digest} has {len(found)} attached artifacts")
        return tuple(sorted(found, key=lambda one: list(Place).index(one.place)))

    async def content(self, repository: str, layer: Layer) -> bytes:
        """See `ImageRegistry`."""
        self._reach(repository)
        if (repository, layer.digest) not in self._blobs:
            raise NotFoundError(f"{repository} has no blob {layer.digest}")
        found = self._blobs[repository, layer.digest]
        if hashlib.sha256(found).hexdigest() != layer.digest.removeprefix("sha256:"):
            raise UnreadableError(f"the registry sent other bytes than {repository}@{layer.digest}")
        return found

    async def resolve(self, repository: str, ref: str) -> ResolvedImage:
        """See `ImageRegistry`."""
        self._reach(repository)
        if DIGEST.fullmatch(ref):
            return self._image(repository, Digest(ref))
        tags = self._tags.get(repository)
        if tags is None:
            raise NotFoundError(f"{repository} is not in the registry, or has never been pushed to")
        named = next((name for name in exact_names(ref) if name in tags), None)
        tag = named or meant(repository, ref, sorted(tags))
        return replace(self._image(repository, tags[tag]), tag=tag)

    def _reach(self, repository: str) -> None:
        host = repository.partition("/")[0]
        if self.down:
            raise UnreachableError(f"registry {host} cannot be reached: it is down")
        if repository in self.private:
            raise RefusedError(f"registry {host} does not let Sluice read {repository} (HTTP 403)")

    def _image(self, repository: str, digest: Digest) -> ResolvedImage:
        image = self._images.get((repository, digest))
        if image is None:
            raise NotFoundError(f"{repository} has no image {digest}")
        return image


def _named(made: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(made.encode()).hexdigest()}")
