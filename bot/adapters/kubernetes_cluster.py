"""`Cluster`, `Clusters`, `CanaryClusters`, `ScannedClusters` over Kubernetes: binds what reads, changes and watches."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from bot.adapters.kubernetes_canaries import KubernetesCanaries
from bot.adapters.kubernetes_changes import KubernetesChanges
from bot.adapters.kubernetes_client import DEADLINE, KubernetesClient
from bot.adapters.kubernetes_events import KubernetesEvents
from bot.adapters.kubernetes_jobs import KubernetesJobs
from bot.adapters.kubernetes_login import Connection
from bot.adapters.kubernetes_logs import KubernetesLogs
from bot.adapters.kubernetes_scans import KubernetesScans
from bot.adapters.kubernetes_watch import KubernetesWatch, WatchTimes
from bot.adapters.kubernetes_workloads import KubernetesWorkloads
from bot.domain.errors import NotFoundError
from bot.domain.target import WorkloadRef
from bot.ports.canaries import Canaries
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Fence, Hint, ImageChange, JobSpec, JobState, WorkloadState
from bot.ports.scans import Scans


class KubernetesCluster:
    """One cluster, used inside `async with`, whose begin and end must be in the same task.

    `listener` hears of every change of every watched workload, beside the hints given to `watch`. `canaries` are those
    beside its workloads, `scans` what was found in its images.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        clock: Clock,
        *,
        listener: Hint | None = None,
        deadline: timedelta = DEADLINE,
        watch_times: WatchTimes | None = None,
    ) -> None:
        self._client = KubernetesClient(name, connection, clock, deadline=deadline)
        self._workloads = KubernetesWorkloads(self._client, clock)
        self._changes = KubernetesChanges(self._client, self._workloads)
        self.canaries: Canaries = KubernetesCanaries(self._client, self._workloads)
        self.scans: Scans = KubernetesScans(self._client)
        self._logs = KubernetesLogs(self._client)
        self._jobs = KubernetesJobs(self._client, clock, self._workloads, self._logs)
        self._events = KubernetesEvents(self._client, clock, self._workloads)
        self._watch = KubernetesWatch(self._client, listener=listener, times=watch_times)

    async def __aenter__(self) -> Self:
        await self._client.open()
        await self._watch.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._watch.__aexit__(kind, error, trace)
        finally:
            await self._client.close()

    async def observe(self, ref: WorkloadRef, *, ready_within_s: float | None = None) -> WorkloadState:
        """See `Cluster`."""
        workload = await self._workloads.fetch(ref)
        return await self._workloads.state(ref, workload, ready_within_s=ready_within_s)

    async def set_image(self, ref: WorkloadRef, change: ImageChange, fence: Fence) -> WorkloadState:
        """See `Cluster`."""
        return await self._changes.set_image(ref, change, fence)

    async def claim(self, ref: WorkloadRef, fence: Fence) -> WorkloadState:
        """See `Cluster`."""
        return await self._changes.claim(ref, fence)

    async def has_job(self, ref: WorkloadRef, name: str) -> bool:
        """See `Cluster`."""
        return await self._jobs.there(ref, name)

    async def delete_job(self, ref: WorkloadRef, name: str) -> None:
        """See `Cluster`."""
        await self._jobs.delete(ref, name)

    async def run_job(self, spec: JobSpec, fence: Fence) -> JobState:
        """See `Cluster`."""
        self._watch.watch_jobs(spec.workload)
        return await self._jobs.run(spec, fence)

    async def recent_events(self, ref: WorkloadRef, *, limit: int = 8) -> tuple[str, ...]:
        """See `Cluster`."""
        return await self._events.warnings(ref, limit=limit)

    async def logs(self, ref: WorkloadRef, pod: str, container: str, *, lines: int = 15) -> tuple[str, ...]:
        """See `Cluster`."""
        return await self._logs.last_lines(ref, pod, container, lines=lines)

    def watch(self, ref: WorkloadRef, hint: Hint) -> None:
        """See `Cluster`."""
        self._watch.watch(ref, hint)


class KubernetesClusters:
    """All clusters of the catalogue, used inside `async with`; opening talks to none of them."""

    def __init__(self, connections: Mapping[str, Connection], clock: Clock, *, listener: Hint | None = None) -> None:
        self._clusters = {
            name: KubernetesCluster(name, connection, clock, listener=listener)
            for name, connection in connections.items()
        }
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for cluster in self._clusters.values():
                await opening.enter_async_context(cluster)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.__aexit__(kind, error, trace)

    def get(self, name: str) -> Cluster:
        """See `Clusters`."""
        return self._named(name)

    def canaries(self, name: str) -> Canaries:
        """See `CanaryClusters`."""
        return self._named(name).canaries

    def scans(self, name: str) -> Scans:
        """See `ScannedClusters`."""
        return self._named(name).scans

    def _named(self, name: str) -> KubernetesCluster:
        if name not in self._clusters:
            known = ", ".join(sorted(self._clusters)) or "none"
            raise NotFoundError(f"there is no cluster '{name}'; the catalogue has {known}")
        return self._clusters[name]
