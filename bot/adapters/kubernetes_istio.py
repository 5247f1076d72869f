"""Weights of an Istio VirtualService: `spec.http[].route[].weight`; a lone destination without one has all."""

from bot.adapters.kubernetes_calls import VIRTUAL_SERVICES, Raw
from bot.adapters.kubernetes_weights import Dialect
from bot.domain.traffic import WHOLE, Route


def _host(ref: Raw) -> str:
    return str((ref.get("destination") or {}).get("host") or "")


def _leads_to(route: Route, ref: Raw, service: str) -> bool:
    """A host is a Service's short name, or goes on with its namespace, `svc` and the cluster's domain."""
    name, *rest = _host(ref).split(".")
    return (
        name == service
        and (rest[:1] or [route.workload.namespace]) == [route.workload.namespace]
        and (rest[1:2] in ([], ["svc"]))
    )


def _renamed(_route: Route, ref: Raw, service: str) -> Raw:
    """Without the subset: a DestinationRule defines it for one host only, and the canary's Service has none."""
    destination = {key: value for key, value in ref["destination"].items() if key != "subset"}
    _, dot, rest = _host(ref).partition(".")
    return {**ref, "destination": {**destination, "host": f"{service}{dot}{rest}"}}


def _lost(ref: Raw) -> str:
    subset = (ref.get("destination") or {}).get("subset")
    said = f"stable has the subset {subset} of {_host(ref)}; what its DestinationRule says does not hold for the canary"
    return said if subset else ""


ISTIO = Dialect(VIRTUAL_SERVICES, "http", "route", WHOLE, 0, _leads_to, _renamed, _lost)
