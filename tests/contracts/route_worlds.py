"""The worlds in which the `Canaries` contract holds: an imagined cluster, an API server in memory, the sandbox's
cluster, and a real one.
"""

import copy
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from bot.adapters.kubernetes_calls import (
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    JSON_MERGE,
    SERVICES,
    STRATEGIC_MERGE,
    VIRTUAL_SERVICES,
    Call,
    Raw,
    Resource,
)
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_login import Connection
from bot.adapters.system_clock import SystemClock
from bot.domain.errors import NotFoundError
from bot.domain.target import WorkloadRef
from bot.domain.traffic import Route, Router
from bot.ports.canaries import Canaries
from bot.ports.cluster import Cluster
from tests.adapters.kube_api import KubeApi, serving
from tests.contracts import sandbox_cluster
from tests.contracts.clusters import image
from tests.contracts.route_weights import backends, service_of, weights
from tests.contracts.routes import FakeWorld, World, needed, route_of
from tests.contracts.sandbox_cluster import SandboxCluster
from tests.fakes.clock import FakeClock
from tests.real import servers
from tests.real.custom_resources import installed

Seen = TypeVar("Seen")
ARGO = "argocd.argoproj.io/tracking-id"
RESOURCES = {Router.GATEWAY_API: HTTP_ROUTES[0], Router.ISTIO: VIRTUAL_SERVICES[1], Router.NGINX: INGRESSES}
NGINX_WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"


def routed(router: Router) -> Raw:
    """The router's object as people write it: one rule that leads to the Service, with more in it than a backend."""
    head = {"metadata": {"name": "api", "annotations": {"team": "api"}}}
    match router:
        case Router.GATEWAY_API:
            rule = {
                "matches": [{"headers": [{"name": "tenant", "value": "acme"}]}],
                "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["debug"]}}],
                "backendRefs": [{"name": "api", "port": 80}],
            }
            other = {"backendRefs": [{"name": "docs", "port": 80}]}
            spec: Raw = {"hostnames": ["api.example.com"], "rules": [rule, other]}
            return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", **head, "spec": spec}
        case Router.ISTIO:
            lone = {"name": "main", "timeout": "5s", "route": [{"destination": {"host": "api"}}]}
            spec = {"hosts": ["api"], "http": [lone]}
            return {"apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", **head, "spec": spec}
    backend = {"service": {"name": "api", "port": {"number": 80}}}
    docs = {"service": {"name": "docs", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    paths.append({"path": "/docs", "pathType": "Prefix", "backend": docs})
    spec = {"ingressClassName": "nginx", "rules": [{"host": "api.example.com", "http": {"paths": paths}}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", **head, "spec": spec}


class KubernetesWorld:
    """A namespace of an API server."""

    def __init__(self, cluster: KubernetesCluster, client: KubernetesClient, namespace: str) -> None:
        self.cluster: Cluster = cluster
        self.canaries: Canaries = cluster.canaries
        self.client, self.namespace = client, namespace
        self._before: Raw = {}

    async def route(self, router: Router, *, pods: int | None = None, fresh: bool = False) -> Route:
        route = route_of(router, self.namespace, fresh=fresh)
        await self.create(DEPLOYMENTS, servers.workload(image("v1"), replicas=needed(router, pods)))
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        spec = {"selector": {"app": "api"}, "ports": ports}
        await self.create(SERVICES, {"metadata": {"name": "api"}, "spec": spec})
        if router is not Router.REPLICAS:
            await self.create(RESOURCES[router], routed(router))
            self._before = (await self.get(RESOURCES[router], "api"))["spec"]
        await self.until(lambda: self.cluster.observe(route.workload), lambda state: state.settled)
        return route

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        return await servers.until(look, holds)

    async def create(self, resource: Resource, body: Raw) -> Raw:
        """Somebody makes any object."""
        return await self.client.send(Call("create", resource, self.namespace), body)

    async def get(self, resource: Resource, name: str) -> Raw:
        """The object, empty when there is none."""
        try:
            return await self.client.send(Call("get", resource, self.namespace, name))
        except NotFoundError:
            return {}

    async def patch(self, resource: Resource, name: str, body: Raw) -> None:
        """Somebody edits it."""
        await self.client.send(Call("patch", resource, self.namespace, name), body, content_type=JSON_MERGE)

    async def weights(self, route: Route) -> list[tuple[int, int]]:
        if route.router is Router.NGINX:
            found = await self.get(INGRESSES, "api-canary")
            weight = int(found["metadata"]["annotations"][NGINX_WEIGHT]) if found else 0
            return [(100 - weight, weight)]
        spec = (await self.get(RESOURCES[route.router], "api")).get("spec") or {}
        return [weights(refs) for refs in backends(spec) if any(service_of(ref) == "api" for ref in refs)]

    async def stable(self, route: Route) -> object:
        deployment, service = await self.get(DEPLOYMENTS, "api"), await self.get(SERVICES, "api")
        mine = {key: value for key, value in deployment["metadata"].items() if key in ("labels", "generation", "uid")}
        rest: Raw = {}
        if route.router is not Router.REPLICAS and (found := await self.get(RESOURCES[route.router], "api")):
            rest = copy.deepcopy(found["spec"])
            for refs in backends(rest) if route.router is not Router.NGINX else ():
                refs[:] = [ref for ref in refs if service_of(ref) != "api-canary"]
                for ref in refs:
                    ref.pop("weight", None)
        return mine, deployment["spec"], service["spec"], rest

    async def written(self, route: Route) -> object:
        found = [await self.get(SERVICES, "api-canary"), await self.get(INGRESSES, "api-canary")]
        if route.router is not Router.REPLICAS:
            found.append(await self.get(RESOURCES[route.router], "api"))
        versions = [(one.get("metadata") or {}).get("resourceVersion") for one in found]
        beside = [
            (await self.get(DEPLOYMENTS, ref.name)).get("metadata") or {} for ref in (route.canary, route.baseline)
        ]
        tokens = [(one.get("annotations") or {}).get("sluice.dev/fence") for one in beside]
        # Their controller writes to Deployments, too, but never into the generation.
        return versions, [one.get("generation") for one in beside], tokens

    async def leftovers(self, route: Route) -> list[str]:
        places = {"deployment": DEPLOYMENTS, "service": SERVICES, "entry": INGRESSES}
        left = [name for name, resource in places.items() if await self.get(resource, "api-canary")]
        if await self.get(DEPLOYMENTS, "api-baseline"):
            left.append("baseline")
        if route.router is Router.REPLICAS or not (found := await self.get(RESOURCES[route.router], "api")):
            return left
        if found["spec"] != self._before:
            left.append("entry")
        return left + [key for key in found["metadata"].get("annotations") or {} if "sluice.dev/" in key]

    async def reweigh(self, route: Route, weight: int | None) -> None:
        if route.router is Router.NGINX and weight is None:
            await self.client.send(Call("delete", INGRESSES, self.namespace, "api-canary"))
        elif route.router is Router.NGINX:
            await self.patch(INGRESSES, "api-canary", {"metadata": {"annotations": {NGINX_WEIGHT: str(weight)}}})
        else:
            spec = (await self.get(RESOURCES[route.router], "api"))["spec"]
            for refs in backends(spec):
                for ref in refs:
                    ref["weight"] = {"api": 100 - (weight or 0), "api-canary": weight}.get(service_of(ref))
                refs[:] = [{k: v for k, v in ref.items() if v is not None} for ref in refs]
                refs[:] = [ref for ref in refs if weight is not None or service_of(ref) != "api-canary"]
            await self.patch(RESOURCES[route.router], "api", {"spec": spec})

    async def scale(self, ref: WorkloadRef, pods: int) -> None:
        await self.patch(DEPLOYMENTS, ref.name, {"spec": {"replicas": pods}})

    async def own(self, route: Route) -> None:
        body = {"metadata": {"annotations": {ARGO: "acme-api:x/y:staging/api"}}}
        await self.patch(RESOURCES[route.router], "api", body)

    async def lose(self, route: Route) -> None:
        await self.client.send(Call("delete", RESOURCES[route.router], self.namespace, "api"))

    async def delete(self, ref: WorkloadRef) -> None:
        query = {"propagationPolicy": "Background"}
        await self.client.send(Call("delete", DEPLOYMENTS, self.namespace, ref.name, query=query))

    async def allot(self, ref: WorkloadRef, cores: float, *, of: str = "limits") -> None:
        resources = {of: {"cpu": f"{cores * 1000:.0f}m" if cores < 1 else str(cores)}}
        container = {"name": "app", "resources": resources}
        body = {"spec": {"template": {"spec": {"containers": [container]}}}}
        call = Call("patch", DEPLOYMENTS, self.namespace, ref.name)
        await self.client.send(call, body, content_type=STRATEGIC_MERGE)

    async def squat(self, ref: WorkloadRef) -> None:
        body = servers.workload(image("other"), replicas=1)
        labels = {"app": "other"}
        body["metadata"] = {"name": ref.name}
        body["spec"] = {**body["spec"], "selector": {"matchLabels": labels}}
        body["spec"]["template"]["metadata"] = {"labels": labels}
        await self.create(DEPLOYMENTS, body)


class MemoryWorld(KubernetesWorld):
    """An API server in memory; what its controllers would do happens whenever time passes."""

    def __init__(self, api: KubeApi, cluster: KubernetesCluster, client: KubernetesClient) -> None:
        super().__init__(cluster, client, "staging")
        self.api = api

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        for _ in range(3):
            if holds(seen := await look()):
                return seen
            control(self.api)
        pytest.fail(f"not after the controllers have done all; seen last: {seen}")


class SandboxWorld(KubernetesWorld):
    """A namespace of the sandbox's cluster, on virtual time."""

    def __init__(self, cluster: KubernetesCluster, sandbox: SandboxCluster) -> None:
        super().__init__(cluster, sandbox.client, sandbox_cluster.NAMESPACE)
        self._sandbox = sandbox

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        return await self._sandbox.until(look, holds)


def control(api: KubeApi) -> None:
    """Let every Deployment have its ReplicaSet, and all pods be counted as ready."""
    for path, found in list(api.objects.items()):
        if "/deployments/" not in path:
            continue
        metadata, spec = found["metadata"], found["spec"]
        many, generation = spec.get("replicas", 1), metadata.get("generation", 1)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), many)
        found["status"] = {"observedGeneration": generation, **counts}
        name = f"{metadata['name']}-{hashlib.sha256(json.dumps(spec['template']).encode()).hexdigest()[:8]}"
        owner = {"kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"], "controller": True}
        labels = spec["template"]["metadata"]["labels"]
        made = {"name": name, "uid": f"uid-{name}", "labels": labels, "ownerReferences": [owner]}
        folder = path.rpartition("/")[0].replace("deployments", "replicasets")
        api.put(folder, {"metadata": made, "spec": {"template": spec["template"]}, "status": {}})


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


@asynccontextmanager
async def memory_world() -> AsyncIterator[MemoryWorld]:
    """The adapter on an API server in memory."""
    api = KubeApi()
    with TemporaryDirectory() as folder:
        async with (
            serving(api, Path(folder)) as path,
            KubernetesCluster("main", Connection(path), FakeClock()) as found,
        ):
            client = KubernetesClient("main", Connection(path), FakeClock())
            await client.open()
            try:
                yield MemoryWorld(api, found, client)
            finally:
                await client.close()


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The adapter on the sandbox's cluster."""
    async with (
        sandbox_cluster.running() as sandbox,
        KubernetesCluster("main", sandbox.connection, sandbox.clock) as cluster,
    ):
        yield SandboxWorld(cluster, sandbox)


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The adapter on the cluster that KUBECONFIG names; nobody serves the routers' objects there."""
    connection = Connection(servers.named("KUBECONFIG"))
    async with servers.namespace() as namespace, KubernetesCluster("main", connection, SystemClock()) as cluster:
        await installed(namespace.client)
        yield KubernetesWorld(cluster, namespace.client, namespace.name)


WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(memory_world, id="memory"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]
