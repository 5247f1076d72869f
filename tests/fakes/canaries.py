"""Canaries in an imagined cluster, on virtual time."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_canary_marks import Mark
from bot.domain.errors import ConflictError, NotFoundError, RefusedError
from bot.domain.traffic import WHOLE, Route, Router, canary_pods_by_ratio, share_of
from bot.ports.canaries import Pods, Survey, TrafficState
from bot.ports.cluster import Fence
from tests.fakes.rollouts import FakeWorkload
from tests.fakes.scenery import bare, chosen
from tests.fakes.traffic import FakeRoute
from tests.fakes.writing import WrittenScenery


class FakeCanaries:
    """`Canaries` over a `FakeCluster`; keeps nothing itself, so that a restarted process finds what was there.

    The canary is a workload of the cluster (`route.canary`) that rolls out as others do: see it with `cluster.find`,
    let it go wrong with `cluster.behave`, scale it by hand with `cluster.scale`. What people do to the router is in
    `cluster.traffic`. Verbs in `cluster.writes`, in the order of a canary's life: make_canary, make_service,
    enter_route, scale_canary, shift, leave_route, delete_service, delete_canary.
    """

    def __init__(self, cluster: WrittenScenery) -> None:
        self._cluster = cluster

    async def survey(self, route: Route) -> Survey:
        """See `Canaries`: what `cluster.traffic.survey` was told, and a router's object that is gone or not ours."""
        self._cluster.reach()
        stable, found = self._cluster.find(route.workload), self._cluster.traffic.of(route)
        problems = list(found.problems)
        if found.missing:
            problems.append(f"there is no {canary_marks.named(route)} in {route.workload.namespace}")
        if owner := _owner(route, found):
            problems.append(canary_marks.owned(route, owner))
        if found.weight is not None and canary_marks.entry_of(route, found.annotations) is None:
            problems.append(canary_marks.foreign_entry(route))
        return Survey(stable.replicas, found.most_pods or stable.replicas, tuple(problems), found.risks)

    async def observe(self, route: Route) -> TrafficState:
        """See `Canaries`."""
        self._cluster.reach()
        return self._state(route)

    async def bring(self, route: Route, image: str, pods: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        self._begin(route, fence)
        stable, canary, found = self._cluster.find(route.workload), self._canary(route), self._found(route)
        self._admit(route, fence)
        container = chosen(route.workload, stable)
        if canary is None:
            self._make(route, stable.containers | {container: image}, image, pods, fence)
        elif (running := canary.containers[container]) != image:
            raise RefusedError(f"{route.canary} runs `{running}`, not `{image}`; remove it before bringing another")
        else:
            self._scale(route, canary, pods, fence)
        if route.router is Router.REPLICAS:
            return self._state(route)
        if found.service is None:
            with self._cluster.telling("make_service", bare(route.canary), canary_marks.canary_service(route)):
                found.service = marks.marks(fence)
        if found.weight is None:
            with self._writing("enter_route", route, "0"):
                found.weight = 0
                found.annotations |= canary_marks.entry_note(route, 0, fence)
        return self._state(route)

    async def shift(self, route: Route, weight: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        self._begin(route, fence)
        canary, found = self._canary(route), self._found(route)
        self._admit(route, fence)
        routed = route.router is not Router.REPLICAS
        if weight and (canary is None or (routed and found.service is None)):
            raise NotFoundError(f"{route.canary} is not whole: bring it before it gets requests")
        if not routed:
            stable = self._cluster.find(route.workload)
            if canary is not None:
                self._scale(route, canary, _pods_for(stable.replicas, weight), fence)
            return self._state(route)
        entry = canary_marks.entry_of(route, found.annotations)
        if weight != (found.weight or 0) or (entry is not None and (entry.weight, found.weight) != (weight, weight)):
            with self._writing("shift", route, str(weight)):
                found.weight = weight
                found.annotations |= canary_marks.entry_note(route, weight, fence)
        return self._state(route)

    async def remove(self, route: Route, fence: Fence) -> bool:
        """See `Canaries`."""
        self._cluster.reach()
        if bare(route.workload) in self._cluster.workloads:
            marks.admit(route.workload, self._cluster.find(route.workload).annotations, fence)
        canary, found = self._canary(route), self._cluster.traffic.of(route)
        self._admit(route, fence, after=True)
        if found.weight is not None:
            canary_marks.refuse_owned(route, _owner(route, found))
        if found.weight:
            with self._writing("shift", route, "0"):
                found.weight = 0
                found.annotations |= canary_marks.entry_note(route, 0, fence)
        elif found.weight is not None or canary_marks.entry_key(route) in found.annotations:
            with self._writing("leave_route", route, canary_marks.named(route)):
                found.weight = None
                found.annotations.pop(canary_marks.entry_key(route), None)
        elif found.service is not None:
            with self._cluster.telling("delete_service", bare(route.canary), canary_marks.canary_service(route)):
                found.service = None
        elif canary is not None:
            with self._cluster.telling("delete_canary", bare(route.canary), ""):
                del self._cluster.workloads[bare(route.canary)]
        return not self.leftovers(route)

    def leftovers(self, route: Route) -> list[str]:
        """What there is of a canary, for tests that want nothing left."""
        found = self._cluster.traffic.of(route)
        there = {
            "deployment": self._canary(route) is not None,
            "service": found.service is not None,
            "entry": found.weight is not None,
            "note": canary_marks.entry_key(route) in found.annotations,
        }
        return [name for name, is_there in there.items() if is_there]

    def _begin(self, route: Route, fence: Fence) -> None:
        self._cluster.reach()
        marks.admit(route.workload, self._cluster.find(route.workload).annotations, fence)
        canary_marks.refuse_owned(route, _owner(route, self._found(route)))

    def _found(self, route: Route) -> FakeRoute:
        found = self._cluster.traffic.of(route)
        if found.missing:
            raise NotFoundError(f"{canary_marks.named(route)} in namespace {route.workload.namespace}: not found")
        return found

    def _admit(self, route: Route, fence: Fence, *, after: bool = False) -> None:
        """All that is there of a canary must be this run's."""
        canary, found = self._canary(route), self._cluster.traffic.of(route)
        if canary is not None:
            mark = canary_marks.mark_of(canary.annotations)
            canary_marks.admit(route, f"deployment/{route.canary.name}", mark, fence, after=after)
        if found.service is not None:
            mark = canary_marks.mark_of(found.service)
            canary_marks.admit(route, f"service/{canary_marks.canary_service(route)}", mark, fence, after=after)
        entry, weights = canary_marks.entry_of(route, found.annotations), _weights(found)
        canary_marks.admit_entry(route, entry, weights, fence, after=after)

    def _canary(self, route: Route) -> FakeWorkload | None:
        return self._cluster.workloads.get(bare(route.canary))

    def _make(self, route: Route, containers: dict[str, str], image: str, pods: int, fence: Fence) -> None:
        cluster = self._cluster
        with cluster.telling("make_canary", bare(route.canary), f"{image} ×{pods}"):
            cluster.add(route.canary, image, replicas=pods)
            canary = cluster.find(route.canary)
            canary.containers, canary.made, canary.ready = containers, 0, 0
            canary.annotations |= marks.marks(fence) | canary_marks.wrote(image, pods)

    def _scale(self, route: Route, canary: FakeWorkload, pods: int, fence: Fence) -> None:
        image = canary.containers[chosen(route.workload, canary)]
        if canary.replicas == pods and not canary_marks.edited_pods(route, canary.annotations, image, pods):
            return
        with self._cluster.writing("scale_canary", canary, str(pods)):
            canary.scale(self._cluster.clock.now(), pods)
            canary.annotations |= marks.marks(fence) | canary_marks.wrote(image, pods)

    @contextmanager
    def _writing(self, verb: str, route: Route, detail: str) -> Iterator[None]:
        """One change of the router's object, bound to what was read."""
        found = self._cluster.traffic.of(route)
        version = found.version
        with self._cluster.telling(verb, bare(route.workload), detail):
            if found.version != version:
                raise ConflictError(f"{canary_marks.named(route)} changed in cluster {self._cluster.name} meanwhile")
            yield
            found.version += 1

    def _state(self, route: Route) -> TrafficState:
        stable, canary, found = self._cluster.find(route.workload), self._canary(route), self._found(route)
        entry = canary_marks.entry_of(route, found.annotations)
        weight = found.weight or 0
        if route.router is Router.REPLICAS:
            weight = share_of(canary.replicas if canary else 0, stable.replicas)
        edited = canary_marks.edited_weight(route, entry, _weights(found))
        if canary is not None and not edited:
            image = canary.containers[chosen(route.workload, canary)]
            edited = canary_marks.edited_pods(route, canary.annotations, image, canary.replicas)
        known = (canary.annotations if canary else {}, found.service or {})
        runs = [*(canary_marks.mark_of(one) for one in known), entry.mark if entry else Mark()]
        run = next((mark.run for mark in runs if mark.run), "")
        return TrafficState(
            weight, self._pods(route, stable), self._pods(route, canary) if canary else None, run, edited
        )

    def _pods(self, route: Route, workload: FakeWorkload) -> Pods:
        state = self._cluster.state(workload, workload.ref)
        image = workload.containers[chosen(route.workload, workload)]
        return Pods(image, state.desired, state.available, state.settled, state.faults)


def _weights(found: FakeRoute) -> tuple[int, ...]:
    return () if found.weight is None else (found.weight,)


def _owner(route: Route, found: FakeRoute) -> str:
    """Who else manages what Sluice would write to; ingress-nginx's stable Ingress stays as it is."""
    return "" if route.router is Router.NGINX else found.owner


def _pods_for(stable: int, weight: int) -> int:
    if weight >= WHOLE:
        raise RefusedError("without a router the stable pods always take their share: 100 % cannot be shifted")
    return canary_pods_by_ratio(stable, weight)
