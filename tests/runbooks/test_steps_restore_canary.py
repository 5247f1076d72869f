"""restore with a canary: the traffic first, then stable, then the clean-up; and what others have done meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.kubernetes_canary_marks import entry_key
from bot.domain.ids import StepKey
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.release import image_set_at
from bot.domain.run import StepRun
from bot.domain.traffic import Route, Router
from bot.ports.cluster import Fence, ImageChange
from bot.ports.execution import StepContext
from runbooks.steps.restore import Restore
from tests.builders import a_plan, a_run, a_step
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters

SECOND = timedelta(seconds=1)
WORKLOAD = a_plan().workload
ROUTED = Route(Router.GATEWAY_API, WORKLOAD, "api", "api")
BY_PODS = Route(Router.REPLICAS, WORKLOAD, "api")
CLEAN_UP = ["leave_route", "delete_service", "delete_canary"]
ARGO = "Argo CD (application api)"


class Way:
    """api runs v1 beside a canary of v2 that has half of the traffic; a run goes back."""

    def __init__(self, route: Route = ROUTED, *, run_id: str = "api-prod-1") -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.clusters, self.route, self.run_id = FakeClusters(self.cluster), route, run_id
        self.canaries = self.clusters.canaries("main")
        steps = (a_step("canary", changes=True), a_step("promote", changes=True))
        self.plan = a_plan(traffic=route, steps=steps)
        self.step = a_step("restore", section="on_failure", changes=True)
        self.seen: dict[StepKey, StepRun] = {self.step.key: StepRun(StepPhase.RUNNING, started_at=self.clock.now())}
        assert self.plan.previous is not None
        self.before = self.plan.previous.image
        self.cluster.add(WORKLOAD, self.before, replicas=4)

    async def has_a_canary(self) -> None:
        """Brought and shifted by the run, and written to no more."""
        fence = Fence(self.run_id, "steps.canary", 1)
        await self.canaries.bring(self.route, self.plan.artifact.image, 2, fence)
        self.clock.advance(10 * SECOND)
        await self.canaries.shift(self.route, 50, fence)
        self.cluster.writes.clear()

    async def began_to_promote(self) -> None:
        """Stable was given the new version."""
        key = self.plan.steps[1].key
        self.seen[key] = StepRun(StepPhase.RUNNING, started_at=self.clock.now(), memo={"written": True})
        change = ImageChange(self.plan.artifact.image, "promote", (), (self.before,))
        await self.cluster.set_image(WORKLOAD, change, Fence(self.run_id, "steps.promote", 1))
        self.cluster.writes.clear()

    async def back(self, seconds: int = 60) -> Outcome:
        """The step, pass by pass, until it has ended or the time is over."""
        outcome: Outcome = Pending("", SECOND)
        for _ in range(seconds):
            run = a_run(plan=self.plan, steps=self.seen)
            context = StepContext(run, self.step, self.clock.now(), token=1)
            outcome = await Restore(self.clusters, self.clusters, lambda _: None).reconcile(context)
            if not isinstance(outcome, Pending):
                break
            self.seen[self.step.key] = self.seen[self.step.key].waiting(outcome, at=self.clock.now())
            self.clock.advance(SECOND)
        return outcome

    def verbs(self) -> list[str]:
        """What was written, in order."""
        return [write.verb for write in self.cluster.writes]

    @property
    def share(self) -> int:
        """The canary's, in per cent."""
        return self.cluster.traffic.weights(self.route)[1]


async def test_stable_that_was_never_touched_is_only_marked() -> None:
    """Traffic, mark, clean-up; no pod of the old version restarts."""
    way = Way()
    await way.has_a_canary()
    outcome = await way.back()
    assert isinstance(outcome, Succeeded)
    assert outcome.said == "4 of 4 pods, the canary is gone"
    assert way.verbs() == ["shift", "mark", *CLEAN_UP]
    assert way.canaries.leftovers(ROUTED) == []


async def test_stable_that_promotion_had_touched_is_set_back() -> None:
    """As soon as the canary has no traffic, and before its pods go."""
    way = Way()
    await way.has_a_canary()
    await way.began_to_promote()
    assert isinstance(await way.back(), Succeeded)
    assert way.verbs() == ["shift", "set_image", *CLEAN_UP]
    assert way.cluster.image(WORKLOAD) == way.before


async def test_what_a_dead_pass_had_written_is_on_record() -> None:
    """Promotion died between its write and its commit, and was aborted: the release did run here for a while."""
    way = Way()
    await way.has_a_canary()
    await way.began_to_promote()
    promote = way.plan.steps[1].key
    way.seen[promote] = replace(way.seen[promote], memo={})
    assert image_set_at(a_run(plan=way.plan, steps=way.seen)) is None
    await way.back()
    assert image_set_at(a_run(plan=way.plan, steps=way.seen)) == way.seen[promote].started_at


async def test_without_a_router_the_canary_has_no_pods_first() -> None:
    """Its pods are its share."""
    way = Way(BY_PODS)
    await way.has_a_canary()
    assert isinstance(await way.back(), Succeeded)
    assert way.verbs() == ["scale_canary", "mark", "delete_canary"]


async def test_what_others_have_set_stays_and_the_canary_goes() -> None:
    """Somebody gave stable a third version meanwhile: theirs is kept, and nothing of ours is left beside it."""
    way = Way()
    await way.has_a_canary()
    await way.began_to_promote()
    way.cluster.edit(WORKLOAD, image="registry.example/acme/api:v3")
    outcome = await way.back()
    assert isinstance(outcome, Failed)
    assert outcome.cause is FailureCause.OVERWRITTEN
    assert way.verbs() == ["shift", *CLEAN_UP]
    assert way.cluster.image(WORKLOAD).endswith(":v3")


async def test_a_canary_of_another_run_is_left_alone() -> None:
    """Whoever owns it keeps its traffic."""
    way = Way(run_id="web-prod-7")
    await way.has_a_canary()
    way.run_id = "api-prod-1"
    outcome = await way.back()
    assert isinstance(outcome, Succeeded)
    assert (way.verbs(), way.share) == (["mark"], 50)


async def test_a_router_of_another_controller_is_waited_for() -> None:
    """Nothing else is done before the traffic is back; as soon as Sluice may write again, it goes on."""
    way = Way()
    await way.has_a_canary()
    way.cluster.traffic.own(ROUTED, ARGO)
    waits = await way.back(10)
    assert isinstance(waits, Pending)
    assert waits.blocked
    assert waits.why.startswith("the canary still has its traffic: httproute api in prod is managed by Argo CD")
    assert way.verbs() == []
    way.cluster.traffic.own(ROUTED, "")
    assert isinstance(await way.back(), Succeeded)


async def test_a_note_that_nobody_can_read_is_waited_for() -> None:
    """Somebody edited what Sluice had written on the router's object; with it gone, and the entry, the way is free."""
    way = Way()
    await way.has_a_canary()
    found = way.cluster.traffic.of(ROUTED)
    found.annotations[entry_key(ROUTED)] = "mine!"
    waits = await way.back(10)
    assert isinstance(waits, Pending)
    assert waits.blocked
    assert waits.why.startswith("the canary still has its traffic: the annotation canary.sluice.dev/api")
    del found.annotations[entry_key(ROUTED)]
    way.cluster.traffic.edit(ROUTED, None)
    assert isinstance(await way.back(), Succeeded)
    assert way.canaries.leftovers(ROUTED) == []


async def test_a_router_that_is_gone_took_the_share_with_it() -> None:
    """What is left of the canary goes."""
    way = Way()
    await way.has_a_canary()
    way.cluster.traffic.lose(ROUTED)
    await way.back()
    assert way.canaries.leftovers(ROUTED) == []


async def test_a_router_that_is_taken_during_the_clean_up_is_waited_for() -> None:
    """The canary has no traffic by then, and that is said."""
    way = Way()
    await way.has_a_canary()
    while way.share:
        await way.back(1)
    way.cluster.traffic.own(ROUTED, ARGO)
    waits = await way.back(10)
    assert isinstance(waits, Pending)
    assert waits.blocked
    assert waits.why.startswith("the canary cannot be removed; it has no traffic: ")
    way.cluster.traffic.own(ROUTED, "")
    assert isinstance(await way.back(), Succeeded)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_workload_of_another_controller_keeps_no_canary(begun: bool) -> None:
    """Stable was taken over: where it was never touched all is as before, else the restore fails; no canary is left."""
    way = Way()
    await way.has_a_canary()
    if begun:
        await way.began_to_promote()
    way.cluster.find(WORKLOAD).owner = ARGO
    outcome = await way.back()
    assert way.canaries.leftovers(ROUTED) == []
    if begun:
        assert isinstance(outcome, Failed)
        assert outcome.reason.startswith("deployment/api in prod is managed by Argo CD")
        assert outcome.cause is FailureCause.BROKEN
    else:
        assert isinstance(outcome, Succeeded)


async def test_a_first_release_has_nothing_to_go_back_to() -> None:
    """It says so."""
    way = Way()
    way.plan = replace(way.plan, previous=None)
    assert await way.back() == Failed("there is no earlier version to restore")
