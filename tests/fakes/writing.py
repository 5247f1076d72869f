"""How changes arrive in an imagined cluster: recorded, perhaps in conflict, perhaps a process's last deed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bot.adapters import kubernetes_marks as marks
from bot.domain.errors import ConflictError, UnreachableError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import WorkloadState
from tests.fakes.clock import FakeClock
from tests.fakes.rollouts import FakeWorkload
from tests.fakes.scenery import Scenery
from tests.fakes.traffic import FakeTraffic


class Write(NamedTuple):
    """One change that arrived: set_image, mark, run_job or delete_job, or one of a canary's (see `FakeCanaries`).
    `ref` is without container."""

    verb: str
    ref: WorkloadRef
    detail: str


class WrittenScenery(Scenery):
    """Scenery that can be down, keeps its `writes`, calls `on_write` around each, and has `traffic`."""

    def __init__(self, clock: FakeClock, *, name: str, rollout_s: float, job_s: float) -> None:
        super().__init__(clock, rollout_s=rollout_s, job_s=job_s)
        self.name = name
        self.down = False
        self.writes: list[Write] = []
        self.on_write: Callable[[str, str], None] | None = None
        self.traffic = FakeTraffic()

    def reach(self) -> None:
        """Raises UnreachableError while the cluster is down."""
        if self.down:
            raise UnreachableError(f"cluster {self.name} cannot be reached: it is down")

    def state(self, workload: FakeWorkload, ref: WorkloadRef, ready_within_s: float = 25.0) -> WorkloadState:
        """What `Cluster.observe` says of a workload."""
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
            owner=owner(workload),
            faults=(pods.fault,) if pods.fault else (),
            cpu_cores=workload.cpu_cores,
        )

    @contextmanager
    def writing(self, verb: str, workload: FakeWorkload, detail: str) -> Iterator[None]:
        """A write bound to what was read: whatever `on_write` changes before it makes it a conflict."""
        version = workload.version
        with self.telling(verb, workload.ref, detail):
            if workload.version != version:
                raise ConflictError(f"the object changed in cluster {self.name} while Sluice wrote to {workload.ref}")
            yield
            self.touch(workload)

    @contextmanager
    def telling(self, verb: str, ref: WorkloadRef, detail: str) -> Iterator[None]:
        """A write that is bound to nothing."""
        description = f"{verb} {ref} {detail}"
        if self.on_write is not None:
            self.on_write("before", description)
        yield
        self.writes.append(Write(verb, ref, detail))
        self.hint(ref)
        if self.on_write is not None:
            self.on_write("after", description)


def owner(workload: FakeWorkload) -> str:
    """The controller that would undo a change; empty when it was told to let us."""
    return "" if workload.annotations.get(marks.ALLOW) == "true" else workload.owner
