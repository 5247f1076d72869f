"""What a registry holds: repositories with manifests, blobs and tags."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.image import Digest
from bot.sandbox.registry.blob import digest_of

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Held:
    """Content with its media type."""

    media_type: str
    body: bytes


@dataclass(slots=True)
class Repository:
    """Manifests and blobs by digest, and tags."""

    manifests: dict[str, Held] = field(default_factory=dict)
    blobs: dict[str, Held] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)

    def blob(self, body: bytes, media_type: str = OCTETS) -> dict[str, Any]:
        """Keep bytes; their descriptor."""
        digest = digest_of(body)
        self.blobs[digest] = Held(media_type, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    def manifest(self, manifest: Mapping[str, Any], tag: str = "") -> Digest:
        """Keep a manifest and, where one is given, let the tag mean it; its digest."""
        return self.keep(str(manifest["mediaType"]), json.dumps(manifest).encode(), tag)

    def keep(self, media_type: str, body: bytes, tag: str = "") -> Digest:
        """The same of a manifest's bytes."""
        digest = digest_of(body)
        self.manifests[digest] = Held(media_type, body)
        if tag:
            self.tags[tag] = digest
        return digest

    def descriptor(self, digest: str) -> dict[str, Any]:
        """How others name one of the manifests. Raises KeyError."""
        held = self.manifests[digest]
        return {"mediaType": held.media_type, "digest": digest, "size": len(held.body)}

    def referrers(self, subject: str) -> list[dict[str, Any]]:
        """Descriptors of the manifests whose subject this is, as the specification wants them ("Listing Referrers")."""
        found = []
        for digest, held in self.manifests.items():
            read = json.loads(held.body)
            if (read.get("subject") or {}).get("digest") != subject:
                continue
            kind = read.get("artifactType") or (read.get("config") or {}).get("mediaType", "")
            notes = {"annotations": read["annotations"]} if read.get("annotations") else {}
            found.append(self.descriptor(digest) | ({"artifactType": kind} if kind else {}) | notes)
        return found
