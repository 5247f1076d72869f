"""What we read of pods: their containers as written and as they are."""

from datetime import datetime

from bot.adapters.kubernetes_objects import ApiObject, Condition, Metadata, condition


class Probe(ApiObject):
    """The clocks of a probe, in seconds."""

    initial_delay_seconds: int = 0
    period_seconds: int = 10
    failure_threshold: int = 3


class Container(ApiObject):
    """A container of a pod template."""

    name: str
    image: str = ""
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None


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
