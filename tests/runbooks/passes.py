"""One pass of an executor over a fake world."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.ids import StepKey
from bot.domain.json import Json
from bot.domain.plan import Plan
from bot.domain.run import StepRun
from bot.domain.target import WorkloadRef
from bot.ports.execution import StepContext
from tests.builders import a_plan, a_running_run, a_step
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters

WORKLOAD = a_plan().workload


class Place:
    """A cluster in which api runs v1, and passes over the steps of a plan that brings `tag`."""

    def __init__(self, tag: str = "v2", **plan: Any) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.clusters = FakeClusters(self.cluster)
        self.hinted: list[WorkloadRef] = []
        made = a_plan(**plan)
        image = made.artifact.image.replace(":v2@", f":{tag}@")
        self.plan: Plan = replace(made, artifact=replace(made.artifact, image=image, ref=tag))
        if made.previous:
            self.cluster.add(WORKLOAD, made.previous.image)
        self.seen = StepRun(started_at=self.clock.now())

    def context(self, kind: str, params: Mapping[str, Json] | None = None, **step: Any) -> StepContext:
        """The next pass over a step of that kind."""
        planned = a_step(kind, params=dict(params or {}), **step)
        run = replace(a_running_run(steps={StepKey(f"steps.{kind}"): self.seen}), plan=self.plan)
        return StepContext(run, planned, self.clock.now(), token=1)
