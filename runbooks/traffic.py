"""`traffic:` of a service: what divides its requests between stable and canary."""

from pydantic import Field, model_validator

from bot.domain.target import WorkloadRef
from bot.domain.traffic import Route, Router
from runbooks.parts import Name, Part


class Traffic(Part):
    """How requests reach the service. `replicas` needs no router: the numbers of pods divide."""

    router: Router = Field(description="What divides the requests.")
    route: Name | None = Field(
        default=None, description="The HTTPRoute, VirtualService or Ingress; left out: called like the workload."
    )
    rule: str | None = Field(
        default=None,
        description="The only rule of it whose weights may change; left out: every one that leads to the Service.",
    )
    service: Name | None = Field(
        default=None, description="The Service of the stable pods; left out: called like the workload."
    )

    @model_validator(mode="after")
    def _names_what_there_is(self) -> "Traffic":
        if self.router is Router.REPLICAS and (self.route or self.rule):
            raise ValueError("'replicas' divides by numbers of pods: it has no 'route' and no 'rule'")
        return self

    def of(self, workload: WorkloadRef) -> Route:
        """The route to one workload."""
        named = "" if self.router is Router.REPLICAS else self.route or workload.name
        return Route(self.router, workload, self.service or workload.name, named, self.rule or "")
