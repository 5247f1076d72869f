"""Who gets a Service's requests: its ready pods, in the shares that the routers' objects give."""

from collections.abc import Callable, Iterator

from bot.sandbox.endpoint import Endpoint
from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.control import is_ready
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.store import Record, Store

NGINX = "nginx.ingress.kubernetes.io/"
WHOLE = 100

Weights = dict[str, int]
"""Weight by Service."""

KINDS = frozenset(
    {
        resources.PODS,
        resources.SERVICES,
        resources.HTTP_ROUTES,
        resources.VIRTUAL_SERVICES,
        resources.INGRESSES,
    }
)
"""What endpoints depend on."""


def endpoints(store: Store, namespace: str, service: str) -> tuple[Endpoint, ...]:
    """The pods that answer requests to a Service's address. A rule of a router that leads to the Service divides its
    requests between all of the rule's Services; without one they are the Service's own. Requests to a Service without
    ready pods are not lost, as they would be in a cluster: the others get them."""
    given = weights(store, namespace, service)
    pods = {name: _ready(store, namespace, name) for name, weight in given.items() if weight}
    together = sum(given[name] for name, found in pods.items() if found)
    return tuple(_endpoint(pod, given[name] / together / len(found)) for name, found in pods.items() for pod in found)


def weights(store: Store, namespace: str, service: str) -> Weights:
    """How the first rule that leads to the Service divides its requests."""
    for found in (_http_routes, _virtual_services, _ingresses):
        for rule in found(store, namespace):
            if service in rule:
                return rule
    return {service: WHOLE}


def _ready(store: Store, namespace: str, service: str) -> list[Record]:
    found = store.get(resources.SERVICES, (namespace, service))
    wanted = ((found.raw.get("spec") or {}).get("selector") or {}) if found else {}
    if not wanted:
        return []
    pods = (pod for pod in store.of(resources.PODS, namespace) if is_ready(pod.raw))
    return [pod for pod in pods if wanted.items() <= (pod.raw["metadata"].get("labels") or {}).items()]


def _endpoint(pod: Record, share: float) -> Endpoint:
    namespace, name = pod.key
    labels = pod.raw["metadata"].get("labels") or {}
    return Endpoint(name, namespace, pod.raw["spec"]["containers"][0]["image"], share, labels)


def _http_routes(store: Store, namespace: str) -> Iterator[Weights]:
    for route in store.of(resources.HTTP_ROUTES, namespace):
        for rule in route.raw.get("spec", {}).get("rules") or ():
            yield _divided(rule.get("backendRefs") or (), lambda ref: str(ref.get("name", "")), lone=1, several=1)


def _virtual_services(store: Store, namespace: str) -> Iterator[Weights]:
    def host(ref: Raw) -> str:
        # `api`, `api.staging` and `api.staging.svc.cluster.local` are the same Service.
        return str((ref.get("destination") or {}).get("host", "")).partition(".")[0]

    for service in store.of(resources.VIRTUAL_SERVICES, namespace):
        for rule in service.raw.get("spec", {}).get("http") or ():
            yield _divided(rule.get("route") or (), host, lone=WHOLE, several=0)


def _divided(refs: list[Raw] | tuple[Raw, ...], name: Callable[[Raw], str], *, lone: int, several: int) -> Weights:
    made: Weights = {}
    for ref in refs:
        weight = ref.get("weight")
        default = lone if len(refs) == 1 else several
        made[name(ref)] = made.get(name(ref), 0) + int(default if weight is None else weight)
    return made


def _ingresses(store: Store, namespace: str) -> Iterator[Weights]:
    """ingress-nginx: a canary's Ingress takes its weight from the one with the same host and path."""
    found = store.of(resources.INGRESSES, namespace)
    canaries = {place: (one, to) for one in found if _is_canary(one) for place, to in _paths(one)}
    for stable in found:
        for place, service in () if _is_canary(stable) else _paths(stable):
            if place not in canaries:
                yield {service: WHOLE}
                continue
            canary, to = canaries[place]
            weight = min(WHOLE, int(_annotation(canary, "canary-weight") or 0))
            yield {service: WHOLE - weight, to: weight}


def _is_canary(one: Record) -> bool:
    return _annotation(one, "canary") == "true"


def _annotation(one: Record, name: str) -> str:
    return str((one.raw["metadata"].get("annotations") or {}).get(NGINX + name, ""))


def _paths(ingress: Record) -> Iterator[tuple[tuple[str, str], str]]:
    for rule in ingress.raw.get("spec", {}).get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            service = ((path.get("backend") or {}).get("service") or {}).get("name")
            if service:
                yield (rule.get("host", ""), path.get("path", "/")), service
