"""A cluster in memory, on virtual time."""

from collections.abc import Sequence

from bot.adapters import kubernetes_marks as marks
from bot.domain.errors import NotFoundError
from bot.domain.json import JsonObject
from bot.domain.target import WorkloadRef
from bot.ports.canaries import Canaries
from bot.ports.cluster import Cluster, Fence, Hint, ImageChange, JobSpec, JobState, WorkloadState
from bot.ports.scans import Scans
from tests.fakes.canaries import FakeCanaries
from tests.fakes.clock import FakeClock
from tests.fakes.scenery import FakeJob, Watched, bare, chosen
from tests.fakes.writing import WrittenScenery, owner


class FakeCluster(WrittenScenery):
    """`Cluster` without a server.

    `rollout_s` and `job_s` are seconds of the clock for a whole rollout and a Job. `down`: every call is unreachable.
    `writes` keeps every change that really happened. `on_write` is called before and after each with ("before" |
    "after", description): what it raises comes out of the call as a crash would, and an `edit` before is a conflict.
    `listener` hears every hint of every watched workload. `traffic` is what divides requests (see `FakeCanaries`).
    `scan_reports` are those of each namespace; `None`: no scanner is installed.
    """

    def __init__(self, clock: FakeClock, *, name: str = "main", rollout_s: float = 4.0, job_s: float = 2.0) -> None:
        super().__init__(clock, name=name, rollout_s=rollout_s, job_s=job_s)
        self.scan_reports: dict[str, list[JsonObject]] | None = None

    async def observe(self, ref: WorkloadRef, *, ready_within_s: float | None = None) -> WorkloadState:
        """See `Cluster`."""
        self.reach()
        return self.state(self.find(ref), ref, 25.0 if ready_within_s is None else ready_within_s)

    async def reports(self, namespace: str) -> Sequence[JsonObject]:
        """See `Scans`."""
        self.reach()
        if self.scan_reports is None:
            raise NotFoundError(f"cluster {self.name} has no VulnerabilityReports; install the Trivy Operator there")
        return self.scan_reports.get(namespace, [])

    async def set_image(self, ref: WorkloadRef, change: ImageChange, fence: Fence) -> WorkloadState:
        """See `Cluster`."""
        self.reach()
        workload = self.find(ref)
        marks.admit(ref, workload.annotations, fence)
        marks.refuse_owned(ref, owner(workload))
        container = chosen(ref, workload)
        there = workload.containers[container] == change.image
        if not there:
            marks.refuse_foreign(ref, workload.containers[container], change)
        if not there or workload.annotations.get(marks.RUN_MARK) != fence.run_id:
            with self.writing("mark" if there else "set_image", workload, change.image):
                workload.annotations |= marks.change(change, fence)
                containers = workload.containers | {container: change.image}
                workload.change(self.clock.now(), containers, workload.environment)
        return self.state(workload, ref)

    async def run_job(self, spec: JobSpec, fence: Fence) -> JobState:
        """See `Cluster`."""
        self.reach()
        key = (spec.workload.namespace, spec.name)
        if key not in self.jobs:
            workload = self.find(spec.workload)
            marks.admit(spec.workload, workload.annotations, fence)
            chosen(spec.workload, workload)
            with self.telling("run_job", workload.ref, spec.name):
                self.jobs[key] = FakeJob(spec, self.clock.now())
        return self.job_state(self.jobs[key])

    async def claim(self, ref: WorkloadRef, fence: Fence) -> WorkloadState:
        """See `Cluster`."""
        self.reach()
        workload = self.find(ref)
        marks.admit(ref, workload.annotations, fence)
        marks.refuse_owned(ref, owner(workload))
        with self.writing("mark", workload, fence.run_id):
            workload.annotations |= marks.marks(fence)
        return self.state(workload, ref)

    async def has_job(self, ref: WorkloadRef, name: str) -> bool:
        """See `Cluster`."""
        self.reach()
        return (ref.namespace, name) in self.jobs

    async def delete_job(self, ref: WorkloadRef, name: str) -> None:
        """See `Cluster`."""
        self.reach()
        if (ref.namespace, name) in self.jobs:
            with self.telling("delete_job", ref, name):
                del self.jobs[ref.namespace, name]

    async def recent_events(self, ref: WorkloadRef, *, limit: int = 8) -> tuple[str, ...]:
        """See `Cluster`."""
        self.reach()
        fault = self.find(ref).pods(self.clock.now()).fault
        if fault is None:
            return ()
        age_s = (self.clock.now() - fault.since).total_seconds() if fault.since else 0
        return (f"BackOff ×2: {fault.message} (pod/{fault.pod}, {age_s:.0f} s ago)",)[:limit]

    async def logs(self, ref: WorkloadRef, pod: str, container: str, *, lines: int = 15) -> tuple[str, ...]:
        """See `Cluster`."""
        self.reach()
        workload = self.workloads.get(bare(ref))
        if workload is None or container not in workload.containers or not pod.startswith(f"{ref.name}-"):
            return ()
        said = [f"started {workload.containers[container]}"]
        if workload.bad_container[0] == container and workload.bad_container[1] in ("crash", "oom"):
            said += ["panic: nil pointer dereference", "exit status 1"]
        return tuple(said if workload.bad_container[1] != "badpull" else ())[-lines:]

    def watch(self, ref: WorkloadRef, hint: Hint) -> None:
        """See `Cluster`. Hints also come when the clock moves a rollout or a Job on."""
        watched = self.watched.setdefault(bare(ref), Watched())
        watched.hints[getattr(hint, "__qualname__", ""), id(getattr(hint, "__self__", None))] = hint
        watched.seen = self.looks(bare(ref))


class FakeClusters:
    """`Clusters`, `CanaryClusters` and `ScannedClusters` of fakes, by their names."""

    def __init__(self, *clusters: FakeCluster) -> None:
        self._clusters = {cluster.name: cluster for cluster in clusters}

    def get(self, name: str) -> Cluster:
        """See `Clusters`."""
        return self._named(name)

    def canaries(self, name: str) -> Canaries:
        """See `CanaryClusters`."""
        return FakeCanaries(self._named(name))

    def scans(self, name: str) -> Scans:
        """See `ScannedClusters`."""
        return self._named(name)

    def _named(self, name: str) -> FakeCluster:
        if name not in self._clusters:
            raise NotFoundError(f"there is no cluster '{name}'; the catalogue has {', '.join(sorted(self._clusters))}")
        return self._clusters[name]
