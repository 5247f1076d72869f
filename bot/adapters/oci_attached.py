"""What is attached to an image: the referrers API, the tag that stands for it, cosign's tags.

Sources: OCI distribution specification 1.1, "Listing Referrers" and "Unavailable Referrers API"; cosign's
specs/SIGNATURE_SPEC.md ("Tag-based Discovery") and specs/BUNDLE_SPEC.md ("Retrieval").
"""

from collections.abc import AsyncIterator

import httpx

from bot.adapters.oci_client import Answer, OciClient, Repository, UnexpectedStatusError
from bot.adapters.oci_manifests import ACCEPT, INDEXES, Descriptor, Manifest, digest_of, read
from bot.domain.errors import NotFoundError, UnreadableError
from bot.domain.image import DIGEST, Digest
from bot.ports.image_registry import Attached, Layer, Place

MOST_ATTACHED = 100
"""Signatures, attestations and nightly reports of a long-lived image are some dozens."""

MOST_PAGES = 10
MOST_CONTENT = 16 * 1024 * 1024
"""Bytes of one report or attestation: the fullest Trivy reports of images with a thousand findings have about 6 MiB."""

WITHOUT_REFERRERS = frozenset({400, 405, 406})
COSIGN_TAGS = (Place.SIGNATURE, Place.ATTESTATION, Place.SBOM)


class Attachments:
    """Reads what is attached, over the registry's client."""

    def __init__(self, client: OciClient) -> None:
        self._client = client

    async def of(self, where: Repository, digest: Digest) -> tuple[Attached, ...]:
        """See `ImageRegistry.attached`."""
        found = [one async for one in self._referrers(where, digest)]
        for place in COSIGN_TAGS:
            tagged = await self._manifest(where, f"{_tag(digest)}.{place}")
            if tagged is not None:
                found.append(_attached(where, place, *tagged))
        return tuple(found)

    async def content(self, where: Repository, layer: Layer) -> bytes:
        """See `ImageRegistry.content`."""
        if layer.size > MOST_CONTENT:
            raise UnreadableError(f"{where} holds a blob of {layer.size} bytes; Sluice reads at most {MOST_CONTENT}")
        answer = await self._client.get(where, f"blobs/{layer.digest}", accept="*/*", most_bytes=MOST_CONTENT)
        if digest_of(answer.body) != layer.digest:
            raise UnreadableError(f"registry {where.host} sent other bytes than {where}@{layer.digest}")
        return answer.body

    async def _referrers(self, where: Repository, digest: Digest) -> AsyncIterator[Attached]:
        """Artifacts whose own manifest names this subject: what a list says of them is only a hint."""
        for descriptor in await self._listed(where, digest):
            got = await self._manifest(where, _sound(where, descriptor))
            # Gone since it was listed: somebody removed it, and what is not there attests nothing.
            if got is not None and got[0].subject is not None and got[0].subject.digest == digest:
                yield _attached(where, Place.REFERRERS, *got)

    async def _listed(self, where: Repository, digest: Digest) -> list[Descriptor]:
        """Without the filter by type: registries differ in where they take an artifact's type from."""
        listed: list[Descriptor] = []
        path = f"referrers/{digest}"
        for _ in range(MOST_PAGES):
            page = await self._page(where, path)
            if page is None:
                return await self._fallback(where, digest)
            listed += read(Manifest, page.body, f"what is attached to {where}@{digest}").manifests or ()
            following = _next(page, digest)
            if following is None:
                return _bounded(where, digest, listed)
            path = following
        raise UnreadableError(f"{where}@{digest} has more than {MOST_PAGES} pages of attached artifacts")

    async def _page(self, where: Repository, path: str) -> Answer | None:
        """One page of the API; `None` where the registry has none. The specification names 404 for that; older
        registries answer 400, 405 or 406, or send something else that is no index (so does go-containerregistry,
        pkg/v1/remote/referrers.go, take them)."""
        try:
            answer = await self._client.get(where, path, accept=INDEXES[0])
        except NotFoundError:
            return None
        except UnexpectedStatusError as exc:
            if exc.status in WITHOUT_REFERRERS:
                return None
            raise
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return answer if kind in INDEXES else None

    async def _fallback(self, where: Repository, digest: Digest) -> list[Descriptor]:
        got = await self._manifest(where, _tag(digest))
        if got is None:
            return []
        return _bounded(where, digest, list(got[0].manifests or ()))

    async def _manifest(self, where: Repository, ref: str) -> tuple[Manifest, Digest] | None:
        """A manifest and its digest; `None`: there is none. By digest, its bytes must have that digest."""
        try:
            answer = await self._client.get(where, f"manifests/{ref}", accept=ACCEPT)
        except NotFoundError:
            return None
        digest = digest_of(answer.body)
        if DIGEST.fullmatch(ref) and digest != ref:
            raise UnreadableError(f"registry {where.host} sent {digest} when asked for {where}@{ref}")
        return read(Manifest, answer.body, f"{where}:{ref}"), digest


def _attached(where: Repository, place: Place, manifest: Manifest, digest: Digest) -> Attached:
    kind = manifest.artifact_type or (manifest.config.media_type if manifest.config else "")
    layers = tuple(
        Layer(one.media_type, Digest(_sound(where, one)), one.size, one.annotations or {})
        for one in manifest.layers or ()
    )
    return Attached(place, digest, kind, layers, manifest.annotations or {})


def _bounded(where: Repository, digest: Digest, listed: list[Descriptor]) -> list[Descriptor]:
    if len(listed) > MOST_ATTACHED:
        raise UnreadableError(
            f"{where}@{digest} has {len(listed)} attached artifacts; Sluice reads at most {MOST_ATTACHED}, and passes "
            "nothing of which it has read only a part; remove old ones"
        )
    return listed


def _sound(where: Repository, descriptor: Descriptor) -> str:
    """A digest that may become part of an address."""
    if not DIGEST.fullmatch(descriptor.digest):
        raise UnreadableError(f"registry {where.host} names '{descriptor.digest[:80]}' in {where}, which is no digest")
    return descriptor.digest


def _tag(digest: Digest) -> str:
    return digest.replace(":", "-", 1)


def _next(page: Answer, digest: Digest) -> str | None:
    """The rest of the path of the next page, from its Link header; `None` on the last one."""
    found = httpx.Response(200, headers=page.headers).links.get("next", {}).get("url")
    return f"referrers/{digest}?{httpx.URL(found).query.decode()}" if found else None
