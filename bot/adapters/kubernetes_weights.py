"""Weights in the rules of a router's object, whatever its kind calls them. Pure.

Stable and canary divide what they have together: 100, or, where somebody has put a third backend into the rule, what
that one leaves them.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.adapters.kubernetes_calls import Raw, Resource
from bot.adapters.kubernetes_canary_marks import Entry, canary_service, named
from bot.domain.traffic import WHOLE, Route


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of object says it: `rules` is the field of `spec` with the rules, `refs` the field of a rule with
    its backends, `lone` and `several` the weight of a backend that has none, alone or among others."""

    resources: tuple[Resource, ...]
    rules: str
    refs: str
    lone: int
    several: int
    leads_to: Callable[[Route, Raw, str], bool]
    """Whether a backend is that Service."""
    renamed: Callable[[Route, Raw, str], Raw]
    """The same backend with that Service, as deep as it must be copied."""
    lost: Callable[[Raw], str]
    """What of a stable backend the canary cannot have, as a sentence; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Backends:
    """The backends of one rule, apart."""

    stable: Raw | None
    canary: Raw | None
    others: tuple[Raw, ...]
    doubled: bool
    together: int
    canary_weight: int


def backends(dialect: Dialect, route: Route, rule: Raw) -> Backends:
    """Who gets the requests of a rule."""
    refs: list[Raw] = rule.get(dialect.refs) or []
    stable = [ref for ref in refs if dialect.leads_to(route, ref, route.service)]
    canary = [ref for ref in refs if dialect.leads_to(route, ref, canary_service(route))]
    others = tuple(ref for ref in refs if ref not in stable and ref not in canary)
    weight = [_weight(dialect, ref, len(refs)) for ref in canary]
    together = sum(_weight(dialect, ref, len(refs)) for ref in stable) + sum(weight)
    doubled = len(stable) > 1 or len(canary) > 1
    first = (stable[0] if stable else None, canary[0] if canary else None)
    return Backends(*first, others, doubled, together, sum(weight))


def _weight(dialect: Dialect, ref: Raw, among: int) -> int:
    written = ref.get("weight")
    if written is None:
        return dialect.lone if among == 1 else dialect.several
    return int(written)


def ours(dialect: Dialect, route: Route, spec: Raw) -> Iterator[tuple[int, Backends]]:
    """The rules whose weights may change, by their place: the named one, or all that lead to the service."""
    for place, rule in enumerate(spec.get(dialect.rules) or []):
        if route.rule and route.rule not in (rule.get("name"), str(place + 1)):
            continue
        found = backends(dialect, route, rule)
        if found.stable or found.canary:
            yield place, found


def shares(dialect: Dialect, route: Route, spec: Raw) -> tuple[int, ...]:
    """The canary's share of what it and stable have together, in per cent, by rule; empty where no rule names it."""
    found = [backends for _, backends in ours(dialect, route, spec)]
    if not any(one.canary for one in found):
        return ()
    return tuple(round(WHOLE * one.canary_weight / one.together) if one.together else 0 for one in found)


def divided(dialect: Dialect, route: Route, spec: Raw, weight: int) -> list[Raw]:
    """All rules, with `weight` per cent for the canary in ours; everything else as it was."""
    rules: list[Raw] = copy.deepcopy(spec.get(dialect.rules) or [])
    for place, found in ours(dialect, route, spec):
        together = found.together if found.others and found.together else WHOLE
        of_canary = round(together * weight / WHOLE)
        weights = {route.service: together - of_canary, canary_service(route): of_canary}
        made = [{**_backend(dialect, route, found, service), "weight": many} for service, many in weights.items()]
        rules[place][dialect.refs] = _exchanged(dialect, route, rules[place], made)
    return rules


def left(dialect: Dialect, route: Route, spec: Raw, entry: Entry | None) -> list[Raw]:
    """All rules without the canary; stable has the weight it had before."""
    rules: list[Raw] = copy.deepcopy(spec.get(dialect.rules) or [])
    before = list(entry.before) if entry else []
    known = dict(zip((place for place, _ in ours(dialect, route, spec)), before, strict=False))
    for place, rule in enumerate(rules):
        found = backends(dialect, route, rule)
        if found.canary is None:
            continue
        stable = _backend(dialect, route, found, route.service)
        stable.pop("weight", None)
        weight = found.together if found.others else known.get(place)
        made = stable if weight is None else {**stable, "weight": weight}
        rule[dialect.refs] = _exchanged(dialect, route, rule, [made])
    return rules


def before(dialect: Dialect, route: Route, spec: Raw) -> tuple[int | None, ...]:
    """The weights that stable has in our rules as they are written."""
    return tuple((found.stable or {}).get("weight") for _, found in ours(dialect, route, spec))


def problems(dialect: Dialect, route: Route, spec: Raw) -> Iterator[str]:
    """What forbids a canary through these rules."""
    found = list(ours(dialect, route, spec))
    if not found:
        which = f"rule '{route.rule}'" if route.rule else "no rule"
        verb = "does not lead" if route.rule else "leads"
        yield f"{which} of {named(route)} {verb} to the Service {route.service}; name another in `traffic:`"
    for place, one in found:
        where = f"rule {place + 1} of {named(route)}"
        if one.others:
            yield f"{where} leads to further backends beside {route.service}; give these a rule of their own"
        if one.doubled:
            yield f"{where} names {route.service} more than once; leave one"
        if one.stable is not None and one.together == 0:
            yield f"{where} gives {route.service} the weight 0; give it requests first"


def risks(dialect: Dialect, route: Route, spec: Raw) -> Iterator[str]:
    """What those who vote should know of these rules."""
    for _, found in ours(dialect, route, spec):
        if found.stable and (said := dialect.lost(found.stable)):
            yield said


def _backend(dialect: Dialect, route: Route, found: Backends, service: str) -> Raw:
    """The rule's backend for a service: its own, or made from its other half."""
    own, other = (found.stable, found.canary) if service == route.service else (found.canary, found.stable)
    return dict(own) if own is not None else dialect.renamed(route, dict(other or {}), service)


def _exchanged(dialect: Dialect, route: Route, rule: Raw, made: list[Raw]) -> list[Raw]:
    """The rule's backends with `made` where stable or canary stood first."""
    pair = (route.service, canary_service(route))
    refs: list[Raw] = rule.get(dialect.refs) or []
    mine = [any(dialect.leads_to(route, ref, service) for service in pair) for ref in refs]
    first = mine.index(True)
    kept = [ref for ref, is_mine in zip(refs, mine, strict=True) if not is_mine]
    return [*kept[:first], *made, *kept[first:]]
