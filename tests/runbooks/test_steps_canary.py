"""canary, judge, promote and watch: pods, traffic and verdicts, step by step, in virtual time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ids import StepKey, UserId
from bot.domain.json import Json
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.run import StepRun
from bot.domain.traffic import Route, Router
from bot.ports.execution import StepContext
from runbooks.judging import Jury, seal
from runbooks.signals import Signals
from runbooks.steps.canary import Canary
from runbooks.steps.judge import JudgeCanary
from runbooks.steps.promote import Promote
from runbooks.steps.watch import Watch
from runbooks.trial import Trial
from tests.builders import a_plan, a_run, a_step
from tests.contracts.canaries import pod, queries_of
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.fakes.metrics import FakeMetrics, FakeProviders

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WORKLOAD = a_plan().workload
ROUTED = Route(Router.GATEWAY_API, WORKLOAD, "api", "api")
BY_PODS = Route(Router.REPLICAS, WORKLOAD, "api")
FIVE: Mapping[str, Json] = {"weight": "25%", "judge": {"for": "10m", "least": "1m"}}


class Road:
    """api runs v1 in four pods that have served for a while; a run brings v2 over one road of steps."""

    def __init__(self, route: Route = ROUTED, *, guards: tuple[str, ...] = ()) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.clusters = FakeClusters(self.cluster)
        self.canaries = self.clusters.canaries("main")
        self.metrics, self.route = FakeMetrics(), route
        signals = Signals.model_validate({"interval": "1s", "guards": list(guards)})
        queries = replace(queries_of("api", bounds=[0.01, 0.05, 0.1, 0.5]), provider="main")
        made = a_plan(traffic=route, signals=seal(queries, signals))
        assert made.previous is not None
        self.cluster.add(WORKLOAD, made.previous.image, replicas=4)
        for number in range(4):
            self.metrics.load(pod("api", number), self.clock.now() - 11 * MINUTE)
        self.metrics.load(pod("api", 0, suffix="-canary"), self.clock.now())
        kinds = {"canary": FIVE, "judge": {"for": "5m", "least": "1m"}, "promote": {}, "watch": {"for": "2m"}}
        self.steps = {
            kind: a_step(kind, params=params, changes=kind in ("canary", "promote")) for kind, params in kinds.items()
        }
        self.plan = replace(made, steps=tuple(self.steps.values()))
        trial = Trial(Jury(FakeProviders(main=self.metrics)))
        self.executors = {
            "canary": Canary(self.clusters, self.clusters, trial, lambda _: None),
            "judge": JudgeCanary(self.clusters, trial),
            "promote": Promote(self.clusters, self.clusters, trial, lambda _: None),
            "watch": Watch(FakeProviders(main=self.metrics)),
        }
        self.seen: dict[StepKey, StepRun] = {}

    def context(self, kind: str, **known: Any) -> StepContext:
        """The next pass over that step."""
        run = a_run(plan=self.plan, steps=self.seen)
        return StepContext(run, self.steps[kind], self.clock.now(), token=1, **known)

    async def drives(self, kind: str, seconds: int = 900, **known: Any) -> Outcome:
        """The step, pass by pass at the times that it asks for, until it has ended or the time is over."""
        key, outcome = self.steps[kind].key, Pending("", SECOND)
        self.seen.setdefault(key, StepRun(StepPhase.RUNNING, started_at=self.clock.now()))
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            found = await self.executors[kind].reconcile(self.context(kind, **known))
            if not isinstance(found, Pending):
                said = found.outputs if isinstance(found, Succeeded) else {}
                phase = StepPhase.SUCCEEDED if isinstance(found, Succeeded) else StepPhase.FAILED
                self.seen[key] = replace(self.seen[key], phase=phase, outputs=said)
                return found
            outcome = found
            self.seen[key] = self.seen[key].waiting(found, at=self.clock.now())
            self.clock.advance(max(found.requeue_after, SECOND))
        return outcome

    def verbs(self) -> list[str]:
        """What was written, in order."""
        return [write.verb for write in self.cluster.writes]


async def test_the_whole_road_of_a_good_canary() -> None:
    """Pods, service, entry, weight; a verdict; the stable pods take the image; then the canary goes, weight first."""
    road = Road()
    judged = await road.drives("canary")
    assert isinstance(judged, Succeeded)
    assert road.verbs() == ["make_canary", "make_service", "enter_route", "shift"]
    assert road.cluster.traffic.weights(ROUTED) == (75, 25)
    assert isinstance(await road.drives("judge"), Succeeded)
    promoted = await road.drives("promote")
    assert isinstance(promoted, Succeeded)
    assert promoted.said == "v2 promoted, the canary is gone"
    assert road.verbs()[4:] == ["set_image", "shift", "leave_route", "delete_service", "delete_canary"]
    assert road.canaries.leftovers(ROUTED) == []
    assert road.cluster.image(WORKLOAD) == road.plan.artifact.image


async def test_without_a_router_the_numbers_of_pods_divide() -> None:
    """One canary pod beside four is a fifth: as near to a quarter as whole pods come."""
    road = Road(BY_PODS)
    assert isinstance(await road.drives("canary"), Succeeded)
    state = await road.canaries.observe(BY_PODS)
    assert state.canary is not None
    assert (state.canary.desired, state.weight) == (1, 20)


async def test_a_canary_that_does_not_come_up_gets_no_traffic() -> None:
    """The cause is named, and nobody has noticed."""
    road = Road()
    road.plan = replace(road.plan, artifact=replace(road.plan.artifact, image="registry.example/acme/api:v2-crash"))
    failed = await road.drives("canary")
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("the canary does not come up: CrashLoopBackOff")
    assert "shift" not in road.verbs()


async def test_a_bad_canary_fails_its_step_within_seconds() -> None:
    """The failure steps then take its traffic away."""
    road = Road()
    await road.drives("canary", 60)
    road.metrics.load(pod("api", 0, suffix="-canary"), road.clock.now(), error_rate=0.2)
    begun = road.clock.now()
    failed = await road.drives("canary", 60)
    assert isinstance(failed, Failed)
    assert road.clock.now() - begun <= 10 * SECOND


async def test_a_pass_after_a_crash_finds_what_is_there() -> None:
    """The memo of the pass that died is lost: nothing is written twice."""
    road = Road()
    key = road.steps["canary"].key
    await road.drives("canary", 12)
    written = road.verbs()
    road.seen[key] = replace(road.seen[key], memo={})
    await road.drives("canary", 12)
    assert road.verbs() == written


async def test_whether_a_canary_has_landed_is_read_from_the_cluster() -> None:
    """Not from the database, which may have lost it."""
    road = Road()
    canary = road.executors["canary"]
    assert isinstance(canary, Canary)
    assert not await canary.landed(road.context("canary"))
    await road.drives("canary", 5)
    assert await canary.landed(road.context("canary"))
    assert await canary.overwritten(road.context("canary")) == ""


async def test_traffic_that_people_changed_is_not_fought_over() -> None:
    """It is named, and waits for them."""
    road = Road()
    await road.drives("canary", 30)
    road.cluster.traffic.edit(ROUTED, 60)
    waits = await road.drives("canary", 30)
    assert isinstance(waits, Pending)
    assert waits.blocked
    assert waits.why.startswith("somebody changed the traffic by hand: ")
    assert road.verbs().count("shift") == 1


async def test_people_let_a_canary_go_on_that_cannot_be_decided() -> None:
    """Nobody calls the canary, so nothing can be said of it."""
    road = Road()
    road.metrics.load(pod("api", 0, suffix="-canary"), road.clock.now(), rate=0.0)
    assert isinstance(await road.drives("canary", 1300), Pending)
    assert isinstance(await road.drives("canary", 5, consent=(UserId("U0BOB"),)), Succeeded)


async def test_a_judge_without_a_canary_says_what_is_missing() -> None:
    """A runbook that forgot it."""
    failed = await Road().drives("judge", 5)
    assert failed == Failed("there is no canary to judge; put a step 'canary' before this one")


@pytest.mark.parametrize("kind", ["canary", "judge"])
async def test_a_plan_without_traffic_runs_no_canary(kind: str) -> None:
    """It says so, and fails."""
    road = Road()
    road.plan = replace(road.plan, traffic=None)
    assert isinstance(await road.drives(kind, 5), Failed)


async def test_promotion_leaves_what_people_set_by_hand() -> None:
    """Another image than the plan's was set on stable meanwhile."""
    road = Road()
    await road.drives("canary")
    road.cluster.edit(WORKLOAD, image="registry.example/acme/api:v3")
    failed = await road.drives("promote")
    assert isinstance(failed, Failed)
    assert failed.cause is FailureCause.OVERWRITTEN


async def test_promotion_waits_for_a_router_that_was_taken() -> None:
    """All pods run the new version, which was found good: that Sluice may not take the canary out undoes nothing."""
    road = Road()
    await road.drives("canary")
    road.cluster.traffic.own(ROUTED, "Argo CD (application api)")
    waits = await road.drives("promote", 60)
    assert isinstance(waits, Pending)
    assert waits.blocked
    assert waits.why.startswith("the canary cannot be removed: httproute api in prod is managed by Argo CD")
    assert road.verbs()[-1] == "set_image"
    road.cluster.traffic.own(ROUTED, "")
    assert isinstance(await road.drives("promote"), Succeeded)
    assert road.canaries.leftovers(ROUTED) == []


async def test_guard_rails_stay_armed_after_promotion() -> None:
    """A breach fails the release; without one the time passes; without guard rails there is nothing to watch."""
    quiet = Road(guards=("error_rate < 5%",))
    assert await quiet.drives("watch") == Succeeded("no guard rail breached in 2m")
    broken = Road(guards=("error_rate < 5%",))
    for number in range(4):
        broken.metrics.load(pod("api", number), broken.clock.now(), error_rate=0.2)
    failed = await broken.drives("watch")
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("a guard rail is breached: error_rate < 5%: ")
    assert await Road().drives("watch") == Succeeded("no guard rails in the catalogue")


async def test_a_metrics_server_that_is_away_is_named_while_watching() -> None:
    """It is waited for."""
    road = Road(guards=("error_rate < 5%",))
    road.metrics.down = True
    waits = await road.drives("watch", 30)
    assert isinstance(waits, Pending)
    assert waits.blocked
    assert "nothing can be seen" in waits.why


async def test_what_was_missed_is_looked_at_when_the_server_is_back() -> None:
    """A breach while nobody could see it is one; the last look comes when the time is over."""
    road = Road(guards=("error_rate < 5%",))
    await road.drives("watch", 20)
    road.metrics.down = True
    for number in range(4):
        road.metrics.load(pod("api", number), road.clock.now(), error_rate=0.2)
    await road.drives("watch", 110)
    road.metrics.down = False
    assert isinstance(await road.drives("watch", 5), Failed)


async def test_nobody_claims_that_nothing_happened_while_nothing_was_seen() -> None:
    """The time is over, and the result says that it was not watched; nor is a server that refuses us a reason to go
    back."""
    road = Road(guards=("error_rate < 5%",))
    road.metrics.down = True
    away = await road.drives("watch")
    assert isinstance(away, Succeeded)
    assert away.said.startswith("not watched to the end, nothing can be seen: the metrics server cannot be reached")
    other = Road(guards=("error_rate < 5%",))
    other.executors["watch"] = Watch(FakeProviders())
    refused = await other.drives("watch")
    assert isinstance(refused, Succeeded)
    assert "there is no metrics provider 'main'" in refused.said


async def test_a_service_without_signals_is_not_watched() -> None:
    """As after a plain promotion: there is nothing to look at, and nothing that could fail."""
    road = Road()
    road.plan = replace(road.plan, signals={})
    assert await road.drives("watch") == Succeeded("no signals in the catalogue")
