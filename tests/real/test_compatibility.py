"""The compatibility gate over a real registry, with documents attached as `oras attach` does, and over a GitHub."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.ci_servers import CiServer, OpenCiServers
from bot.adapters.github_api import GitHubApi, GitHubServer, pages_at
from bot.adapters.github_files import GitHubFiles
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.oci_registry import OciRegistry
from bot.adapters.system_clock import SystemClock
from bot.domain.errors import UnreadableError
from bot.domain.image import Digest
from bot.domain.outcome import Failed, Outcome, Succeeded
from bot.domain.plan import Artifact, Previous
from bot.ports.image_registry import ImageRegistry
from bot.ports.source_files import SourceFiles
from runbooks.gates.compatibility import CompatibilityGate
from runbooks.openapi_documents import ApiDocuments
from tests.builders import NOW
from tests.fakes.source_files import FakeSourceFiles
from tests.real import servers
from tests.runbooks.apis import BROKEN, GONE, ITEMS, MISSING, MORE, YAML_TYPE, attached
from tests.runbooks.passes import Place

pytestmark = pytest.mark.real
UNTYPED = "application/vnd.oci.image.layer.v1.tar"
"""What `oras attach` calls a file where nobody says its type."""


class Desk:
    """Images v1, which runs, and v2 in the real registry, and the gate."""

    def __init__(self, registry: ImageRegistry, pusher: servers.Registry, path: str) -> None:
        self.registry, self.pusher, self.path = registry, pusher, path
        self.files: SourceFiles = FakeSourceFiles()
        self.refs = {"old": "v1", "new": "v2"}
        self.digests: dict[str, Digest] = {}

    async def attach(self, which: str, document: str, *, layer: str = YAML_TYPE) -> None:
        """Attach a document to an image."""
        blobs = [attached(document, layer)]
        await self.pusher.attach(self.path, self.digests[which], blobs, artifact_type=YAML_TYPE)

    async def asked(self, **params: Any) -> Outcome:
        """What the gate says."""
        images = {which: f"{self.pusher.host}/{self.path}@{digest}" for which, digest in self.digests.items()}
        place = Place(previous=Previous(images["old"], self.refs["old"], NOW - timedelta(days=2)))
        new = Artifact(images["new"], self.digests["new"], self.refs["new"])
        place.plan = replace(place.plan, artifact=new)
        gate = CompatibilityGate(ApiDocuments(self.registry, self.files))
        return await gate.reconcile(place.context("compatibility", {"openapi": {"attached": True}, **params}))


@asynccontextmanager
async def a_desk(name: str) -> AsyncIterator[Desk]:
    """Two images without documents."""
    async with servers.registry() as pusher, OciRegistry() as registry:
        desk = Desk(registry, pusher, f"acme/{name}-{os.getpid()}")
        desk.digests = {which: await pusher.push(desk.path, tag) for which, tag in desk.refs.items()}
        yield desk


async def test_attached_documents_are_compared() -> None:
    """Of both images, by type of artifact or of file; the second one that is attached is one too many."""
    async with a_desk("openapi") as desk:
        with pytest.raises(UnreadableError, match="of `v2` cannot be compared: none is attached to"):
            await desk.asked()
        await desk.attach("new", MORE)
        with pytest.raises(UnreadableError, match="of `v1`, which runs now, cannot be compared: none is attached to"):
            await desk.asked()
        await desk.attach("old", ITEMS, layer=UNTYPED)
        assert await desk.asked() == Succeeded("breaks nothing")
        await desk.attach("new", BROKEN)
        with pytest.raises(UnreadableError, match="2 different ones"):
            await desk.asked()


async def test_a_break_in_attached_documents_is_found() -> None:
    """With each change in the evidence."""
    async with a_desk("breaks") as desk:
        await desk.attach("old", ITEMS)
        await desk.attach("new", BROKEN, layer=UNTYPED)
        outcome = await desk.asked()
        assert isinstance(outcome, Failed)
        assert outcome.reason.startswith("2 breaking changes")
        assert outcome.evidence[0].lines == (MISSING, GONE)


async def test_documents_in_a_repository_are_compared() -> None:
    """At the commits that the versions are named by."""
    async with a_desk("sources") as desk, servers.github() as hub:
        place = GitHubServer("GitHub main", hub.url, SecretStr(hub.token))
        host = pages_at(hub.url).partition("://")[2]
        async with GitHubApi(place, clock=SystemClock()) as api:
            desk.files = OpenCiServers({"main": CiServer(GitHubPipelines(api), (), host, files=GitHubFiles(api))})
            path = f"api-{os.getpid()}/openapi.yaml"
            old, new = await hub.write(path, ITEMS.encode()), await hub.write(path, BROKEN.encode())
            sources = {"openapi": {"file": path}, "repository": f"{host}/{hub.project}"}
            desk.refs = {"old": old, "new": new[:10]}
            assert isinstance(await desk.asked(**sources), Failed)
            desk.refs["new"] = await hub.write(path, MORE.encode())
            assert await desk.asked(**sources) == Succeeded("breaks nothing")
