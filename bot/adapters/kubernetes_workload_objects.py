"""What we read of Deployments, StatefulSets, DaemonSets and what they own."""

from pydantic import Field

from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_objects import ApiObject, Condition, Metadata, Selector, read
from bot.adapters.kubernetes_pod_objects import PodSpec


class RollingUpdate(ApiObject):
    """`partition`: StatefulSet pods below this ordinal keep their old template."""

    partition: int = 0


class Strategy(ApiObject):
    """How a workload's pods are replaced."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate = RollingUpdate()


class WorkloadSpec(ApiObject):
    """Deployments have `strategy`, the others `updateStrategy`; the template stays raw for hashing and copying."""

    replicas: int = 1
    paused: bool = False
    min_ready_seconds: int = 0
    selector: Selector = Selector()
    template: Raw = Field(default_factory=dict)
    update_strategy: Strategy = Strategy()


class WorkloadStatus(ApiObject):
    """Counts of all three kinds. `available_replicas` is `None` for StatefulSets before Kubernetes 1.22."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int | None = None
    update_revision: str = ""
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    conditions: tuple[Condition, ...] = ()


class Workload(ApiObject):
    """A Deployment, StatefulSet, DaemonSet, or a Deployment's ReplicaSet."""

    metadata: Metadata = Metadata()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()

    @property
    def pod(self) -> PodSpec:
        """The template's containers."""
        return read(PodSpec, self.spec.template.get("spec") or {})


class ControllerRevision(ApiObject):
    """One remembered template of a DaemonSet; the highest `revision` is the newest."""

    metadata: Metadata = Metadata()
    revision: int = 0
