"""Canaries in an imagined cluster, on virtual time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_canary_marks import Mark, Track, Wish
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

    The canary is a workload of the cluster (`route.canary`) that rolls out as others do, and so is a fresh baseline
    (`route.baseline`): see it with `cluster.find`, let it go wrong with `cluster.behave`, scale it by hand with
    `cluster.scale`. What people do to the router is in `cluster.traffic`. Verbs in `cluster.writes`, in the order of a
    canary's life: make_canary, make_baseline, make_service, enter_route, scale_canary, scale_baseline, shift,
    leave_route, delete_service, delete_canary, delete_baseline.
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
        problems.extend(self._occupied(route))
        if run := self._state(route).run if not found.missing else "":
            by_hand = canary_marks.by_hand(route)
            problems.append(f"a canary of {run} is still there; abort that run, or remove it: {by_hand}")
        return Survey(stable.replicas, tuple(problems), found.risks)

    async def observe(self, route: Route) -> TrafficState:
        """See `Canaries`."""
        self._cluster.reach()
        return self._state(route)

    async def bring(self, route: Route, image: str, pods: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        self._begin(route, fence)
        found = self._found(route)
        self._admit(route, fence)
        for wish in self._wishes(route, image, pods):
            if (workload := self._beside(route, wish.track)) is None:
                self._make(route, wish, fence)
            else:
                self._scale(route, workload, wish, fence)
        if route.router is Router.REPLICAS:
            return self._state(route)
        if found.service is None:
            with self._cluster.telling("make_service", bare(route.canary), canary_marks.canary_service(route)):
                found.service = canary_marks.made_for(route, fence)
        if found.weight is None:
            with self._writing("enter_route", route, "0"):
                found.weight = 0
                found.annotations |= canary_marks.entry_note(route, 0, fence)
        return self._state(route)

    async def shift(self, route: Route, weight: int, fence: Fence) -> TrafficState:
        """See `Canaries`."""
        self._begin(route, fence)
        canary, found = self._beside(route, Track.CANARY), self._found(route)
        self._admit(route, fence)
        routed = route.router is not Router.REPLICAS
        if weight and (canary is None or (routed and found.service is None)):
            raise NotFoundError(f"{route.canary} is not whole: bring it before it gets requests")
        if not routed:
            if canary is not None:
                pods = _pods_for(self._stable_share(route), weight)
                image = canary.containers[chosen(route.workload, canary)]
                self._scale(route, canary, Wish(Track.CANARY, image, pods), fence)
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
        found = self._cluster.traffic.of(route)
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
        elif track := next((one for one in Track if self._own(route, one)), None):
            with self._cluster.telling(f"delete_{track}", bare(track.of(route)), ""):
                del self._cluster.workloads[bare(track.of(route))]
        return not self.leftovers(route)

    def leftovers(self, route: Route) -> list[str]:
        """What there is of a canary, for tests that want nothing left."""
        found = self._cluster.traffic.of(route)
        there = {
            "deployment": self._beside(route, Track.CANARY) is not None,
            "baseline": self._own(route, Track.BASELINE) is not None,
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
        baseline, found = self._own(route, Track.BASELINE), self._cluster.traffic.of(route)
        route = replace(route, fresh_baseline=route.fresh_baseline or baseline is not None)
        for workload in (self._beside(route, Track.CANARY), baseline):
            if workload is not None:
                mark = canary_marks.mark_of(route, workload.annotations)
                canary_marks.admit(route, f"deployment/{workload.ref.name}", mark, fence, after=after)
        if found.service is not None:
            mark = canary_marks.mark_of(route, found.service)
            canary_marks.admit(route, f"service/{canary_marks.canary_service(route)}", mark, fence, after=after)
        entry, weights = canary_marks.entry_of(route, found.annotations), _weights(found)
        canary_marks.admit_entry(route, entry, weights, fence, after=after)

    def _beside(self, route: Route, track: Track) -> FakeWorkload | None:
        return self._cluster.workloads.get(bare(track.of(route)))

    def _own(self, route: Route, track: Track) -> FakeWorkload | None:
        """The same where Sluice made it."""
        found = self._beside(route, track)
        return found if found and canary_marks.mark_of(route, found.annotations).run else None

    def _occupied(self, route: Route) -> Iterator[str]:
        """What somebody else has where this route needs places."""
        for track in Track if route.fresh_baseline else (Track.CANARY,):
            if self._beside(route, track) and not self._own(route, track):
                yield canary_marks.occupied(route, f"deployment/{track.of(route).name}")

    def _wishes(self, route: Route, image: str, pods: int) -> list[Wish]:
        for sentence in self._occupied(route):
            raise RefusedError(sentence)
        stable = self._cluster.find(route.workload)
        container = chosen(route.workload, stable)
        made = [Wish(Track.CANARY, image, pods)]
        if route.fresh_baseline:
            made.append(Wish(Track.BASELINE, stable.containers[container], pods))
        for wish in made:
            found = self._beside(route, wish.track)
            if found and (said := canary_marks.another(route, wish, found.containers[container])):
                raise RefusedError(said)
        return made

    def _make(self, route: Route, wish: Wish, fence: Fence) -> None:
        cluster, ref = self._cluster, wish.track.of(route)
        stable = cluster.find(route.workload)
        with cluster.telling(f"make_{wish.track}", bare(ref), f"{wish.image} ×{wish.pods}"):
            cluster.add(ref, wish.image, replicas=wish.pods)
            made = cluster.find(ref)
            made.containers = stable.containers | {chosen(route.workload, stable): wish.image}
            made.environment, made.cpu_cores = dict(stable.environment), stable.cpu_cores
            made.made, made.ready = 0, 0
            made.annotations |= canary_marks.made_for(route, fence) | canary_marks.wrote(wish.image, wish.pods)
            if wish.track is Track.CANARY:
                made.annotations |= canary_marks.stable_pods(stable.replicas)

    def _scale(self, route: Route, workload: FakeWorkload, wish: Wish, fence: Fence) -> None:
        name, image = workload.ref.name, workload.containers[chosen(route.workload, workload)]
        if workload.replicas == wish.pods and not canary_marks.edited_pods(
            name, workload.annotations, image, wish.pods
        ):
            return
        with self._cluster.writing(f"scale_{wish.track}", workload, str(wish.pods)):
            workload.scale(self._cluster.clock.now(), wish.pods)
            workload.annotations |= marks.marks(fence) | canary_marks.wrote(image, wish.pods)

    def _stable_share(self, route: Route) -> int:
        """The pods desired that take stable's requests."""
        baseline = self._own(route, Track.BASELINE)
        return self._cluster.find(route.workload).replicas + (baseline.replicas if baseline else 0)

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
        stable, found = self._cluster.find(route.workload), self._found(route)
        canary, baseline = self._beside(route, Track.CANARY), self._own(route, Track.BASELINE)
        entry = canary_marks.entry_of(route, found.annotations)
        weight = found.weight or 0
        if route.router is Router.REPLICAS:
            weight = share_of(canary.replicas if canary else 0, self._stable_share(route))
        edited = [canary_marks.edited_weight(route, entry, _weights(found))]
        edited += [self._edited(route, one) for one in (canary, baseline) if one]
        noted = canary.annotations if canary else {}
        known = (noted, found.service or {}, baseline.annotations if baseline else {})
        runs = [*(canary_marks.mark_of(route, one) for one in known), entry.mark if entry else Mark()]
        return TrafficState(
            weight=weight,
            stable=self._pods(route, stable),
            canary=self._pods(route, canary) if canary else None,
            run=next((mark.run for mark in runs if mark.run), ""),
            edited=next(filter(None, edited), ""),
            baseline=self._pods(route, baseline) if baseline else None,
            stable_before=canary_marks.stable_before(noted),
        )

    def _edited(self, route: Route, workload: FakeWorkload) -> str:
        image = _released(route, workload)
        return canary_marks.edited_pods(workload.ref.name, workload.annotations, image, workload.replicas)

    def _pods(self, route: Route, workload: FakeWorkload) -> Pods:
        state = self._cluster.state(workload, workload.ref)
        image = _released(route, workload)
        return Pods(image, state.desired, state.available, state.settled, state.faults)


def _released(route: Route, workload: FakeWorkload) -> str:
    """The released container's image; empty where that cannot be told."""
    try:
        return workload.containers[chosen(route.workload, workload)]
    except RefusedError:
        return ""


def _weights(found: FakeRoute) -> tuple[int, ...]:
    return () if found.weight is None else (found.weight,)


def _owner(route: Route, found: FakeRoute) -> str:
    """Who else manages what Sluice would write to; ingress-nginx's stable Ingress stays as it is."""
    return "" if route.router is Router.NGINX else found.owner


def _pods_for(stable: int, weight: int) -> int:
    if weight >= WHOLE:
        raise RefusedError("without a router the stable pods always take their share: 100 % cannot be shifted")
    return canary_pods_by_ratio(stable, weight)
