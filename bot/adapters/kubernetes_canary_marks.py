"""What Sluice writes on a canary's objects, and whose canary it respects. Pure.

What Sluice makes for a canary carries the marks of a workload and what it was told to be. A router's object may lead to
many services, each with a canary of its own: there one annotation a service says whose the canary is and what its
weight was when Sluice last wrote it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.adapters import kubernetes_marks as marks
from bot.domain.errors import FencedError, RefusedError, UnreadableError
from bot.domain.target import WorkloadRef
from bot.domain.traffic import Route, Router
from bot.ports.cluster import RUN_MARK, Fence

WROTE = marks.PREFIX + "wrote"
STABLE_PODS = marks.PREFIX + "stable-pods"
SUFFIX = "-canary"
LONGEST_NAME = 63
"""Labels' values and Services' names; a Deployment's pods carry its name in theirs."""

KINDS = {
    Router.GATEWAY_API: "httproute",
    Router.ISTIO: "virtualservice",
    Router.NGINX: "ingress",
    Router.REPLICAS: "service",
}


class Track(StrEnum):
    """What the pods beside the stable ones are for."""

    CANARY = "canary"
    BASELINE = "baseline"

    def of(self, route: Route) -> WorkloadRef:
        """The Deployment of these pods."""
        return route.canary if self is Track.CANARY else route.baseline

    @property
    def label(self) -> dict[str, str]:
        """What tells these pods apart where they keep the labels of stable ones."""
        return {marks.PREFIX + "track": self.value}


@dataclass(frozen=True, slots=True)
class Wish:
    """What pods there shall be beside the stable ones."""

    track: Track
    image: str
    pods: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose an object of a canary is; `run` is empty when it is not Sluice's."""

    run: str = ""
    token: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands on a router's object about one service: whose canary, the weight written last, in per cent, and
    what weights the rules gave the stable pods before there was a canary (`None`: none was written)."""

    mark: Mark
    weight: int
    before: tuple[int | None, ...] = ()


def canary_service(route: Route) -> str:
    """The Service of the canary's pods."""
    return route.service + SUFFIX


def entry_key(route: Route) -> str:
    """The annotation of a router's object that speaks of one service."""
    return f"canary.{marks.PREFIX}{route.service}"


def entry_note(route: Route, weight: int, fence: Fence, *, before: tuple[int | None, ...] = ()) -> dict[str, str]:
    """The annotation that remembers a weight and whose it is."""
    said = {"run": fence.run_id, "step": fence.step, "token": fence.token, "weight": weight, "before": before}
    return {entry_key(route): json.dumps(said)}


def entry_of(route: Route, annotations: Mapping[str, str]) -> Entry | None:
    """What `entry_note` wrote there. Raises UnreadableError when somebody edited it beyond reading."""
    if (text := annotations.get(entry_key(route))) is None:
        return None
    try:
        said = json.loads(text)
        return Entry(Mark(str(said["run"]), int(said["token"])), int(said["weight"]), tuple(said.get("before") or ()))
    except (ValueError, KeyError, TypeError) as exc:
        raise UnreadableError(
            f"the annotation {entry_key(route)} of {named(route)} is not what Sluice wrote. Remove it with "
            f"`kubectl annotate -n {route.workload.namespace} {KINDS[route.router]} {route.name} {entry_key(route)}-`"
        ) from exc


def made_for(route: Route, fence: Fence) -> dict[str, str]:
    """The annotations of all that Sluice makes for a canary."""
    return {**marks.marks(fence), marks.WORKLOAD: _workload(route)}


def mark_of(route: Route, annotations: Mapping[str, str]) -> Mark:
    """Whose an object is that Sluice makes for this workload; nobody's if it was made for something else. A service of
    its own that is called `api-canary` carries marks of releases, too."""
    if annotations.get(marks.WORKLOAD) != _workload(route):
        return Mark()
    token = annotations.get(marks.FENCE, "")
    return Mark(annotations.get(RUN_MARK, ""), int(token) if token.isdecimal() else 0)


def _workload(route: Route) -> str:
    return f"{route.workload.kind}/{route.workload.name}"


def admit(route: Route, what: str, found: Mark, fence: Fence, *, after: bool = False) -> None:
    """Let the run pass that `what` (as in `deployment/api-canary`) belongs to; with `after` also the next one.

    Raises FencedError for a former owner of that run, RefusedError with the way out for anybody else's.
    """
    place = f"{what} in {route.workload.namespace}"
    if not found.run:
        raise RefusedError(occupied(route, what))
    if found.run == fence.run_id:
        if found.token > fence.token:
            said = f"the mark of a newer owner of {found.run} (token {found.token}, not {fence.token})"
            raise FencedError(f"{place} carries {said}")
        return
    if not (after and found.run == fence.after):
        raise RefusedError(f"{place} is the canary of {found.run}; abort that run, or remove it: {by_hand(route)}")


def occupied(route: Route, what: str) -> str:
    """The sentence about an object of somebody else where Sluice would make its own."""
    place = f"{what} in {route.workload.namespace}"
    return f"{place} was not made by Sluice and stands where Sluice would make its own; rename or delete it"


def admit_entry(
    route: Route, entry: Entry | None, weights: tuple[int, ...], fence: Fence, *, after: bool = False
) -> None:
    """The same for what stands on the router's object; `weights` are those that its rules give the canary."""
    if entry is not None:
        admit(route, named(route), entry.mark, fence, after=after)
    elif weights:
        raise RefusedError(foreign_entry(route))


def foreign_entry(route: Route) -> str:
    """The sentence about an entry that somebody else made for a canary."""
    return (
        f"{named(route)} in {route.workload.namespace} names {canary_service(route)} already, and not by Sluice; "
        "take it out of there"
    )


def by_hand(route: Route) -> str:
    """How a person removes a canary, traffic first."""
    kubectl = f"kubectl -n {route.workload.namespace}"
    made = f"deployment/{route.canary.name}"
    if route.fresh_baseline:
        made = f"{made} deployment/{route.baseline.name}"
    match route.router:
        case Router.REPLICAS:
            return f"`{kubectl} delete {made}`"
        case Router.NGINX:
            return f"`{kubectl} delete ingress/{route.name}{SUFFIX} service/{canary_service(route)} {made}`"
    edited = (
        f"`{kubectl} edit {KINDS[route.router]} {route.name}` (take {canary_service(route)} and {entry_key(route)} out)"
    )
    return f"{edited}, then `{kubectl} delete service/{canary_service(route)} {made}`"


def wrote(image: str, pods: int) -> dict[str, str]:
    """The annotation that remembers what pods beside the stable ones were told to be."""
    return {WROTE: json.dumps({"image": image, "pods": pods})}


def edited_pods(name: str, annotations: Mapping[str, str], image: str, pods: int) -> str:
    """As a clause, what of the Deployment `name` is not what `wrote` says; empty: nothing, or nothing is known."""
    try:
        said = json.loads(annotations.get(WROTE, "{}"))
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        return ""
    if image and (given := said.get("image", image)) != image:
        return f"{name} runs `{image}`, and Sluice gave it `{given}`"
    if (asked := said.get("pods", pods)) != pods:
        return f"{name} is scaled to {pods}, and Sluice asked for {asked}"
    return ""


def another(route: Route, wish: Wish, running: str) -> str:
    """The sentence about pods that run another image than they should; empty where they do not."""
    if running == wish.image:
        return ""
    ref = wish.track.of(route)
    if wish.track is Track.CANARY:
        return f"{ref} runs `{running}`, not `{wish.image}`; remove it before bringing another"
    return (
        f"{ref} runs `{running}`, and stable `{wish.image}` by now: nothing could be learnt from it; abort the run, "
        "and canary anew"
    )


def stable_pods(pods: int) -> dict[str, str]:
    """The canary's annotation that remembers how many stable pods there were when it was made."""
    return {STABLE_PODS: str(pods)}


def stable_before(annotations: Mapping[str, str]) -> int | None:
    """What `stable_pods` wrote; `None` where nobody did, or somebody edited it."""
    written = annotations.get(STABLE_PODS, "")
    return int(written) if written.isdecimal() else None


def edited_weight(route: Route, entry: Entry | None, weights: tuple[int, ...]) -> str:
    """The same of the weights that the route's rules give the canary; `weights` is empty where no rule names it."""
    if entry is None:
        return ""
    if not weights:
        return f"the canary was taken out of {named(route)}"
    odd = next((weight for weight in weights if weight != entry.weight), None)
    return "" if odd is None else f"{named(route)} gives the canary {odd} %, and Sluice wrote {entry.weight} %"


def named(route: Route) -> str:
    """The router's object, for people."""
    return f"{KINDS[route.router]} {route.name or route.service}"


def refuse_owned(route: Route, owned_by: str) -> None:
    """Raises RefusedError, with the ways out, when a controller owns the router's object."""
    if owned_by:
        raise RefusedError(owned(route, owned_by))


def owned(route: Route, owned_by: str) -> str:
    """The sentence about a router's object that a controller owns."""
    kubectl = f"kubectl annotate -n {route.workload.namespace} {KINDS[route.router]} {route.name} {marks.ALLOW}=true"
    return (
        f"{named(route)} in {route.workload.namespace} is managed by {owned_by}, which would undo a change of weights. "
        f"Tell it to ignore the weights, then let Sluice act: `{kubectl}`"
    )
