"""What we read of OCI and Docker manifests. Unknown fields are ignored. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.domain.errors import UnreadableError
from bot.domain.image import Digest

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
IMAGES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
ACCEPT = ", ".join((*INDEXES, *IMAGES))


class Part(BaseModel):
    """Any part of a document of the registry."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Platform(Part):
    """What a machine must be to run an image."""

    os: str = ""
    architecture: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def known(self) -> bool:
        """False for the attestations that builders list beside images as `unknown/unknown`."""
        return bool(self.os and self.architecture) and "unknown" not in (self.os, self.architecture)


class Descriptor(Part):
    """A reference to other content. `size` is in bytes."""

    model_config = ConfigDict(alias_generator=to_camel)

    digest: str
    media_type: str = ""
    size: int = Field(default=0, ge=0)
    annotations: dict[str, str] | None = None
    platform: Platform | None = None


class Manifest(Part):
    """An image or another artifact (`config`, `layers`), or an index (`manifests`). `subject` is what an artifact is
    attached to."""

    model_config = ConfigDict(alias_generator=to_camel)

    media_type: str = ""
    artifact_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    subject: Descriptor | None = None
    manifests: tuple[Descriptor, ...] | None = None
    annotations: dict[str, str] | None = None

    @property
    def images(self) -> tuple[Descriptor, ...]:
        """The images of an index, in its order."""
        return tuple(one for one in self.manifests or () if one.platform is not None and one.platform.known)


class ConfigDetails(Part):
    """The part of an image configuration that holds labels."""

    labels: dict[str, str] | None = Field(default=None, alias="Labels")


class ImageConfig(Platform):
    """An image configuration."""

    created: datetime | None = None
    config: ConfigDetails | None = None

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        return (self.config.labels if self.config else None) or {}


Document = TypeVar("Document", bound=Part)


def read(model: type[Document], body: bytes, what: str) -> Document:
    """Read a document. Raises UnreadableError naming `what`."""
    try:
        return model.model_validate(json.loads(body))
    except (ValidationError, ValueError) as exc:
        raise UnreadableError(f"the registry sent no valid {model.__name__.lower()} for {what}") from exc


def digest_of(body: bytes) -> Digest:
    """The name of exactly this content."""
    return Digest(f"sha256:{hashlib.sha256(body).hexdigest()}")
