"""What we read of objects around a workload: Services, autoscalers, budgets, network policies."""

from collections.abc import Mapping

from pydantic import Field

from bot.adapters.kubernetes_objects import ApiObject, Metadata, Selector


class ServiceSpec(ApiObject):
    """`selector` is empty where somebody else keeps the endpoints."""

    selector: Mapping[str, str] = Field(default_factory=dict)


class Service(ApiObject):
    """A Service."""

    metadata: Metadata = Metadata()
    spec: ServiceSpec = ServiceSpec()

    def selects(self, labels: dict[str, str]) -> bool:
        """Whether it sends requests to pods with these labels."""
        return bool(self.spec.selector) and self.spec.selector.items() <= labels.items()


class ScaleTarget(ApiObject):
    """What an autoscaler scales."""

    kind: str = ""
    name: str = ""


class AutoscalerSpec(ApiObject):
    """The bounds of an autoscaler."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int = 1
    max_replicas: int = 0


class Autoscaler(ApiObject):
    """A HorizontalPodAutoscaler."""

    metadata: Metadata = Metadata()
    spec: AutoscalerSpec = AutoscalerSpec()


class BudgetSpec(ApiObject):
    """Which pods a budget protects."""

    selector: Selector = Selector()


class BudgetStatus(ApiObject):
    """How many of them may be evicted now."""

    disruptions_allowed: int = 0


class Budget(ApiObject):
    """A PodDisruptionBudget."""

    metadata: Metadata = Metadata()
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()


class PolicySpec(ApiObject):
    """Which pods a policy is about."""

    pod_selector: Selector = Selector()


class Policy(ApiObject):
    """A NetworkPolicy."""

    metadata: Metadata = Metadata()
    spec: PolicySpec = PolicySpec()
