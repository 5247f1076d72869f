"""How much CPU pods use, as their cluster measures it: the PodMetrics of its metrics API (metrics.k8s.io/v1beta1),
which metrics-server or an adapter of its kind serves. Sluice must be allowed to `list` `pods` of that API group.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import TracebackType
from typing import Self

from bot.adapters.kubernetes_calls import Call, Raw, Resource
from bot.adapters.kubernetes_client import DEADLINE, KubernetesClient
from bot.adapters.kubernetes_login import Connection
from bot.adapters.metric_moments import moment
from bot.adapters.metric_series import Milliseconds
from bot.domain.errors import NotFoundError, RefusedError, UnreadableError
from bot.ports.clock import Clock

POD_METRICS = Resource("apis/metrics.k8s.io/v1beta1", "pods")
SCALES = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal("1e3"), "": Decimal(1)}
"""Suffixes of a quantity of CPU (apimachinery, api/resource)."""


@dataclass(frozen=True, slots=True)
class PodCpu:
    """Cores that a pod used on average in the short while before `at`."""

    pod: str
    at: Milliseconds
    cores: float


class KubernetesUsage:
    """The clusters of the catalogue, used inside `async with`; opening asks none of them."""

    def __init__(self, connections: Mapping[str, Connection], clock: Clock, *, deadline: timedelta = DEADLINE) -> None:
        self._clients = {
            name: KubernetesClient(name, connection, clock, deadline=deadline)
            for name, connection in connections.items()
        }
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for client in self._clients.values():
                await client.open()
                opening.push_async_callback(client.close)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def pods(self, cluster: str, namespace: str) -> tuple[PodCpu, ...]:
        """The newest measurement of every pod. Raises UnreachableError, RefusedError, UnreadableError, and
        NotFoundError for a cluster that has no metrics API; the text says what to do."""
        if cluster not in self._clients:
            known = ", ".join(sorted(self._clients)) or "none"
            raise NotFoundError(f"there is no cluster '{cluster}' to measure pods in; known: {known}")
        try:
            found = await self._clients[cluster].items(Call("list", POD_METRICS, namespace))
        except NotFoundError as exc:
            said = f"cluster {cluster} has no metrics API ({exc}); install metrics-server there"
            raise NotFoundError(f"{said}, or name a metric with 'metrics: {{cpu: …}}'") from exc
        except RefusedError as exc:
            raise RefusedError(f"{exc} (the API group is metrics.k8s.io)") from exc
        try:
            return tuple(_pod(one) for one in found)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as exc:
            raise UnreadableError(f"cluster {cluster} sent PodMetrics that cannot be read: {exc!r}") from exc


def cores(quantity: str) -> float:
    """A quantity of CPU such as `250m`. Raises KeyError or InvalidOperation."""
    digits = quantity.rstrip("numk")
    return float(Decimal(digits) * SCALES[quantity[len(digits) :]])


def _pod(found: Raw) -> PodCpu:
    used = sum(cores(container["usage"]["cpu"]) for container in found["containers"])
    return PodCpu(found["metadata"]["name"], moment(datetime.fromisoformat(found["timestamp"])), used)
