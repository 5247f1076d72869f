"""`Canaries` over Kubernetes: a Deployment and a Service beside the stable ones, and the canary's entry at the router.

Each write is one request bound to what was read; any of them may be the last one of a process. Whoever goes on reads
anew what is there and makes what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.adapters import kubernetes_canary_manifest as manifest
from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import DEPLOYMENTS, SERVICES, STRATEGIC_MERGE, WORKLOADS, Call, Raw, Resource
from bot.adapters.kubernetes_canary_marks import Mark
from bot.adapters.kubernetes_canary_survey import around, survey
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_containers import chosen_container
from bot.adapters.kubernetes_deletion import deleted
from bot.adapters.kubernetes_gateway_api import GATEWAY_API
from bot.adapters.kubernetes_istio import ISTIO
from bot.adapters.kubernetes_nginx import KubernetesNginx
from bot.adapters.kubernetes_objects import Metadata, read
from bot.adapters.kubernetes_replicas import KubernetesReplicas
from bot.adapters.kubernetes_routing import Routing, Standing
from bot.adapters.kubernetes_rules import KubernetesRules
from bot.adapters.kubernetes_workload_objects import Workload
from bot.adapters.kubernetes_workloads import KubernetesWorkloads
from bot.domain.errors import NotFoundError, RefusedError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.domain.traffic import WHOLE, Route, Router, canary_pods_by_ratio, share_of
from bot.ports.canaries import Pods, Survey, TrafficState
from bot.ports.cluster import Fence


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is of a canary; raw objects are empty where there is none."""

    deployment: Raw
    service: Raw
    standing: Standing

    @property
    def any(self) -> bool:
        """Whether anything is left of it."""
        return bool(self.deployment or self.service or self.standing.weights or self.standing.entry)

    @property
    def run(self) -> str:
        """The run that brought it; empty: none, or not ours."""
        entry = self.standing.entry
        found = (_mark(self.deployment), _mark(self.service), entry.mark if entry else Mark())
        return next((mark.run for mark in found if mark.run), "")


class KubernetesCanaries:
    """See `Canaries`. Keeps nothing but its connection."""

    def __init__(self, client: KubernetesClient, workloads: KubernetesWorkloads) -> None:
        self._client, self._workloads = client, workloads
        self._routers: Mapping[Router, Routing] = {
            Router.GATEWAY_API: KubernetesRules(client, GATEWAY_API),
            Router.ISTIO: KubernetesRules(client, ISTIO),
            Router.NGINX: KubernetesNginx(client),
            Router.REPLICAS: KubernetesReplicas(),
        }

    async def survey(self, route: Route) -> Survey:
        """See `Canaries`. A router's object that is not there is a problem like others."""
        stable = await self._workloads.fetch(route.workload)
        state = await self._workloads.state(route.workload, stable)
        try:
            standing = await self._routers[route.router].read(route)
        except NotFoundError:
            standing = Standing(problems=(f"there is no {canary_marks.named(route)} in {route.workload.namespace}",))
        return survey(route, stable, state, await around(self._client, route.workload.namespace), standing)

    async def observe(self, route: Route) -> TrafficState:
        """See `Canaries`."""
        stable = await self._workloads.fetch(route.workload)
        standing = await self._routers[route.router].read(route)
        return await self._state(route, stable, await self._parts(route, standing))

    async def bring(self, route: Route, image: str, pods: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        if route.workload.kind is not WorkloadKind.DEPLOYMENT:
            raise RefusedError(f"{route.workload} is no Deployment; only Deployments can have a canary beside them")
        raw, stable, parts = await self._begin(route, fence)
        if not parts.deployment:
            wish = manifest.deployment(route, raw, (image, pods), fence)
            await self._client.send(Call("create", DEPLOYMENTS, route.workload.namespace), wish)
        elif (running := self._image(route, parts.deployment)) != image:
            raise RefusedError(f"{route.canary} runs `{running}`, not `{image}`; remove it before bringing another")
        else:
            await self._scale(route, parts.deployment, pods, fence)
        if route.router is not Router.REPLICAS:
            await self._open_way(route, stable, parts, fence)
        return await self.observe(route)

    async def shift(self, route: Route, weight: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        _, stable, parts = await self._begin(route, fence)
        routed = route.router is not Router.REPLICAS
        if weight and not (parts.deployment and (parts.service or not routed)):
            raise NotFoundError(f"{route.canary} is not whole: bring it before it gets requests")
        if routed:
            await self._weigh(route, parts.standing, weight, fence)
        elif parts.deployment:
            await self._scale(route, parts.deployment, _pods_for(stable.spec.replicas, weight), fence)
        return await self.observe(route)

    async def remove(self, route: Route, fence: Fence) -> bool:
        """See `Canaries`. What is gone already, the stable workload or the router's object, stops no clean-up."""
        stable = await self._optional(WORKLOADS[route.workload.kind], route.workload.namespace, route.workload.name)
        if stable:
            marks.admit(route.workload, _metadata(stable).annotations, fence)
        router = self._routers[route.router]
        parts = await self._parts(route, await router.remains(route))
        self._admit(route, parts, fence, after=True)
        if parts.any:
            await self._remove_one(route, parts, fence)
            parts = await self._parts(route, await router.remains(route))
        return not parts.any

    async def _remove_one(self, route: Route, parts: Parts, fence: Fence) -> None:
        router, standing = self._routers[route.router], parts.standing
        if standing.weights or standing.entry:
            canary_marks.refuse_owned(route, standing.owner)
            if any(standing.weights):
                await router.write(route, standing, 0, fence)
            else:
                await router.leave(route, standing)
        elif parts.service:
            name = canary_marks.canary_service(route)
            await deleted(self._client, Call("delete", SERVICES, route.workload.namespace, name), parts.service)
        else:
            call = Call("delete", DEPLOYMENTS, route.workload.namespace, route.canary.name)
            await deleted(self._client, call, parts.deployment)

    async def _begin(self, route: Route, fence: Fence) -> tuple[Raw, Workload, Parts]:
        """What there is, once it is clear that this run may write."""
        place = route.workload
        raw = await self._client.send(Call("get", WORKLOADS[place.kind], place.namespace, place.name))
        stable = read(Workload, raw)
        marks.admit(place, stable.metadata.annotations, fence)
        parts = await self._parts(route, await self._routers[route.router].read(route))
        canary_marks.refuse_owned(route, parts.standing.owner)
        self._admit(route, parts, fence)
        return raw, stable, parts

    def _admit(self, route: Route, parts: Parts, fence: Fence, *, after: bool = False) -> None:
        """All that is there of a canary must be this run's."""
        for kind, name, raw in (
            ("deployment", route.canary.name, parts.deployment),
            ("service", canary_marks.canary_service(route), parts.service),
        ):
            if raw:
                canary_marks.admit(route, f"{kind}/{name}", _mark(raw), fence, after=after)
        canary_marks.admit_entry(route, parts.standing.entry, parts.standing.weights, fence, after=after)

    async def _open_way(self, route: Route, stable: Workload, parts: Parts, fence: Fence) -> None:
        namespace = route.workload.namespace
        if not parts.service:
            beside = await self._client.send(Call("get", SERVICES, namespace, route.service))
            await self._client.send(Call("create", SERVICES, namespace), manifest.service(route, beside, stable, fence))
        if not parts.standing.weights:
            await self._routers[route.router].write(route, parts.standing, 0, fence)

    async def _weigh(self, route: Route, standing: Standing, weight: int, fence: Fence) -> None:
        there = all(one == weight for one in standing.weights) and (bool(standing.weights) or weight == 0)
        if there and (standing.entry is None or standing.entry.weight == weight):
            return
        await self._routers[route.router].write(route, standing, weight, fence)

    async def _scale(self, route: Route, raw: Raw, pods: int, fence: Fence) -> None:
        image, metadata = self._image(route, raw), _metadata(raw)
        replicas = read(Workload, raw).spec.replicas
        if replicas == pods and not canary_marks.edited_pods(route, metadata.annotations, image, pods):
            return
        annotations = {**marks.marks(fence), **canary_marks.wrote(image, pods)}
        body = {
            "metadata": {"resourceVersion": metadata.resource_version, "annotations": annotations},
            "spec": {"replicas": pods},
        }
        call = Call("patch", DEPLOYMENTS, route.workload.namespace, route.canary.name)
        await self._client.send(call, body, content_type=STRATEGIC_MERGE)

    def _image(self, route: Route, raw: Raw) -> str:
        workload = read(Workload, raw)
        container = chosen_container(route.workload, workload)
        return next(one.image for one in workload.pod.containers if one.name == container)

    async def _parts(self, route: Route, standing: Standing) -> Parts:
        namespace = route.workload.namespace
        service: Raw = {}
        if route.router is not Router.REPLICAS:
            service = await self._optional(SERVICES, namespace, canary_marks.canary_service(route))
        return Parts(await self._optional(DEPLOYMENTS, namespace, route.canary.name), service, standing)

    async def _optional(self, resource: Resource, namespace: str, name: str) -> Raw:
        try:
            return await self._client.send(Call("get", resource, namespace, name))
        except NotFoundError:
            return {}

    async def _state(self, route: Route, stable: Workload, parts: Parts) -> TrafficState:
        pods = await self._pods(route, route.workload, stable)
        canary = read(Workload, parts.deployment) if parts.deployment else None
        weight, edited = parts.standing.weight, ""
        if route.router is Router.REPLICAS:
            weight = share_of(canary.spec.replicas if canary else 0, stable.spec.replicas)
        else:
            edited = canary_marks.edited_weight(route, parts.standing.entry, parts.standing.weights)
        if canary is None:
            return TrafficState(weight, pods, None, parts.run, edited)
        found = await self._pods(route, route.canary, canary)
        written = canary.metadata.annotations
        edited = edited or canary_marks.edited_pods(route, written, found.image, found.desired)
        return TrafficState(weight, pods, found, parts.run, edited)

    async def _pods(self, route: Route, ref: WorkloadRef, workload: Workload) -> Pods:
        container = chosen_container(route.workload, workload)
        state = await self._workloads.state(ref, workload)
        ready = workload.status.ready_replicas
        return Pods(state.images[container], state.desired, ready, state.settled, state.faults)


def _metadata(raw: Raw) -> Metadata:
    return read(Metadata, raw["metadata"])


def _mark(raw: Raw) -> Mark:
    return canary_marks.mark_of(_metadata(raw).annotations) if raw else Mark()


def _pods_for(stable: int, weight: int) -> int:
    if weight >= WHOLE:
        raise RefusedError("without a router the stable pods always take their share: 100 % cannot be shifted")
    return canary_pods_by_ratio(stable, weight)
