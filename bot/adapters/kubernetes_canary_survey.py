"""Whether a canary can be run: what stands in its way, and what those who vote should know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters.kubernetes_calls import AUTOSCALERS, BUDGETS, NETWORK_POLICIES, SERVICES, Call, Raw, Resource
from bot.adapters.kubernetes_canary_manifest import pod_labels, selector, stable_labels
from bot.adapters.kubernetes_canary_marks import LONGEST_NAME, SUFFIX, Track
from bot.adapters.kubernetes_canary_parts import Parts
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_containers import chosen_container
from bot.adapters.kubernetes_objects import Model, read
from bot.adapters.kubernetes_traffic_objects import Autoscaler, Budget, Policy, Service
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.errors import NotFoundError, RefusedError
from bot.domain.target import WorkloadKind
from bot.domain.traffic import Route, Router
from bot.ports.canaries import Survey
from bot.ports.cluster import WorkloadState


@dataclass(frozen=True, slots=True)
class Around:
    """What stands in the namespace around a workload."""

    services: Sequence[Service]
    autoscalers: Sequence[Autoscaler]
    budgets: Sequence[Budget]
    policies: Sequence[Policy]


async def around(client: KubernetesClient, namespace: str) -> Around:
    """Read it. Raises as `KubernetesClient.items`."""

    async def all_of(model: type[Model], resource: Resource) -> list[Model]:
        return [read(model, raw) for raw in await client.items(Call("list", resource, namespace))]

    try:
        budgets = await all_of(Budget, BUDGETS[0])
    except NotFoundError:
        budgets = await all_of(Budget, BUDGETS[1])
    return Around(
        await all_of(Service, SERVICES),
        await all_of(Autoscaler, AUTOSCALERS),
        budgets,
        await all_of(Policy, NETWORK_POLICIES),
    )


def survey(parts: Parts, state: WorkloadState, found: Around) -> Survey:
    """All of it, as sentences."""
    route, standing, stable = parts.route, parts.standing, read(Workload, parts.stable)
    problems = (
        *_of_the_workload(route, stable),
        *_of_names(route),
        *parts.occupied(),
        *_of_another_run(parts),
        *_of_services(route, stable, found.services),
        *_of_the_router(parts),
    )
    risks = (*_of_now(route, state), *_of_others(route, stable, found), *standing.risks)
    return Survey(stable.spec.replicas, problems, risks)


def _of_another_run(parts: Parts) -> Iterator[str]:
    if parts.run:
        by_hand = canary_marks.by_hand(parts.route)
        yield f"a canary of {parts.run} is still there; abort that run, or remove it: {by_hand}"


def _of_the_workload(route: Route, stable: Workload) -> Iterator[str]:
    place = route.workload
    if place.kind is not WorkloadKind.DEPLOYMENT:
        yield f"{place} is no Deployment; only Deployments can have a canary beside them"
    if stable.spec.replicas == 0:
        yield f"{place} has no pods; scale it up first"
    try:
        chosen_container(place, stable)
    except RefusedError as exc:
        yield str(exc)
    written = stable.spec.selector.match_labels
    if not written:
        yield f"the selector of {place} has no matchLabels by which canary pods could be told apart; add one"
    for key, value in selector(route, stable).items():
        if len(value) > LONGEST_NAME:
            yield f"the label {key}={value} is longer than {LONGEST_NAME} characters; shorten {key}={written[key]}"


def _of_names(route: Route) -> Iterator[str]:
    names = [f"Deployment {route.canary.name}"]
    if route.fresh_baseline:
        names.append(f"Deployment {route.baseline.name}")
    if route.router is not Router.REPLICAS:
        names.append(f"Service {canary_marks.canary_service(route)}")
    if route.router is Router.NGINX:
        names.append(f"Ingress {route.name}{SUFFIX}")
    for name in names:
        if len(name.partition(" ")[2]) > LONGEST_NAME:
            yield f"the name of the {name} is longer than {LONGEST_NAME} characters; shorten the one it is made of"


def _of_services(route: Route, stable: Workload, services: Sequence[Service]) -> Iterator[str]:
    before, after = stable_labels(stable), pod_labels(route, stable)
    own = next((one for one in services if one.metadata.name == route.service), None)
    if own is None:
        yield f"there is no Service {route.service} in {route.workload.namespace}; name another in `traffic:`"
    elif not own.selects(before):
        yield f"the Service {route.service} does not select the pods of {route.workload}; name the one that does"
    if route.router is Router.REPLICAS:
        return
    for one in services:
        if one.selects(before) and one.selects(after):
            labels = ",".join(f"{key}={value}" for key, value in one.spec.selector.items())
            yield (
                f"the Service {one.metadata.name} would send requests to canary pods whatever the weight: it selects "
                f"by {labels}, which both have; let it also select by a label of the selector of {route.workload}"
            )


def _of_the_router(parts: Parts) -> Iterator[str]:
    route, standing = parts.route, parts.standing
    yield from standing.problems
    if standing.owner:
        yield canary_marks.owned(route, standing.owner)
    if standing.weights and standing.entry is None:
        yield canary_marks.foreign_entry(route)


def _of_now(route: Route, state: WorkloadState) -> Iterator[str]:
    if state.available < state.desired:
        yield f"{state.available} of {state.desired} pods of {route.workload} are available now"
    elif not state.settled:
        yield f"{route.workload} is being rolled out now"


def _of_others(route: Route, stable: Workload, found: Around) -> Iterator[str]:
    before, after = stable_labels(stable), pod_labels(route, stable)
    for one in _autoscalers(route, found):
        bounds = (
            f"the autoscaler {one.metadata.name} keeps {one.spec.min_replicas} to {one.spec.max_replicas} stable pods"
        )
        alike = route.router is Router.REPLICAS
        fresh = ", and counts the fresh baseline pods in" if route.fresh_baseline else ""
        yield f"{bounds}{', and counts the canary pods in' if alike else '; the canary is not scaled by it'}{fresh}"
    yield from _of_budgets(route, stable, found.budgets)
    for policy in found.policies:
        chosen = policy.spec.pod_selector
        if chosen.matches(before) and not chosen.matches(after):
            yield f"the NetworkPolicy {policy.metadata.name} is about stable pods only, not about the canary"
    for claim in _claims(stable):
        yield f"stable and canary pods share the volume claim {claim}"


def _of_budgets(route: Route, stable: Workload, budgets: Sequence[Budget]) -> Iterator[str]:
    before, after = stable_labels(stable), pod_labels(route, stable)
    for budget in budgets:
        chosen, name = budget.spec.selector, budget.metadata.name
        if not chosen.matches(before):
            continue
        if budget.status.disruptions_allowed == 0:
            yield f"the PodDisruptionBudget {name} allows no disruption now"
        if not chosen.matches(after):
            yield f"the PodDisruptionBudget {name} does not protect the canary pods"
        if route.fresh_baseline and chosen.matches(pod_labels(route, stable, Track.BASELINE)):
            yield f"the PodDisruptionBudget {name} counts the fresh baseline pods as stable ones"


def _autoscalers(route: Route, found: Around) -> list[Autoscaler]:
    wanted = (str(route.workload.kind), route.workload.name)
    return [
        one
        for one in found.autoscalers
        if (one.spec.scale_target_ref.kind.lower(), one.spec.scale_target_ref.name) == wanted
    ]


def _claims(stable: Workload) -> Iterator[str]:
    volumes: list[Raw] = (stable.spec.template.get("spec") or {}).get("volumes") or []
    for volume in volumes:
        if claim := volume.get("persistentVolumeClaim"):
            yield str(claim.get("claimName"))
