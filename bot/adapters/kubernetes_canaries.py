"""`Canaries` over Kubernetes: a Deployment and a Service beside the stable ones, and the canary's entry at the router.

Each write is one request bound to what was read; any of them may be the last one of a process. Whoever goes on reads
anew what is there and makes what is missing.
"""

from collections.abc import Mapping

from bot.adapters import kubernetes_canary_manifest as manifest
from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import DEPLOYMENTS, SERVICES, STRATEGIC_MERGE, WORKLOADS, Call, Raw, Resource
from bot.adapters.kubernetes_canary_marks import Track
from bot.adapters.kubernetes_canary_parts import Parts, metadata_of
from bot.adapters.kubernetes_canary_survey import around, survey
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_containers import released_image
from bot.adapters.kubernetes_deletion import deleted
from bot.adapters.kubernetes_gateway_api import GATEWAY_API
from bot.adapters.kubernetes_istio import ISTIO
from bot.adapters.kubernetes_nginx import KubernetesNginx
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_replicas import KubernetesReplicas
from bot.adapters.kubernetes_rollout import progress, seen
from bot.adapters.kubernetes_routing import Routing, Standing
from bot.adapters.kubernetes_rules import KubernetesRules
from bot.adapters.kubernetes_workload_objects import Workload
from bot.adapters.kubernetes_workloads import KubernetesWorkloads
from bot.domain.errors import NotFoundError, RefusedError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.domain.traffic import WHOLE, Route, Router, canary_pods_by_ratio, share_of
from bot.ports.canaries import Pods, Survey, TrafficState
from bot.ports.cluster import Fence


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
        raw = await self._stable(route)
        state = await self._workloads.state(route.workload, read(Workload, raw))
        try:
            standing = await self._routers[route.router].read(route)
        except NotFoundError:
            standing = Standing(problems=(f"there is no {canary_marks.named(route)} in {route.workload.namespace}",))
        parts = await self._parts(route, raw, standing)
        return survey(parts, state, await around(self._client, route.workload.namespace))

    async def observe(self, route: Route) -> TrafficState:
        """See `Canaries`."""
        raw = await self._stable(route)
        standing = await self._routers[route.router].read(route)
        return await self._state(await self._parts(route, raw, standing))

    async def bring(self, route: Route, image: str, pods: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        if route.workload.kind is not WorkloadKind.DEPLOYMENT:
            raise RefusedError(f"{route.workload} is no Deployment; only Deployments can have a canary beside them")
        parts = await self._begin(route, fence)
        for wish in parts.wishes(image, pods):
            if parts.of(wish.track):
                await self._scale(parts, wish.track, fence, wish.pods)
            else:
                body = manifest.deployment(route, parts.stable, wish, fence)
                await self._client.send(Call("create", DEPLOYMENTS, route.workload.namespace), body)
        if route.router is not Router.REPLICAS:
            await self._open_way(parts, fence)
        return await self.observe(route)

    async def shift(self, route: Route, weight: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        parts = await self._begin(route, fence)
        routed = route.router is not Router.REPLICAS
        if weight and not (parts.canary and (parts.service or not routed)):
            raise NotFoundError(f"{route.canary} is not whole: bring it before it gets requests")
        if routed:
            await self._weigh(route, parts.standing, weight, fence)
        elif parts.canary:
            pods = _pods_for(_replicas(parts.stable) + _replicas(parts.own_baseline), weight)
            await self._scale(parts, Track.CANARY, fence, pods)
        return await self.observe(route)

    async def remove(self, route: Route, fence: Fence) -> bool:
        """See `Canaries`. What is gone already, the stable workload or the router's object, stops no clean-up."""
        stable = await self._optional(WORKLOADS[route.workload.kind], route.workload.namespace, route.workload.name)
        if stable:
            marks.admit(route.workload, metadata_of(stable).annotations, fence)
        router = self._routers[route.router]
        parts = await self._parts(route, stable, await router.remains(route))
        parts.admit(fence, after=True)
        if parts.any:
            await self._remove_one(parts, fence)
            parts = await self._parts(route, stable, await router.remains(route))
        return not parts.any

    async def _remove_one(self, parts: Parts, fence: Fence) -> None:
        route, standing = parts.route, parts.standing
        if standing.weights or standing.entry:
            canary_marks.refuse_owned(route, standing.owner)
            router = self._routers[route.router]
            if any(standing.weights):
                await router.write(route, standing, 0, fence)
            else:
                await router.leave(route, standing)
            return
        # The baseline goes last: without a router, stable and it divide the requests with the canary.
        found = (
            (SERVICES, canary_marks.canary_service(route), parts.service),
            (DEPLOYMENTS, route.canary.name, parts.canary),
            (DEPLOYMENTS, route.baseline.name, parts.own_baseline),
        )
        resource, name, raw = next(one for one in found if one[2])
        await deleted(self._client, Call("delete", resource, route.workload.namespace, name), raw)

    async def _begin(self, route: Route, fence: Fence) -> Parts:
        """What there is, once it is clear that this run may write."""
        raw = await self._stable(route)
        marks.admit(route.workload, metadata_of(raw).annotations, fence)
        parts = await self._parts(route, raw, await self._routers[route.router].read(route))
        canary_marks.refuse_owned(route, parts.standing.owner)
        parts.admit(fence)
        return parts

    async def _open_way(self, parts: Parts, fence: Fence) -> None:
        route, namespace = parts.route, parts.route.workload.namespace
        if not parts.service:
            beside = await self._client.send(Call("get", SERVICES, namespace, route.service))
            body = manifest.service(route, beside, read(Workload, parts.stable), fence)
            await self._client.send(Call("create", SERVICES, namespace), body)
        if not parts.standing.weights:
            await self._routers[route.router].write(route, parts.standing, 0, fence)

    async def _weigh(self, route: Route, standing: Standing, weight: int, fence: Fence) -> None:
        there = all(one == weight for one in standing.weights) and (bool(standing.weights) or weight == 0)
        if there and (standing.entry is None or standing.entry.weight == weight):
            return
        await self._routers[route.router].write(route, standing, weight, fence)

    async def _scale(self, parts: Parts, track: Track, fence: Fence, pods: int) -> None:
        raw, ref = parts.of(track), track.of(parts.route)
        image, metadata = parts.image(raw), metadata_of(raw)
        if _replicas(raw) == pods and not canary_marks.edited_pods(ref.name, metadata.annotations, image, pods):
            return
        annotations = {**marks.marks(fence), **canary_marks.wrote(image, pods)}
        body = {
            "metadata": {"resourceVersion": metadata.resource_version, "annotations": annotations},
            "spec": {"replicas": pods},
        }
        call = Call("patch", DEPLOYMENTS, ref.namespace, ref.name)
        await self._client.send(call, body, content_type=STRATEGIC_MERGE)

    async def _stable(self, route: Route) -> Raw:
        place = route.workload
        return await self._client.send(Call("get", WORKLOADS[place.kind], place.namespace, place.name))

    async def _parts(self, route: Route, stable: Raw, standing: Standing) -> Parts:
        namespace = route.workload.namespace
        service: Raw = {}
        if route.router is not Router.REPLICAS:
            service = await self._optional(SERVICES, namespace, canary_marks.canary_service(route))
        canary, baseline = [await self._optional(DEPLOYMENTS, namespace, track.of(route).name) for track in Track]
        return Parts(route, stable, canary, baseline, service, standing)

    async def _optional(self, resource: Resource, namespace: str, name: str) -> Raw:
        try:
            return await self._client.send(Call("get", resource, namespace, name))
        except NotFoundError:
            return {}

    async def _state(self, parts: Parts) -> TrafficState:
        route, standing = parts.route, parts.standing
        weight, edited = standing.weight, [canary_marks.edited_weight(route, standing.entry, standing.weights)]
        if route.router is Router.REPLICAS:
            weight = share_of(_replicas(parts.canary), _replicas(parts.stable) + _replicas(parts.own_baseline))
            edited = []
        canary = await self._pods(route, route.canary, parts.canary) if parts.canary else None
        baseline = await self._pods(route, route.baseline, parts.own_baseline) if parts.own_baseline else None
        for ref, raw, pods in ((route.canary, parts.canary, canary), (route.baseline, parts.own_baseline, baseline)):
            if pods is not None:
                found = metadata_of(raw).annotations
                edited.append(canary_marks.edited_pods(ref.name, found, pods.image, pods.desired))
        return TrafficState(
            weight=weight,
            stable=await self._pods(route, route.workload, parts.stable),
            canary=canary,
            run=parts.run,
            edited=next(filter(None, edited), ""),
            baseline=baseline,
            stable_before=canary_marks.stable_before(metadata_of(parts.canary).annotations),
        )

    async def _pods(self, route: Route, ref: WorkloadRef, raw: Raw) -> Pods:
        workload = read(Workload, raw)
        image, counted = released_image(route.workload, workload), progress(ref.kind, workload)
        if seen(workload) and counted.complete:
            # Pods that are all available have no faults: they need not be listed, at every look of a whole trial.
            return Pods(image, counted.desired, workload.status.ready_replicas, settled=True)
        state = await self._workloads.state(ref, workload)
        return Pods(image, state.desired, workload.status.ready_replicas, state.settled, state.faults)


def _replicas(raw: Raw) -> int:
    """The pods desired of a Deployment; none where there is no Deployment."""
    return read(Workload, raw).spec.replicas if raw else 0


def _pods_for(stable: int, weight: int) -> int:
    if weight >= WHOLE:
        raise RefusedError("without a router the stable pods always take their share: 100 % cannot be shifted")
    return canary_pods_by_ratio(stable, weight)
