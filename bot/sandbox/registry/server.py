"""The sandbox's registry: images come by Python or over HTTP, and are read over HTTP."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.domain.image import Digest
from bot.ports.clock import Clock
from bot.sandbox.behaviour import tag_of
from bot.sandbox.loopback import Outage
from bot.sandbox.registry.blob import Blob
from bot.sandbox.registry.content import CONFIG, EMPTY, INDEX, MANIFEST, Repository
from bot.sandbox.registry.distribution import Asked, Distribution
from bot.sandbox.registry.signing import ImageSigner

LINUX = ("linux/amd64",)
MOST_BYTES = 64 * 1024 * 1024


class RegistryServer:
    """Everybody may read and write. Repositories are named without the host; `outage` takes the server down."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tagged: dict[str, str] = {}
        self.distribution = Distribution()
        self.outage = Outage("registry")

    def application(self) -> web.Application:
        """The server, to be served."""
        made = web.Application(middlewares=[self.outage()], client_max_size=MOST_BYTES)
        made.router.add_route("*", "/v2{rest:.*}", self._answered)
        return made

    def push(
        self,
        repository: str,
        tag: str,
        *,
        labels: Mapping[str, str] | None = None,
        platforms: Sequence[str] = LINUX,
        created: datetime | None = None,
    ) -> Digest:
        """Make an image, an index of several where there are several platforms, and let `tag` mean it, which may have
        meant another. The same arguments give the same digest. `created` is now, unless given."""
        built = (created or self._clock.now()).isoformat().replace("+00:00", "Z")
        images = {one: self._image(repository, tag, one, (labels or {}, built)) for one in platforms}
        if len(images) == 1:
            (digest,) = images.values()
        else:
            digest = self._index(repository, images)
        self.tag(repository, tag, digest)
        for one in (digest, *images.values()):
            self._tagged[one] = tag
        return digest

    def tag(self, repository: str, tag: str, digest: Digest) -> None:
        """Let `tag` mean a manifest that is there. Raises KeyError."""
        if digest not in self._repository(repository).manifests:
            raise KeyError(f"{repository} has no {digest} to tag")
        self._repository(repository).tags[tag] = digest

    def untag(self, repository: str, tag: str) -> None:
        """Forget a tag; what it meant stays. Raises KeyError."""
        del self._repository(repository).tags[tag]

    def attach(
        self,
        repository: str,
        digest: Digest,
        *blobs: Blob,
        artifact_type: str = "",
        annotations: Mapping[str, str] | None = None,
    ) -> Digest:
        """Attach an artifact of these layers to a manifest, to be found by the referrers API. Its type is that of its
        first layer unless given. Its digest. Raises KeyError where the manifest is not there."""
        subject = self._repository(repository).descriptor(digest)
        kind = artifact_type or (blobs[0].media_type if blobs else EMPTY)
        manifest = self._artifact(repository, blobs) | {"artifactType": kind, "subject": subject}
        return self._repository(repository).manifest(manifest | {"annotations": dict(annotations or {})})

    def sign(self, repository: str, digest: Digest, signer: ImageSigner) -> None:
        """Put a signature under cosign's `.sig` tag of a manifest, beside those that are there. Raises KeyError."""
        place = self._repository(repository)
        place.descriptor(digest)
        tag = _signatures(digest)
        manifest = self._artifact(repository, [signer.signature(repository, digest)])
        if tag in place.tags:
            before = json.loads(place.manifests[place.tags[tag]].body)["layers"]
            manifest["layers"] = [*before, *manifest["layers"]]
        place.manifest(manifest, tag)

    def unsign(self, repository: str, digest: Digest) -> None:
        """Forget the signatures under that tag; nothing happens where there are none."""
        self._repository(repository).tags.pop(_signatures(digest), None)

    def version_of(self, image: str) -> str:
        """The tag under which an image was pushed last, though it is named by digest alone: what `Traffic` needs to
        know a version by. The digest itself where nobody here has pushed it."""
        return self._tagged.get(tag_of(image), tag_of(image))

    def _repository(self, name: str) -> Repository:
        return self.distribution.repositories.setdefault(name, Repository())

    def _image(self, name: str, tag: str, platform: str, made: tuple[Mapping[str, str], str]) -> Digest:
        labels, built = made
        place = self._repository(name)
        os_name, _, rest = platform.partition("/")
        architecture, _, variant = rest.partition("/")
        config = {
            "created": built,
            "os": os_name,
            "architecture": architecture,
            **({"variant": variant} if variant else {}),
            "config": {"Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": []},
            "history": [{"created": built, "comment": f"{name}:{tag}"}],
        }
        described = place.blob(json.dumps(config, sort_keys=True).encode(), CONFIG)
        return place.manifest({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []})

    def _index(self, name: str, images: Mapping[str, Digest]) -> Digest:
        place, listed = self._repository(name), []
        for platform, digest in images.items():
            os_name, architecture, *variant = platform.split("/")
            needs = {"os": os_name, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
            listed.append(place.descriptor(digest) | {"platform": needs})
        return place.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})

    def _artifact(self, name: str, blobs: Sequence[Blob]) -> dict[str, Any]:
        place = self._repository(name)
        layers = [place.blob(one.content, one.media_type) | {"annotations": dict(one.annotations)} for one in blobs]
        config = place.blob(b"{}", EMPTY)
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}

    async def _answered(self, request: web.Request) -> web.Response:
        asked = Asked(
            request.method,
            request.path,
            request.query,
            accept=",".join(request.headers.getall("Accept", ["*/*"])),
            content_type=request.headers.get("Content-Type", "application/octet-stream"),
            body=await request.read(),
        )
        reply = self.distribution.answer(asked)
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


def _signatures(digest: Digest) -> str:
    """Cosign's tag for the signatures of a manifest (specs/SIGNATURE_SPEC.md, "Tag-based Discovery")."""
    return f"{digest.replace(':', '-')}.sig"
