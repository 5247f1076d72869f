"""OpenAPI documents of images: found where the catalogue says, and read from JSON or YAML into plain values.

What is attached is recognized by its type: the artifact's own (`oras attach --artifact-type …`), or that of a file in
it (`openapi.yaml:application/vnd.oai.openapi+yaml`). Types in use are `application/vnd.oai.openapi+json` and `+yaml`,
`application/openapi+json` and `+yaml` (draft-ietf-httpapi-rest-api-mediatypes), and such of companies with the same
word in them. A type proves nothing: what counts is what can be read.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from bot.domain.errors import NotFoundError, UnreadableError, UsageError
from bot.domain.image import COMMIT, Digest, ImageRef, short
from bot.domain.json import Json
from bot.domain.repository import path_inside
from bot.ports.image_registry import Attached, ImageRegistry, Layer, Place, ResolvedImage
from bot.ports.source_files import MOST_BYTES, SourceFiles
from runbooks.openapi_source import OpenApi
from runbooks.source import Faults, Limits, read

OPENAPI = re.compile(r".*[/.+-]openapi(?:[.+;-].*)?", re.IGNORECASE)

YAML_LIMITS = Limits(most_bytes=1024 * 1024, deepest=100, most_values=250_000)
"""A megabyte of YAML is read in about six seconds; documents that are longer are written as JSON."""

TYPED = "application/vnd.oai.openapi+yaml"


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version of a service: its image with digest, and what people call it."""

    image: str
    ref: str

    def __str__(self) -> str:
        return f"`{self.ref}`"


class ApiDocuments:
    """Finds the OpenAPI documents of a service's versions."""

    def __init__(self, registry: ImageRegistry, files: SourceFiles) -> None:
        self._registry = registry
        self._files = files

    async def body(self, version: ApiVersion, openapi: OpenApi, repository: str) -> bytes:
        """The document of a version as it was written. `repository` is the service's, and may be empty for what is
        attached.

        Raises NotFoundError and UnreadableError with what to do, and whatever the ports raise.
        """
        image = ImageRef.parse(version.image)
        if image.digest is None:
            raise UnreadableError(
                f"{version.image} is known by its tag alone, and what that means may have changed; "
                "release it by Sluice once, so that its digest is known"
            )
        found = await self._registry.resolve(image.repository, image.digest)
        if openapi.attached:
            return await self._attached(image.repository, found)
        path = openapi.file or _labelled(found, openapi.label or "")
        return await self._files.read(repository, path, _commit(found, version.ref))

    async def _attached(self, repository: str, image: ResolvedImage) -> bytes:
        """The only document at the image; where there is none, the only one at the images of its index."""
        layers = await self._layers(repository, image.digest)
        if not layers:
            for digest in image.manifests.values():
                layers |= await self._layers(repository, digest)
        if not layers:
            place = f"{repository}@{image.digest}"
            raise NotFoundError(
                f"none is attached to {place}; attach it with "
                f"`oras attach --artifact-type {TYPED} {place} openapi.yaml`"
            )
        if len(layers) > 1:
            names = ", ".join(f"sha256:{short(one)}" for one in sorted(layers))
            raise UnreadableError(
                f"{len(layers)} different ones ({names}) are attached to {repository}@{image.digest}; "
                "bundle a document of several files into one, and delete what is wrong with `oras manifest delete`"
            )
        layer = next(iter(layers.values()))
        if layer.size > MOST_BYTES:
            raise UnreadableError(f"it has {layer.size:,} bytes; more than {MOST_BYTES:,} are not read")
        return await self._registry.content(repository, layer)

    async def _layers(self, repository: str, digest: Digest) -> dict[Digest, Layer]:
        attached = await self._registry.attached(repository, digest)
        return {layer.digest: layer for one in attached for layer in _documents(one)}


def _documents(artifact: Attached) -> Iterator[Layer]:
    """The layers of an artifact that are OpenAPI documents by their types, or by the artifact's."""
    if artifact.place is not Place.REFERRERS:
        return  # cosign's tags hold signatures, attestations and lists of parts
    named = [layer for layer in artifact.layers if OPENAPI.fullmatch(layer.media_type)]
    if named:
        yield from named
    elif OPENAPI.fullmatch(artifact.artifact_type):
        yield from artifact.layers


def _labelled(image: ResolvedImage, label: str) -> str:
    path = image.labels.get(label, "")
    if not path:
        raise NotFoundError(
            f"the image has no label {label} with the path of the document; build it with '--label {label}=…'"
        )
    try:
        return path_inside(path)
    except UsageError as exc:
        raise UnreadableError(f"the image's label {label} is wrong: {exc}") from exc


def _commit(image: ResolvedImage, ref: str) -> str:
    """The commit that a version was built from: its image's label, else what it is called, where that is one."""
    commit = next((name for name in (image.commit, ref) if COMMIT.fullmatch(name)), "")
    if not commit:
        raise NotFoundError(
            "nobody knows the commit that it was built from: its image has no label org.opencontainers.image.revision"
        )
    return commit


def read_document(body: bytes) -> Json:
    """JSON or YAML as plain values. Raises UnreadableError for anything else, for more than is read of either, and for
    what would hide a part: keys that are written twice, tags, merge keys."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UnreadableError("it is not text in UTF-8") from exc
    if not text.lstrip().startswith("{"):
        return _yaml(text)
    try:
        found: Json = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json)
    except (ValueError, RecursionError) as exc:
        raise UnreadableError(f"it is no JSON that can be read: {exc}") from exc
    _require_shallow(found)
    return found


def _yaml(text: str) -> Json:
    try:
        return read(text.encode(), "line", YAML_LIMITS).value
    except Faults as exc:
        fault = exc.faults[0]
        raise UnreadableError(f"it is no YAML that can be read: line {fault.line} {fault.message}") from exc


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"'{twice[:100]}' is written twice in one object")
    return found


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _require_shallow(value: Json) -> None:
    """Raises UnreadableError for what is nested deeper than anybody can compare."""
    level: list[Json] = [value]
    for _ in range(YAML_LIMITS.deepest):
        parts = [one for one in level if isinstance(one, dict | list)]
        level = [inner for one in parts for inner in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return
    raise UnreadableError(f"it is nested more than {YAML_LIMITS.deepest} levels deep")
