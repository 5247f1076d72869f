"""`ImageRegistry` over the OCI distribution API, as ghcr.io, Docker Hub, ECR, GCR, ACR, Harbor and Quay speak it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from bot.adapters.oci_attached import Attachments
from bot.adapters.oci_auth import Login
from bot.adapters.oci_client import DEADLINE, OciClient, Repository
from bot.adapters.oci_manifests import ACCEPT, ImageConfig, Manifest, Part, digest_of, read
from bot.adapters.oci_tags import exact_names, meant
from bot.adapters.opened import Opened
from bot.domain.errors import NotFoundError, UnreadableError
from bot.domain.image import DIGEST, Digest
from bot.ports.image_registry import Attached, Layer, ResolvedImage

TAGS_PER_PAGE = 1000
MOST_PAGES = 10


class TagPage(Part):
    """One page of `tags/list`; a repository without tags has null."""

    tags: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A manifest and the digest of its bytes."""

    manifest: Manifest
    digest: Digest


class OciRegistry(Opened):
    """Used inside `async with`. `logins` by registry host (`docker.io` for Docker Hub)."""

    def __init__(
        self,
        *,
        logins: Mapping[str, Login] | None = None,
        insecure: frozenset[str] = frozenset(),
        mirrors: Mapping[str, str] | None = None,
        deadline: timedelta = DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = OciClient(
            logins=logins, insecure=insecure, mirrors=mirrors, deadline=deadline, transport=transport
        )
        self._attachments = Attachments(self._client)
        super().__init__(self._client)

    async def resolve(self, repository: str, ref: str) -> ResolvedImage:
        """See `ImageRegistry`."""
        place = Repository.parse(repository)
        if DIGEST.fullmatch(ref):
            return await self._described(place, await self._by_digest(place, ref), tag=None)
        for name in exact_names(ref):
            try:
                return await self._described(place, await self._manifest(place, name), tag=name)
            except NotFoundError:
                continue
        tag = meant(repository, ref, await self._tags(place))
        return await self._described(place, await self._manifest(place, tag), tag=tag)

    async def look(self, repository: str) -> bool:
        """Whether anything was ever pushed to a repository that lets itself be read. Raises RefusedError for a login
        that is not good, UnreachableError and UnreadableError."""
        place = Repository.parse(repository)
        try:
            answer = await self._client.get(place, "tags/list?n=1")
        except NotFoundError:
            return False
        return bool(read(TagPage, answer.body, f"the tags of {place}").tags)

    async def attached(self, repository: str, digest: Digest) -> tuple[Attached, ...]:
        """See `ImageRegistry`."""
        return await self._attachments.of(Repository.parse(repository), digest)

    async def content(self, repository: str, layer: Layer) -> bytes:
        """See `ImageRegistry`."""
        return await self._attachments.content(Repository.parse(repository), layer)

    async def _by_digest(self, place: Repository, digest: str) -> Found:
        try:
            found = await self._manifest(place, digest)
        except NotFoundError as exc:
            raise NotFoundError(f"{place} has no image {digest}") from exc
        if found.digest != digest:
            raise UnreadableError(f"registry {place.host} sent {found.digest} when asked for {place}@{digest}")
        return found

    async def _manifest(self, place: Repository, ref: str) -> Found:
        answer = await self._client.get(place, f"manifests/{ref}", accept=ACCEPT)
        digest = digest_of(answer.body)
        said = answer.headers.get("Docker-Content-Digest", digest)
        if said.startswith("sha256:") and said != digest:
            raise UnreadableError(f"registry {place.host} says {said} for {place}:{ref}, but its bytes are {digest}")
        return Found(read(Manifest, answer.body, f"{place}:{ref}"), digest)

    async def _described(self, place: Repository, found: Found, *, tag: str | None) -> ResolvedImage:
        """The image with its labels; of an index, the first image speaks for the others."""
        image, platforms = found.manifest, tuple(str(one.platform) for one in found.manifest.images)
        if image.manifests is not None:
            if not platforms:
                raise UnreadableError(f"{place}@{found.digest} is an index without an image for any platform")
            image = (await self._by_digest(place, image.images[0].digest)).manifest
        config = await self._config(place, image, found.digest)
        return ResolvedImage(
            repository=place.name,
            digest=found.digest,
            tag=tag,
            platforms=platforms or (str(config),),
            labels=dict(config.labels) | (found.manifest.annotations or {}) | (image.annotations or {}),
            created=config.created,
            manifests={str(one.platform): Digest(one.digest) for one in found.manifest.images},
        )

    async def _config(self, place: Repository, image: Manifest, digest: Digest) -> ImageConfig:
        if image.config is None:
            raise UnreadableError(f"{place}@{digest} is not a container image")
        answer = await self._client.get(place, f"blobs/{image.config.digest}", accept="*/*")
        if digest_of(answer.body) != image.config.digest:
            raise UnreadableError(f"registry {place.host} sent another configuration than {place}@{digest} names")
        config = read(ImageConfig, answer.body, f"{place}@{digest}")
        if not config.known:
            raise UnreadableError(f"{place}@{digest} names no platform; it is not a container image")
        return config

    async def _tags(self, place: Repository) -> list[str]:
        """All tags, of the first ten pages. Raises NotFoundError when the repository itself is not there."""
        found: list[str] = []
        path: str | None = f"tags/list?n={TAGS_PER_PAGE}"
        for _ in range(MOST_PAGES):
            if path is None:
                break
            try:
                answer = await self._client.get(place, path)
            except NotFoundError as exc:
                raise NotFoundError(f"{place} is not in the registry, or has never been pushed to") from exc
            found += read(TagPage, answer.body, f"the tags of {place}").tags or []
            path = _next(answer.headers)
        return found


def _next(headers: Any) -> str | None:
    """The rest of the path of the next page, from its Link header; `None` on the last one."""
    parsed = httpx.Response(200, headers=headers).links.get("next", {}).get("url")
    return f"tags/list?{httpx.URL(parsed).query.decode()}" if parsed else None
