"""What there is of a canary, and whether a run may touch it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_canary_marks import Mark, Track, Wish
from bot.adapters.kubernetes_containers import chosen_container, image_of
from bot.adapters.kubernetes_objects import Metadata, read
from bot.adapters.kubernetes_routing import Standing
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.errors import RefusedError
from bot.domain.traffic import Route, Router
from bot.ports.cluster import Fence


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands in the places of one route; raw objects are empty where there is none. `stable` is the workload.

    A Deployment in the baseline's place that Sluice did not make is no part of the canary, and in nobody's way where
    no fresh baseline is wanted.
    """

    route: Route
    stable: Raw
    canary: Raw
    baseline: Raw
    service: Raw
    standing: Standing

    @property
    def own_baseline(self) -> Raw:
        """The fresh baseline's Deployment."""
        return self.baseline if self._mark(self.baseline).run else {}

    @property
    def any(self) -> bool:
        """Whether anything is left of the canary."""
        made = self.canary or self.service or self.own_baseline
        return bool(made or self.standing.weights or self.standing.entry)

    @property
    def run(self) -> str:
        """The run that brought it; empty: none, or not ours."""
        entry = self.standing.entry
        made = (self._mark(raw) for raw in (self.canary, self.service, self.baseline))
        found = (*made, entry.mark if entry else Mark())
        return next((mark.run for mark in found if mark.run), "")

    def of(self, track: Track) -> Raw:
        """The Deployment in that place."""
        return self.canary if track is Track.CANARY else self.baseline

    def admit(self, fence: Fence, *, after: bool = False) -> None:
        """Let the run pass if all that is there is its own; with `after` also the next run. Raises as
        `canary_marks.admit`."""
        # What a person must delete is also what an earlier plan wanted.
        route = replace(self.route, fresh_baseline=self.route.fresh_baseline or bool(self.own_baseline))
        found = (
            (f"deployment/{route.canary.name}", self.canary),
            (f"service/{canary_marks.canary_service(route)}", self.service),
            (f"deployment/{route.baseline.name}", self.own_baseline),
        )
        for what, raw in found:
            if raw:
                canary_marks.admit(route, what, self._mark(raw), fence, after=after)
        canary_marks.admit_entry(route, self.standing.entry, self.standing.weights, fence, after=after)

    def occupied(self) -> Iterator[str]:
        """What somebody else has where this route needs places, each a sentence."""
        route = self.route
        wanted = [(f"deployment/{route.canary.name}", self.canary)]
        if route.router is not Router.REPLICAS:
            wanted.append((f"service/{canary_marks.canary_service(route)}", self.service))
        if route.fresh_baseline:
            wanted.append((f"deployment/{route.baseline.name}", self.baseline))
        for what, raw in wanted:
            if raw and not self._mark(raw).run:
                yield canary_marks.occupied(route, what)

    def wishes(self, image: str, pods: int) -> list[Wish]:
        """The pods that shall be beside stable while a canary of `image` runs.

        Raises RefusedError where a place is somebody else's, or where other images run there.
        """
        for sentence in self.occupied():
            raise RefusedError(sentence)
        made = [Wish(Track.CANARY, image, pods)]
        if self.route.fresh_baseline:
            made.append(Wish(Track.BASELINE, self.image(self.stable), pods))
        for wish in made:
            raw = self.of(wish.track)
            if raw and (said := canary_marks.another(self.route, wish, self.image(raw))):
                raise RefusedError(said)
        return made

    def image(self, raw: Raw) -> str:
        """What the released container of a Deployment runs. Raises RefusedError where several could be meant."""
        workload = read(Workload, raw)
        return image_of(workload, chosen_container(self.route.workload, workload))

    def _mark(self, raw: Raw) -> Mark:
        return canary_marks.mark_of(self.route, metadata_of(raw).annotations) if raw else Mark()


def metadata_of(raw: Raw) -> Metadata:
    """An object's metadata."""
    return read(Metadata, raw.get("metadata") or {})
