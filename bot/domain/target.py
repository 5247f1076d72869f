"""What is released, and where."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A service in an environment: the unit of locking, of numbering and of release records."""

    service: str
    environment: str

    def __str__(self) -> str:
        return f"{self.service}/{self.environment}"


class WorkloadKind(StrEnum):
    """The Kubernetes kinds that Sluice can release to."""

    DEPLOYMENT = "deployment"
    STATEFULSET = "statefulset"
    DAEMONSET = "daemonset"


@dataclass(frozen=True, slots=True)
class WorkloadRef:
    """One workload of one cluster. `container` is `None` where the workload has a single container."""

    cluster: str
    namespace: str
    kind: WorkloadKind
    name: str
    container: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} in {self.namespace}"
