"""Weights in the objects of routers, as their servers keep them."""

from bot.adapters.kubernetes_calls import (
    Raw,
)


def backends(spec: Raw) -> list[list[Raw]]:
    rules: list[Raw] = spec.get("rules") or spec.get("http") or []
    return [rule.get("backendRefs") or rule.get("route") or [] for rule in rules]


def service_of(ref: Raw) -> str:
    return str(ref.get("name") or ref["destination"]["host"])


def weights(refs: list[Raw]) -> tuple[int, int]:
    found = {service_of(ref): ref.get("weight") for ref in refs}
    if "api-canary" not in found:
        return 100, 0
    return found["api"] or 0, found["api-canary"] or 0
