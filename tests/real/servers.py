"""Real servers for tests: where they are, and the little that tests put on them."""

import asyncio
import base64
import hashlib
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest

from bot.adapters.kubernetes_calls import STRATEGIC_MERGE, WORKLOADS, Call, Raw, Resource
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_login import Connection
from bot.adapters.system_clock import SystemClock
from bot.domain.image import Digest
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.sandbox.registry.blob import Blob

Seen = TypeVar("Seen")

NAMESPACES = Resource("api/v1", "")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
NUMBERS = itertools.count(1)


def named(variable: str) -> str:
    """The server that an environment variable names; without it the test says what is missing, and fails."""
    value = os.environ.get(variable, "")
    if not value:
        pytest.fail(f"{variable} is not set: a test marked `real` needs that server")
    return value


async def until(
    look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool], *, within_s: float = 30, every_s: float = 0.2
) -> Seen:
    """Look again and again until it holds; what was seen then. Fails with what was seen last."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not holds(seen := await look()):
        if loop.time() > end:
            pytest.fail(f"not within {within_s} s; seen last: {seen}")
        await asyncio.sleep(every_s)
    return seen


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace of its own for one test, and the client that made it."""

    name: str
    client: KubernetesClient

    async def create(self, resource: Resource, body: Raw) -> Raw:
        """Make any object in it."""
        return await self.client.send(Call("create", resource, self.name), body)

    async def patch(self, ref: WorkloadRef, body: Raw) -> Raw:
        """Change a workload past Sluice."""
        call = Call("patch", WORKLOADS[ref.kind], self.name, ref.name)
        return await self.client.send(call, body, content_type=STRATEGIC_MERGE)

    async def workload(self, image: str, *, kind: WorkloadKind = WorkloadKind.DEPLOYMENT, **spec: Any) -> WorkloadRef:
        """Make a workload called `api` with one container `app`; `spec` adds to or replaces parts of its spec."""
        body = workload(image, kind=kind, **spec)
        await self.create(WORKLOADS[kind], body)
        return WorkloadRef("main", self.name, kind, "api")

    async def delete(self, ref: WorkloadRef) -> None:
        """Remove a workload and its pods."""
        query = {"propagationPolicy": "Background"}
        await self.client.send(Call("delete", WORKLOADS[ref.kind], self.name, ref.name, query=query))


def workload(
    image: str, *, kind: WorkloadKind = WorkloadKind.DEPLOYMENT, labels: Mapping[str, str] | None = None, **spec: Any
) -> Raw:
    """The manifest of a workload called `api`. It selects its pods by `name: api` where they have `labels` of their
    own, else by `app: api`."""
    selected = {"app": "api"} if labels is None else {"name": "api"}
    # Without a probe a crashing pod is ready for the moment before it crashes, and the rollout goes on.
    probe = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1}
    container = {"name": "app", "image": image, "readinessProbe": probe}
    template = {"metadata": {"labels": {**selected, **(labels or {})}}, "spec": {"containers": [container]}}
    body: Raw = {"selector": {"matchLabels": selected}, "template": template, **spec}
    if kind is WorkloadKind.DEPLOYMENT:
        # One more pod while updating, so that a bad version leaves every old pod standing.
        body = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}} | body
    if kind is WorkloadKind.STATEFULSET:
        body = {"serviceName": "api"} | body
    names = {WorkloadKind.DEPLOYMENT: "Deployment", WorkloadKind.STATEFULSET: "StatefulSet"}
    return {
        "apiVersion": "apps/v1",
        "kind": names.get(kind, "DaemonSet"),
        "metadata": {"name": "api", "labels": selected},
        "spec": body,
    }


@asynccontextmanager
async def namespace(*, kubeconfig: str | None = None) -> AsyncIterator[Namespace]:
    """A new namespace, removed (in the background) at the end."""
    client = KubernetesClient("main", Connection(kubeconfig or named("KUBECONFIG")), SystemClock())
    await client.open()
    name = f"test-{os.getpid()}-{next(NUMBERS)}"
    try:
        await client.send(Call("create", NAMESPACES, ""), {"metadata": {"name": name}})
        try:
            yield Namespace(name, client)
        finally:
            await client.send(Call("delete", NAMESPACES, name))
    finally:
        await client.close()


class Registry:
    """A registry that tests push to over HTTP."""

    def __init__(self, http: httpx.AsyncClient, host: str) -> None:
        self._http, self.host = http, host

    async def push(
        self,
        repository: str,
        tag: str,
        *,
        labels: Mapping[str, str] | None = None,
        platform: str = "linux/amd64",
        created: str = "2026-01-02T03:04:05Z",
    ) -> Digest:
        """Push a tiny image without layers' content; its digest. The same arguments give the same digest."""
        os_name, _, architecture = platform.partition("/")
        config = {
            "os": os_name,
            "architecture": architecture,
            "created": created,
            "config": {"Labels": dict(labels or {})},
            "rootfs": {"type": "layers", "diff_ids": []},
            "comment": f"{repository}:{tag}",
        }
        body = json.dumps(config, sort_keys=True).encode()
        blob = await self._blob(repository, body)
        descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": blob, "size": len(body)}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": []}
        return await self.put(repository, tag, manifest)

    async def push_index(self, repository: str, tag: str, images: Mapping[str, Digest]) -> Digest:
        """Push an index of images that are there already, by platform; its digest."""
        entries = [_entry(platform, digest) for platform, digest in images.items()]
        return await self.put(repository, tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})

    async def attach(
        self,
        repository: str,
        subject: Digest,
        blobs: Sequence[Blob],
        *,
        artifact_type: str = "",
        annotations: Mapping[str, str] | None = None,
        tag: str = "",
    ) -> Digest:
        """Attach an artifact to a manifest as tools do: with its subject and, where the registry has no referrers API,
        in the index that the subject's tag means; under a `tag` of cosign's instead where one is given. Its digest."""
        empty = await self._blob(repository, b"{}")
        config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2}
        layers = [
            {
                "mediaType": one.media_type,
                "digest": await self._blob(repository, one.content),
                "size": len(one.content),
                "annotations": dict(one.annotations),
            }
            for one in blobs
        ]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        if tag:
            return await self.put(repository, tag, manifest)
        manifest |= {"subject": {"mediaType": MANIFEST, "digest": subject, "size": 500}}
        manifest |= {"artifactType": artifact_type, "annotations": dict(annotations or {})}
        digest = Digest(f"sha256:{hashlib.sha256(json.dumps(manifest).encode()).hexdigest()}")
        await self.put(repository, digest, manifest)
        if (await self._http.get(f"/v2/{repository}/referrers/{subject}")).status_code != httpx.codes.OK:
            await self.list_referrer(repository, subject, digest)
        return digest

    async def list_referrer(self, repository: str, subject: Digest, digest: Digest) -> None:
        """Write an artifact into the index of the referrers tag, whatever its own subject is."""
        name = subject.replace(":", "-")
        known = await self._http.get(f"/v2/{repository}/manifests/{name}", headers={"Accept": INDEX})
        listed = known.json()["manifests"] if known.is_success else []
        entry = {"mediaType": MANIFEST, "digest": digest, "size": 500}
        await self.put(repository, name, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, entry]})

    async def put(self, repository: str, tag: str, manifest: Mapping[str, Any]) -> Digest:
        """Push a manifest as it is; its digest."""
        body = json.dumps(manifest).encode()
        answer = await self._http.put(
            f"/v2/{repository}/manifests/{tag}", content=body, headers={"Content-Type": str(manifest["mediaType"])}
        )
        answer.raise_for_status()
        return Digest(f"sha256:{hashlib.sha256(body).hexdigest()}")

    async def _blob(self, repository: str, body: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        begun = await self._http.post(f"/v2/{repository}/blobs/uploads/")
        begun.raise_for_status()
        place = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
        (await self._http.put(place, content=body)).raise_for_status()
        return digest


def _entry(platform: str, digest: Digest) -> Mapping[str, Any]:
    os_name, _, architecture = platform.partition("/")
    described = {"os": os_name, "architecture": architecture}
    return {"mediaType": MANIFEST, "digest": digest, "size": 500, "platform": described}


@asynccontextmanager
async def registry() -> AsyncIterator[Registry]:
    """The registry that TEST_REGISTRY (host:port) names."""
    host = named("TEST_REGISTRY")
    async with httpx.AsyncClient(base_url=f"http://{host}", timeout=10) as http:
        yield Registry(http, host)


class GitHub:
    """A repository that tests commit to and report checks of."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str, project: str) -> None:
        self._http, self.url, self.token, self.project = http, url, token, project

    async def commit(self, message: str) -> str:
        """A commit on top of the default branch; its id."""
        path = f"{self._repo}/contents/releases/{os.getpid()}-{next(NUMBERS)}.txt"
        content = base64.b64encode(message.encode()).decode()
        answer = await self._http.put(path, json={"message": message, "content": content})
        return str(answer.raise_for_status().json()["commit"]["sha"])

    async def write(self, path: str, content: bytes) -> str:
        """A file, written anew by a commit on top of the default branch; the commit's id."""
        place = f"{self._repo}/contents/{path}"
        body = {"message": f"Write {path}", "content": base64.b64encode(content).decode()}
        known = await self._http.get(place)
        body |= {"sha": known.json()["sha"]} if known.is_success else {}
        return str((await self._http.put(place, json=body)).raise_for_status().json()["commit"]["sha"])

    async def check(self, sha: str, name: str, conclusion: str | None) -> None:
        """A new check run; `None`: it is in progress."""
        end = {"status": "completed", "conclusion": conclusion} if conclusion else {"status": "in_progress"}
        body = {"name": name, "head_sha": sha, **end}
        (await self._http.post(f"{self._repo}/check-runs", json=body)).raise_for_status()

    async def status(self, sha: str, context: str, state: str) -> None:
        """A new commit status."""
        body = {"context": context, "state": state}
        (await self._http.post(f"{self._repo}/statuses/{sha}", json=body)).raise_for_status()

    @property
    def _repo(self) -> str:
        return f"/repos/{self.project}"


@asynccontextmanager
async def github() -> AsyncIterator[GitHub]:
    """The GitHub that GITHUB_API_URL names, and the repository GITHUB_REPOSITORY on it."""
    url, token, project = named("GITHUB_API_URL"), named("GITHUB_TOKEN"), named("GITHUB_REPOSITORY")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=10) as http:
        yield GitHub(http, url, token, project)
