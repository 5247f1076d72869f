"""How many pods each ReplicaSet of a Deployment shall have. Pure; the arithmetic of the Deployment controller."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pods:
    """A ReplicaSet: pods wanted and available."""

    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """Pods wanted of the Deployment, how many there may be more, and how many may be missing."""

    replicas: int
    surge: int
    missing: int


def bounds(replicas: int, surge: int | str, missing: int | str) -> Bounds:
    """Percentages are of the pods wanted; the surge is rounded up, the missing ones down, and not both are 0."""
    up, down = _share(surge, replicas, up=True), _share(missing, replicas, up=False)
    return Bounds(replicas, up, 1 if up == 0 and down == 0 else down)


def _share(written: int | str, replicas: int, *, up: bool) -> int:
    if isinstance(written, int):
        return written
    exact = replicas * int(written.removesuffix("%")) / 100
    return math.ceil(exact) if up else math.floor(exact)


def grown(limits: Bounds, new: Pods, old: Sequence[Pods]) -> int:
    """Pods that the newest set shall have now."""
    if new.wanted >= limits.replicas:
        return limits.replicas
    room = limits.replicas + limits.surge - new.wanted - sum(one.wanted for one in old)
    return new.wanted + max(0, min(room, limits.replicas - new.wanted))


def shrunk(limits: Bounds, new: Pods, old: Sequence[Pods]) -> list[int]:
    """Pods that the old sets, the oldest first, shall have now: first those go that do not serve anyway."""
    least = limits.replicas - limits.missing
    wanted = [one.wanted for one in old]
    most = new.wanted + sum(wanted) - least - (new.wanted - new.available)
    if most <= 0:
        return wanted
    for place, one in enumerate(old):
        idle = max(0, min(most, wanted[place] - one.available))
        wanted[place] -= idle
        most -= idle
    spare = new.available + sum(one.available for one in old) - least
    for place in range(len(old)):
        fewer = max(0, min(spare, wanted[place]))
        wanted[place] -= fewer
        spare -= fewer
    return wanted
