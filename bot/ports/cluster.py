"""What we need from a Kubernetes cluster."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.ids import RunId, StepKey
from bot.domain.target import WorkloadRef

RUN_MARK = "sluice.dev/run"
"""The annotation that names the run which last wrote to a workload."""

HISTORY_MARK = "sluice.dev/history"
"""The annotation with the healthy images before the present one: a JSON list, newest first."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A writer's right to write: the run, the step and the token of its lease. A higher token is a newer owner.

    `after` is the run whose mark the workload carried when this run was planned (empty: none). A workload that carries
    any other run's mark has been changed by somebody newer. Marks are compared, never run numbers: these begin anew
    when the database was lost.
    """

    run_id: RunId
    step: StepKey
    token: int
    after: str = ""


class FaultKind(StrEnum):
    """Why pods do not come up, in the cluster's own words where it has one."""

    IMAGE_PULL = "ImagePullBackOff"
    CRASH_LOOP = "CrashLoopBackOff"
    OOM_KILLED = "OOMKilled"
    CONFIG = "CreateContainerConfigError"
    UNSCHEDULABLE = "Unschedulable"
    NOT_READY = "NotReady"
    QUOTA = "FailedCreate"
    DEADLINE = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps the new pods from being ready, as seen now. `since`: when the cluster first showed it.

    `hopeless` is False while it may still go away by itself (a first failed pull, a container that is starting).
    """

    kind: FaultKind
    message: str
    pod: str = ""
    container: str = ""
    since: datetime | None = None
    hopeless: bool = True


@dataclass(frozen=True, slots=True)
class WorkloadState:
    """A workload and its newest pods at one moment.

    `images` maps container name to image reference as written in the template; `template_sha256` covers the pod
    template without annotations that Sluice writes. Counts are pods: `desired` from the spec, the others from the
    status of the *newest* revision (`updated`, `updated_available`) and of all (`total`). `available` counts pods
    of any revision. `settled`: the controller has seen the newest generation and all desired pods run it, none is
    left over. `owner` names a controller that would undo our change (Argo CD, Flux, an operator), else empty.
    `cpu_cores` is what one pod's released container may use by its template: its limit, else its request; `None`:
    neither is written, or no container is named among several.
    """

    ref: WorkloadRef
    uid: str
    resource_version: str
    generation: int
    observed_generation: int
    images: Mapping[str, str]
    template_sha256: str
    desired: int
    updated: int
    updated_available: int
    available: int
    total: int
    settled: bool
    paused: bool
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    faults: tuple[Fault, ...] = ()
    cpu_cores: float | None = None


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What set_image shall write. `history` are the healthy images before this one, newest first (at most 10 are
    kept). `over` are the images that it may replace: what people set by hand since is theirs (empty: any).
    """

    image: str
    change_cause: str
    history: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A one-off Job made from the workload's own pod template, with another command and the new image.

    `name` is deterministic (at most 63 characters); `deadline_s` becomes activeDeadlineSeconds.
    """

    name: str
    workload: WorkloadRef
    image: str
    command: tuple[str, ...]
    deadline_s: int
    env: Mapping[str, str] = field(default_factory=dict)


class JobPhase(StrEnum):
    """How a Job stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobState:
    """A Job at one moment. `reason` is the cluster's word for a failure; `logs` the last lines of its newest pod."""

    name: str
    phase: JobPhase
    reason: str = ""
    logs: tuple[str, ...] = ()


Hint = Callable[[WorkloadRef], None]
"""Called with a workload (container left out) of which something changed; only a hint."""


class Cluster(Protocol):
    """One Kubernetes cluster. Every method may raise UnreachableError, RefusedError (403: the text names verb and
    resource) and NotFoundError (the namespace or workload is gone)."""

    async def observe(self, ref: WorkloadRef, *, ready_within_s: float | None = None) -> WorkloadState:
        """Look at a workload and its newest pods.

        `ready_within_s`: a running container that is not ready so many seconds after its start (and after the time that
        its own probes allow) is a NOT_READY fault; `None`: 25 s.
        """
        ...

    async def set_image(self, ref: WorkloadRef, change: ImageChange, fence: Fence) -> WorkloadState:
        """Make the workload run `change.image`; safe to repeat: if it does already for this run, nothing is written.

        Raises FencedError when the workload carries this run's mark with a higher token, or the mark of a run that is
        neither this one nor `fence.after`; OverwriteError when another image runs than `change.over` names;
        ConflictError when it changed meanwhile; RefusedError when another controller owns it.
        """
        ...

    async def claim(self, ref: WorkloadRef, fence: Fence) -> WorkloadState:
        """Put the mark alone on the workload: what a former owner of this run still sends is refused from now on.

        Raises as set_image does.
        """
        ...

    async def run_job(self, spec: JobSpec, fence: Fence) -> JobState:
        """Create the Job if there is none of that name, and tell how it stands. Safe to repeat."""
        ...

    async def has_job(self, ref: WorkloadRef, name: str) -> bool:
        """Whether a Job of that name is there, running or not."""
        ...

    async def delete_job(self, ref: WorkloadRef, name: str) -> None:
        """Remove a Job and its pods; no error when it is gone already."""
        ...

    async def recent_events(self, ref: WorkloadRef, *, limit: int = 8) -> tuple[str, ...]:
        """The newest warnings about the workload, its sets and its pods, one line each, oldest first."""
        ...

    async def logs(self, ref: WorkloadRef, pod: str, container: str, *, lines: int = 15) -> tuple[str, ...]:
        """The last lines of a container; of its previous life when it is crashing. Empty when there are none."""
        ...

    def watch(self, ref: WorkloadRef, hint: Hint) -> None:
        """From now on call `hint` when something about this workload changes. Repeating it adds nothing.

        One stream per namespace and resource serves all workloads of it; it heals itself after 410, errors and silence.
        """
        ...


class Clusters(Protocol):
    """The clusters of the catalogue."""

    def get(self, name: str) -> Cluster:
        """The cluster of that name. Raises NotFoundError."""
        ...
