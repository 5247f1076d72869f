"""Lists as kubectl prints them: the server makes the columns. Pure."""

from collections.abc import Sequence
from datetime import datetime

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.panel import pod_state
from bot.sandbox.kubernetes.resources import Kind, Raw
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.timeline import moment_of

COLUMNS: dict[Kind, tuple[str, ...]] = {
    resources.PODS: ("Ready", "Status", "Restarts"),
    resources.DEPLOYMENTS: ("Ready", "Up-to-date", "Available"),
    resources.REPLICA_SETS: ("Desired", "Current", "Ready"),
    resources.STATEFUL_SETS: ("Ready",),
    resources.JOBS: ("Completions",),
    resources.EVENTS: ("Type", "Reason", "Object", "Message"),
}


def table(kind: Kind, records: Sequence[Record], metadata: Raw, now: datetime) -> Raw:
    """The Table of some objects: name, what matters of the kind, age."""
    columns = [{"name": name, "type": "string", "format": "", "description": ""} for name in _names(kind)]
    rows = [{"cells": _cells(one, now), "object": _partial(one)} for one in records]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return {**head, "columnDefinitions": columns, "rows": rows}


def _names(kind: Kind) -> tuple[str, ...]:
    return ("Name", *COLUMNS.get(kind, ()), "Age")


def _partial(one: Record) -> Raw:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": one.raw["metadata"]}


def _cells(one: Record, now: datetime) -> list[str]:
    age = _age((now - moment_of(one.raw["metadata"]["creationTimestamp"])).total_seconds())
    return [one.key[1], *map(str, _middle(one)), age]


def _middle(one: Record) -> Sequence[object]:
    raw, spec, status = one.raw, one.raw.get("spec") or {}, one.raw.get("status") or {}
    match one.kind:
        case resources.PODS:
            found = status.get("containerStatuses") or ()
            ready = f"{sum(each['ready'] for each in found)}/{len(spec['containers'])}"
            return ready, pod_state(raw), sum(each["restartCount"] for each in found)
        case resources.DEPLOYMENTS:
            ready = f"{status.get('readyReplicas', 0)}/{spec['replicas']}"
            return ready, status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
        case resources.REPLICA_SETS:
            return spec["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)
        case resources.STATEFUL_SETS:
            return (f"{status.get('readyReplicas', 0)}/{spec['replicas']}",)
        case resources.JOBS:
            return (f"{status.get('succeeded', 0)}/{spec['completions']}",)
        case resources.EVENTS:
            about = raw["involvedObject"]
            return raw["type"], raw["reason"], f"{about['kind'].lower()}/{about['name']}", raw["message"]
    return ()


def _age(seconds: float) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)}{name}"
    return f"{int(max(0.0, seconds))}s"
