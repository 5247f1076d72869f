"""A cluster on virtual time, and what is put on it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from bot.sandbox.kubernetes.server import KubernetesServer
from bot.sandbox.loopback import listening
from tests.fakes.clock import FakeClock

Raw = dict[str, Any]
APPS = "/apis/apps/v1/namespaces/staging"
CORE = "/api/v1/namespaces/staging"


def deployment(tag: str = "v1", *, name: str = "api", **spec: Any) -> Raw:
    """A Deployment with two pods that select by `app`; `spec` replaces parts of it."""
    container = {"name": "app", "image": f"registry.test/acme/{name}:{tag}", "readinessProbe": {"periodSeconds": 1}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    body = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "strategy": strategy, "template": template}
    metadata = {"name": name, "namespace": "staging", "labels": {"app": name}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": body | spec}


def service(name: str = "api") -> Raw:
    """A Service for the pods of the Deployment of that name."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "staging"}, "spec": spec}


def config(name: str, **labels: str) -> Raw:
    """Some object that no controller minds."""
    metadata = {"name": name, "namespace": "staging", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1", "b": "2"}}


@dataclass(slots=True)
class Kube:
    """A cluster without HTTP."""

    clock: FakeClock = field(default_factory=FakeClock)
    server: KubernetesServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = KubernetesServer(self.clock)
        self.server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}})

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))
        self.server.advance()

    def until(self, holds: Callable[[], bool], *, within_s: float = 120, step_s: float = 0.1) -> float:
        """Let time pass until it holds; how many seconds that took."""
        for tick in range(round(within_s / step_s)):
            if holds():
                return tick * step_s
            self.passes(step_s)
        raise AssertionError(f"not within {within_s} s; there is {self.server.shown()}")

    def tags(self, *, ready: bool = True) -> list[str]:
        """The tags that the pods of all Deployments run."""
        pods = [pod for one in self.server.shown() for pod in one.pods if pod.ready or not ready]
        return sorted(pod.image.rpartition(":")[2] for pod in pods if pod.state != "Terminating")


@dataclass(slots=True)
class Api:
    """The same over HTTP."""

    kube: Kube
    http: httpx.AsyncClient

    async def get(self, path: str, **query: str) -> Raw:
        """What is there."""
        found: Raw = (await self.http.get(path, params=query)).raise_for_status().json()
        return found

    async def make(self, path: str, body: Raw) -> Raw:
        """A new object."""
        made: Raw = (await self.http.post(path, json=body)).raise_for_status().json()
        return made

    async def patch(self, path: str, body: object, *, how: str = "strategic-merge") -> httpx.Response:
        """Try to change an object."""
        headers = {"Content-Type": f"application/{how}-patch+json"}
        return await self.http.patch(path, json=body, headers=headers)

    async def names(self, path: str, **query: str) -> list[str]:
        """The names of what is listed."""
        return [one["metadata"]["name"] for one in (await self.get(path, **query))["items"]]


@asynccontextmanager
async def serving(*manifests: Raw) -> AsyncIterator[Api]:
    """A cluster over loopback HTTP in which these have come to rest."""
    kube = Kube()
    for manifest in manifests:
        kube.server.apply(manifest)
    kube.server.settle()
    async with listening(kube.server.application()) as url, httpx.AsyncClient(base_url=url) as http:
        yield Api(kube, http)
