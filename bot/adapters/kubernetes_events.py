"""The cluster's own warnings about a workload."""

from datetime import UTC, datetime

from bot.adapters.kubernetes_calls import EVENTS, Call
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_objects import Event, InvolvedObject, read
from bot.adapters.kubernetes_workloads import KubernetesWorkloads
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.clock import Clock

MINUTE_S = 60
HOUR_S = 3600
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class KubernetesEvents:
    """Reads core/v1 events, which the newer events API fills, too."""

    def __init__(self, client: KubernetesClient, clock: Clock, workloads: KubernetesWorkloads) -> None:
        self._client, self._clock, self._workloads = client, clock, workloads

    async def warnings(self, ref: WorkloadRef, *, limit: int) -> tuple[str, ...]:
        """See `Cluster.recent_events`."""
        newest = await self._workloads.newest(ref, await self._workloads.fetch(ref))
        maker = newest.maker.metadata.name if newest else ref.name
        call = Call("list", EVENTS, ref.namespace, query={"fieldSelector": "type=Warning"})
        found = [read(Event, raw) for raw in await self._client.items(call)]
        about = [event for event in found if _concerns(event.involved_object, ref, maker)]
        about.sort(key=lambda event: event.at or LONG_AGO)
        return tuple(_line(event, self._clock.now()) for event in about[-limit:])


def _concerns(about: InvolvedObject, ref: WorkloadRef, maker: str) -> bool:
    """Pods are known by their maker's name before theirs: those that are gone already count, too."""
    match about.kind.lower():
        case "pod":
            return about.name.startswith(f"{maker}-")
        case "replicaset":
            return ref.kind is WorkloadKind.DEPLOYMENT and about.name == maker
        case kind:
            return kind == ref.kind and about.name == ref.name


def _line(event: Event, now: datetime) -> str:
    times = f" ×{event.times}" if event.times > 1 else ""
    about = f"{event.involved_object.kind.lower()}/{event.involved_object.name}"
    age = f", {_age((now - event.at).total_seconds())} ago" if event.at else ""
    return f"{event.reason}{times}: {' '.join(event.message.split())} ({about}{age})"


def _age(seconds: float) -> str:
    """In the largest unit that keeps it a number people compare; the two clocks may differ by a moment."""
    whole = max(0, round(seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    return f"{whole // MINUTE_S} min" if whole < HOUR_S else f"{whole // HOUR_S} h"
