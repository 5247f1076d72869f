"""What stands in an imagined cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.errors import NotFoundError, RefusedError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import Hint, JobPhase, JobSpec, JobState
from tests.fakes.clock import FakeClock
from tests.fakes.rollouts import FakeWorkload, words


@dataclass(slots=True)
class FakeJob:
    """A Job and when it was made."""

    spec: JobSpec
    made_at: datetime


@dataclass(slots=True)
class Watched:
    """The hints of one workload, and what it looked like when they were last called."""

    hints: dict[object, Hint] = field(default_factory=dict)
    seen: object = None


class Scenery:
    """Workloads, Jobs and watchers on virtual time, and what others than Sluice do to them.

    `job_said` are the last lines of every Job that succeeds.
    """

    def __init__(self, clock: FakeClock, *, rollout_s: float, job_s: float) -> None:
        self.clock, self.rollout_s, self.job_s = clock, rollout_s, job_s
        self.listener: Hint | None = None
        self.job_said: tuple[str, ...] = ("exit status 0",)
        self.workloads: dict[WorkloadRef, FakeWorkload] = {}
        self.jobs: dict[tuple[str, str], FakeJob] = {}
        self.watched: dict[WorkloadRef, Watched] = {}
        self._numbers = 0
        clock.listeners.append(self._look_for_changes)

    def add(
        self,
        ref: WorkloadRef,
        image: str,
        *,
        replicas: int = 3,
        owner: str = "",
        sidecars: Mapping[str, str] | None = None,
        cpu_cores: float | None = None,
    ) -> None:
        """A workload that has run `image` for a while; an image that is bad by its tag has no ready pods. `cpu_cores`
        are what its template lets each pod use."""
        self._numbers += 1
        containers = {ref.container or "app": image, **(sidecars or {})}
        workload = FakeWorkload(
            bare(ref), containers, replicas, self.rollout_s, self.clock.now(), self._numbers, owner=owner
        )
        workload.cpu_cores = cpu_cores
        workload.made = replicas
        workload.ready = 0 if workload.bad_container[1] else replicas
        self.workloads[bare(ref)] = workload

    def edit(
        self,
        ref: WorkloadRef,
        *,
        image: str | None = None,
        environment: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Somebody else changes it, past Sluice; another image or environment starts a rollout."""
        workload = self.find(ref)
        container = chosen(ref, workload)
        containers = workload.containers | ({container: image} if image else {})
        workload.change(self.clock.now(), containers, workload.environment | dict(environment or {}))
        workload.annotations |= annotations or {}
        self.touch(workload)

    def scale(self, ref: WorkloadRef, replicas: int) -> None:
        """Another number of pods."""
        workload = self.find(ref)
        workload.scale(self.clock.now(), replicas)
        self.touch(workload)

    def allot(self, ref: WorkloadRef, cpu_cores: float | None) -> None:
        """Each pod of its template may use so many cores; `None`: nothing is written about it."""
        workload = self.find(ref)
        workload.cpu_cores = cpu_cores
        self.touch(workload)

    def behave(self, ref: WorkloadRef, word: str | None) -> None:
        """Its newest pods now behave as `word` says, whatever their image; `None`: as their image says."""
        workload = self.find(ref)
        workload.settle_into(self.clock.now())
        workload.behaviour = word
        self.hint(ref)

    def pause(self, ref: WorkloadRef, *, paused: bool = True) -> None:
        """`kubectl rollout pause` and `resume`."""
        workload = self.find(ref)
        workload.settle_into(self.clock.now())
        workload.paused = paused
        self.touch(workload)

    def delete(self, ref: WorkloadRef) -> None:
        """Somebody deletes the workload."""
        del self.workloads[self.find(ref).ref]
        self.hint(ref)

    def advance(self) -> None:
        """Let every rollout and Job come to its end, good or bad, without time passing."""
        past = timedelta(hours=1)
        for workload in self.workloads.values():
            workload.since -= past
        for job in self.jobs.values():
            job.made_at -= past
        self._look_for_changes()

    def image(self, ref: WorkloadRef) -> str:
        """The image in the workload's template."""
        workload = self.find(ref)
        return workload.containers[chosen(ref, workload)]

    def annotations(self, ref: WorkloadRef) -> Mapping[str, str]:
        """The workload's annotations."""
        return dict(self.find(ref).annotations)

    def find(self, ref: WorkloadRef) -> FakeWorkload:
        """The workload. Raises NotFoundError in the words of an API server."""
        workload = self.workloads.get(bare(ref))
        if workload is None:
            raise NotFoundError(f'{ref.name} in namespace {ref.namespace}: {ref.kind}s.apps "{ref.name}" not found')
        return workload

    def job_state(self, job: FakeJob) -> JobState:
        """How a Job stands now."""
        if self.clock.now() - job.made_at < timedelta(seconds=self.job_s):
            return JobState(job.spec.name, JobPhase.RUNNING)
        started = f"started {job.spec.image}"
        if "jobfail" in words(job.spec.image):
            reason = "BackoffLimitExceeded: Job has reached the specified backoff limit"
            return JobState(job.spec.name, JobPhase.FAILED, reason, (started, "exit status 1"))
        return JobState(job.spec.name, JobPhase.SUCCEEDED, "", (started, *self.job_said))

    def touch(self, workload: FakeWorkload) -> None:
        """Annotations count into a Deployment's generation as its spec does."""
        workload.version += 1
        workload.generation += 1
        self.hint(workload.ref)

    def hint(self, ref: WorkloadRef) -> None:
        """Tell everybody who watches this workload."""
        if watched := self.watched.get(bare(ref)):
            watched.seen = self.looks(bare(ref))
            for hint in tuple(watched.hints.values()):
                hint(bare(ref))
            if self.listener is not None:
                self.listener(bare(ref))

    def _look_for_changes(self) -> None:
        for ref, watched in self.watched.items():
            if watched.seen != self.looks(ref):
                self.hint(ref)

    def looks(self, ref: WorkloadRef) -> object:
        """What a watcher can see of a workload and its Jobs."""
        workload = self.workloads.get(ref)
        jobs = [self.job_state(job) for job in self.jobs.values() if bare(job.spec.workload) == ref]
        return (workload.pods(self.clock.now()) if workload else None), jobs


def bare(ref: WorkloadRef) -> WorkloadRef:
    """The reference as hints carry it: without a container."""
    return replace(ref, container=None)


def chosen(ref: WorkloadRef, workload: FakeWorkload) -> str:
    """The container a release changes. Raises RefusedError listing the names."""
    names = list(workload.containers)
    if ref.container is None and len(names) == 1:
        return names[0]
    wanted = ref.container or ref.name
    if wanted not in names:
        said = f"has no container '{ref.container}'" if ref.container else "has several containers"
        raise RefusedError(f"{ref} {said}; it has {', '.join(names)}. Set `container:` of the service in sluice.yaml")
    return wanted
