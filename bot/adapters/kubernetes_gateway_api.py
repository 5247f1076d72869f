"""Weights of an HTTPRoute of the Gateway API: `spec.rules[].backendRefs[].weight`, 1 where none is written."""

from bot.adapters.kubernetes_calls import HTTP_ROUTES, Raw
from bot.adapters.kubernetes_weights import Dialect
from bot.domain.traffic import Route


def _leads_to(route: Route, ref: Raw, service: str) -> bool:
    kind = (ref.get("group") or "", ref.get("kind") or "Service")
    place = ref.get("namespace") or route.workload.namespace
    return kind == ("", "Service") and (place, ref.get("name")) == (route.workload.namespace, service)


def _renamed(_route: Route, ref: Raw, service: str) -> Raw:
    return {**ref, "name": service}


def _lost(_ref: Raw) -> str:
    return ""


GATEWAY_API = Dialect(HTTP_ROUTES, "rules", "backendRefs", 1, 1, _leads_to, _renamed, _lost)
