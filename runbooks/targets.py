"""What the targets of a catalogue mean together: one workload by two doors, one name for two targets."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.target import Target, WorkloadKind
from runbooks.catalogue import Catalogue
from runbooks.source import Document, Fault, Keys

Object = tuple[str | None, str | None, str, WorkloadKind, str]
"""A workload as the cluster knows it: kubeconfig, context, namespace, kind and name. A cluster of two names is one."""


@dataclass(frozen=True, slots=True)
class _Door:
    """A target, as one way to its workload; `stands_at` is the line that leads it there."""

    target: Target
    workload: str
    votes: tuple[bool, int, str, str, str]
    stands_at: Keys

    @property
    def strict(self) -> tuple[bool, int]:
        return self.votes[:2]


def target_faults(catalogue: Catalogue, document: Document) -> tuple[Fault, ...]:
    """Targets that would let a protected workload be changed without its votes, or whose runs would be named alike."""
    return (*_doors(catalogue, document), *_names(catalogue, document))


def _doors(catalogue: Catalogue, document: Document) -> Iterator[Fault]:
    """One fault for each line that leads to a workload by other votes than another target asks for.

    Services that share a workload within one environment are asked for the same votes, and are no fault.
    """
    strictest: dict[Object, _Door] = {}
    doors = [(_object(catalogue, target), _door(catalogue, target)) for target in _targets(catalogue)]
    for place, door in doors:
        known = strictest.setdefault(place, door)
        strictest[place] = max(known, door, key=lambda one: one.strict)
    told: set[Keys] = set()
    for place, door in doors:
        other = strictest[place]
        if door.votes != other.votes and door.stands_at not in told:
            told.add(door.stands_at)
            yield document.fault(
                door.stands_at,
                f"{door.target} and {other.target} are one workload ({door.workload}), but {_asks(door)}; "
                f"{_asks(other)}",
                f"give '{door.target.environment}' the 'protected' and 'approval' of '{other.target.environment}', "
                "or another workload or namespace",
                on_value=True,
            )


def _names(catalogue: Catalogue, document: Document) -> Iterator[Fault]:
    taken: dict[str, Target] = {}
    for target in _targets(catalogue):
        joined = f"{target.service}-{target.environment}"
        other = taken.setdefault(joined, target)
        if other != target:
            yield document.fault(
                ("services", target.service),
                f"the runs of {other} and of {target} would both be named {joined}-1, {joined}-2 and so on",
                f"rename a service ('{other.service}' or '{target.service}') or an environment "
                f"('{other.environment}' or '{target.environment}')",
            )


def _targets(catalogue: Catalogue) -> Iterator[Target]:
    for service in catalogue.services:
        for environment in catalogue.environments:
            yield Target(service, environment)


def _object(catalogue: Catalogue, target: Target) -> Object:
    seen = catalogue.workload(target.service, target.environment)
    cluster = catalogue.clusters.get(seen.cluster)
    reached = (cluster.kubeconfig, cluster.context) if cluster else (None, seen.cluster)
    return (*reached, seen.namespace, seen.kind, seen.name)


def _door(catalogue: Catalogue, target: Target) -> _Door:
    entry = catalogue.environment(target.environment)
    asked = entry.approval
    people = (asked.from_, asked.on_call or "", asked.break_glass or "") if asked else ("", "", "")
    seen = catalogue.workload(target.service, target.environment)
    return _Door(
        target=target,
        workload=f"{seen}, cluster {seen.cluster}",
        votes=(entry.protected, asked.count if asked else 0, *people),
        stands_at=_stands_at(catalogue, target),
    )


def _stands_at(catalogue: Catalogue, target: Target) -> Keys:
    """The override that leads the target to its workload, else its environment's namespace."""
    own = catalogue.services[target.service].environments.get(target.environment)
    for key in ("workload", "namespace"):
        if own is not None and getattr(own, key) is not None:
            return ("services", target.service, "environments", target.environment, key)
    return ("environments", target.environment, "namespace")


def _asks(door: _Door) -> str:
    """All that two doors may differ in, so that the fault shows the difference."""
    protected, count, group, on_call, break_glass = door.votes
    if not count:
        return f"'{door.target.environment}' asks nobody"
    said = [f"'{door.target.environment}' asks for {count} vote{'s' if count > 1 else ''} of {group}"]
    said += [f"on_call {on_call}"] * bool(on_call) + [f"break_glass {break_glass}"] * bool(break_glass)
    return ", ".join(said) + ("" if protected else ", but is not protected")
