"""A cluster in memory, on virtual time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bot.adapters import kubernetes_marks as marks
from bot.domain.errors import ConflictError, NotFoundError, UnreachableError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import Cluster, Fence, Hint, ImageChange, JobSpec, JobState, WorkloadState
from tests.fakes.clock import FakeClock
from tests.fakes.rollouts import FakeWorkload
from tests.fakes.scenery import FakeJob, Scenery, Watched, bare, chosen


class Write(NamedTuple):
    """One change that arrived: set_image, mark, run_job or delete_job. `ref` is without container."""

    verb: str
    ref: WorkloadRef
    detail: str


class FakeCluster(Scenery):
    """`Cluster` without a server.

    `rollout_s` and `job_s` are seconds of the clock for a whole rollout and a Job. `down`: every call is unreachable.
    `writes` keeps every change that really happened. `on_write` is called before and after each with ("before" |
    "after", description): what it raises comes out of the call as a crash would, and an `edit` before is a conflict.
    `listener` hears every hint of every watched workload.
    """

    def __init__(self, clock: FakeClock, *, name: str = "main", rollout_s: float = 4.0, job_s: float = 2.0) -> None:
        super().__init__(clock, rollout_s=rollout_s, job_s=job_s)
        self.name = name
        self.down = False
        self.writes: list[Write] = []
        self.on_write: Callable[[str, str], None] | None = None

    async def observe(self, ref: WorkloadRef, *, ready_within_s: float | None = None) -> WorkloadState:
        """See `Cluster`."""
        self._reach()
        return self._state(self.find(ref), ref, 25.0 if ready_within_s is None else ready_within_s)

    async def set_image(self, ref: WorkloadRef, change: ImageChange, fence: Fence) -> WorkloadState:
        """See `Cluster`."""
        self._reach()
        workload = self.find(ref)
        marks.admit(ref, workload.annotations, fence)
        marks.refuse_owned(ref, _owner(workload))
        container = chosen(ref, workload)
        there = workload.containers[container] == change.image
        if not there:
            marks.refuse_foreign(ref, workload.containers[container], change)
        if not there or workload.annotations.get(marks.RUN_MARK) != fence.run_id:
            with self._writing("mark" if there else "set_image", workload, change.image):
                workload.annotations |= marks.change(change, fence)
                containers = workload.containers | {container: change.image}
                workload.change(self.clock.now(), containers, workload.environment)
        return self._state(workload, ref)

    async def run_job(self, spec: JobSpec, fence: Fence) -> JobState:
        """See `Cluster`."""
        self._reach()
        key = (spec.workload.namespace, spec.name)
        if key not in self.jobs:
            workload = self.find(spec.workload)
            marks.admit(spec.workload, workload.annotations, fence)
            chosen(spec.workload, workload)
            with self._telling("run_job", workload.ref, spec.name):
                self.jobs[key] = FakeJob(spec, self.clock.now())
        return self.job_state(self.jobs[key])

    async def claim(self, ref: WorkloadRef, fence: Fence) -> WorkloadState:
        """See `Cluster`."""
        self._reach()
        workload = self.find(ref)
        marks.admit(ref, workload.annotations, fence)
        marks.refuse_owned(ref, _owner(workload))
        with self._writing("mark", workload, fence.run_id):
            workload.annotations |= marks.marks(fence)
        return self._state(workload, ref)

    async def has_job(self, ref: WorkloadRef, name: str) -> bool:
        """See `Cluster`."""
        self._reach()
        return (ref.namespace, name) in self.jobs

    async def delete_job(self, ref: WorkloadRef, name: str) -> None:
        """See `Cluster`."""
        self._reach()
        if (ref.namespace, name) in self.jobs:
            with self._telling("delete_job", ref, name):
                del self.jobs[ref.namespace, name]

    async def recent_events(self, ref: WorkloadRef, *, limit: int = 8) -> tuple[str, ...]:
        """See `Cluster`."""
        self._reach()
        fault = self.find(ref).pods(self.clock.now()).fault
        if fault is None:
            return ()
        age_s = (self.clock.now() - fault.since).total_seconds() if fault.since else 0
        return (f"BackOff ×2: {fault.message} (pod/{fault.pod}, {age_s:.0f} s ago)",)[:limit]

    async def logs(self, ref: WorkloadRef, pod: str, container: str, *, lines: int = 15) -> tuple[str, ...]:
        """See `Cluster`."""
        self._reach()
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

    def _reach(self) -> None:
        if self.down:
            raise UnreachableError(f"cluster {self.name} cannot be reached: it is down")

    def _state(self, workload: FakeWorkload, ref: WorkloadRef, ready_within_s: float = 25.0) -> WorkloadState:
        pods = workload.pods(self.clock.now(), ready_within_s)
        whole = pods.updated == pods.ready == workload.replicas and pods.old == 0
        return WorkloadState(
            ref=ref,
            uid=f"uid-{workload.number}",
            resource_version=str(workload.version),
            generation=workload.generation,
            observed_generation=workload.generation,
            images=dict(workload.containers),
            template_sha256=workload.template_sha256,
            desired=workload.replicas,
            updated=pods.updated,
            updated_available=pods.ready,
            available=pods.ready + pods.old,
            total=pods.updated + pods.old,
            settled=whole,
            paused=workload.paused,
            annotations=dict(workload.annotations),
            owner=_owner(workload),
            faults=(pods.fault,) if pods.fault else (),
        )

    @contextmanager
    def _writing(self, verb: str, workload: FakeWorkload, detail: str) -> Iterator[None]:
        """A write bound to what was read: whatever `on_write` changes before it makes it a conflict."""
        version = workload.version
        with self._telling(verb, workload.ref, detail):
            if workload.version != version:
                raise ConflictError(f"the object changed in cluster {self.name} while Sluice wrote to {workload.ref}")
            yield
            self.touch(workload)

    @contextmanager
    def _telling(self, verb: str, ref: WorkloadRef, detail: str) -> Iterator[None]:
        description = f"{verb} {ref} {detail}"
        if self.on_write is not None:
            self.on_write("before", description)
        yield
        self.writes.append(Write(verb, ref, detail))
        self.hint(ref)
        if self.on_write is not None:
            self.on_write("after", description)


class FakeClusters:
    """`Clusters` of fakes, by their names."""

    def __init__(self, *clusters: FakeCluster) -> None:
        self._clusters = {cluster.name: cluster for cluster in clusters}

    def get(self, name: str) -> Cluster:
        """See `Clusters`."""
        if name not in self._clusters:
            raise NotFoundError(f"there is no cluster '{name}'; the catalogue has {', '.join(sorted(self._clusters))}")
        return self._clusters[name]


def _owner(workload: FakeWorkload) -> str:
    return "" if workload.annotations.get(marks.ALLOW) == "true" else workload.owner
