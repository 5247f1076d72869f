"""What we read of pods: their containers as written and as they are."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from bot.adapters.kubernetes_objects import ApiObject, Condition, Metadata, condition
from bot.adapters.kubernetes_quantities import amount


class Probe(ApiObject):
    """The clocks of a probe, in seconds."""

    initial_delay_seconds: int = 0
    period_seconds: int = 10
    failure_threshold: int = 3


class Amounts(ApiObject):
    """What a container asks for or may use at most, in cores; 0 is as good as none."""

    cpu: Annotated[float, BeforeValidator(amount)] = 0.0


class Resources(ApiObject):
    """What a container needs."""

    limits: Amounts = Amounts()
    requests: Amounts = Amounts()


class Container(ApiObject):
    """A container of a pod template."""

    name: str
    image: str = ""
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    resources: Resources = Resources()

    @property
    def cpu_cores(self) -> float | None:
        """What it may use: its limit, else what it asks for; `None` where neither is written."""
        return self.resources.limits.cpu or self.resources.requests.cpu or None


class PodSpec(ApiObject):
    """The containers of a pod."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()


class Waiting(ApiObject):
    """A container that has not started."""

    reason: str = ""
    message: str = ""


class Running(ApiObject):
    """A container that runs."""

    started_at: datetime | None = None


class Terminated(ApiObject):
    """A container that ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None


class ContainerState(ApiObject):
    """At most one of the three is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(ApiObject):
    """A container now, and how its previous life ended."""

    name: str
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(ApiObject):
    """A pod now."""

    phase: str = "Pending"
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(ApiObject):
    """A pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type."""
        return condition(self.status.conditions, kind)
