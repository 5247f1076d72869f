"""A canary on trial: what the judge says of the metrics, and what that means for the step."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import NotFoundError, RefusedError
from bot.domain.ids import UserId
from bot.domain.json import Json
from bot.domain.outcome import Failed, Outcome, Pending, Question, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.run import StepRun
from bot.domain.traffic import Route, Router
from bot.ports.canaries import Pods, TrafficState
from bot.ports.cluster import Fault, FaultKind
from bot.ports.execution import StepContext
from runbooks.judging import Jury, measured, seal
from runbooks.signals import Signals
from runbooks.trial import Trial, TrialSpec, Wish, inherited
from tests.builders import NOW, a_plan, a_run, a_step
from tests.contracts.canaries import pod, queries_of
from tests.fakes.metrics import FakeMetrics, FakeProviders

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WEIGHT: dict[str, Json] = {"weight": "20%", "judge": {"for": "10m", "least": "1m"}, "hold": False}
STABLE = tuple(pod("api", number) for number in range(4))
CANARY = pod("api", 0, suffix="-canary")
IMAGE = "registry.example/acme/api:v2"
ROUTE = Route(Router.GATEWAY_API, a_plan().workload, "api", "api")
STATE = TrafficState(
    20, Pods(str(a_plan().previous.image), 4, 4, settled=True), Pods(IMAGE, 1, 1, settled=True), "api-prod-1"
)


class Traffic:
    """What divides the requests, as one look sees it: a state, or why it cannot be read."""

    def __init__(self, state: TrafficState | Exception) -> None:
        self._state = state

    async def observe(self, _route: Route) -> TrafficState:
        if isinstance(self._state, Exception):
            raise self._state
        return self._state


class Court:
    """A canary that got its traffic just now, beside four pods that have served for ten minutes."""

    def __init__(self, *, guards: tuple[str, ...] = (), hold: bool = False, **spec: str) -> None:
        signals = Signals.model_validate({"interval": "1s", "guards": list(guards)})
        queries = replace(queries_of("api", bounds=[0.01, 0.05, 0.1, 0.5]), provider="main")
        step = a_step("canary", params=WEIGHT, changes=True)
        self.plan = a_plan(signals=seal(queries, signals), steps=(step,), traffic=ROUTE)
        self.metrics, self.now = FakeMetrics(), NOW
        for name in STABLE:
            self.metrics.load(name, NOW - 11 * MINUTE)
        self.metrics.load(CANARY, NOW)
        memo: dict[str, Json] = {"began": NOW.isoformat(), "since": NOW.isoformat()}
        self.run = a_run(plan=self.plan, steps={step.key: StepRun(StepPhase.RUNNING, started_at=NOW, memo=memo)})
        self.wish = Wish(TrialSpec.model_validate(spec or {"for": "10m"}), hold, weight=20)

    @property
    def seen(self) -> StepRun:
        """How the step stands."""
        return self.run.step(self.plan.steps[0].key)

    def context(self, **known: Any) -> StepContext:
        """The next pass."""
        return StepContext(self.run, self.plan.steps[0], self.now, token=1, **known)

    async def looks(self, seconds: int, *, state: TrafficState | Exception = STATE, **known: Any) -> Outcome:
        """A look every second, each by a jury of its own that knows the memo alone; until it is decided."""
        outcome: Outcome = Pending("", SECOND)
        for _ in range(seconds):
            self.now += SECOND
            trial = Trial(Jury(FakeProviders(main=self.metrics)))
            outcome = await trial.judged(self.context(**known), self.wish, self.seen.memo, Traffic(state))
            if not isinstance(outcome, Pending):
                break
            assert outcome.memo is not None
            self.run, _ = self.run.step_waits(self.plan.steps[0].key, outcome, at=self.now)
        return outcome

    @property
    def passed_s(self) -> int:
        """How long it has had its traffic."""
        return int((self.now - NOW).total_seconds())


async def test_a_good_canary_is_let_on_as_soon_as_harm_is_ruled_out() -> None:
    """Not before it has baked for five minutes; with what was ruled out, and the figures."""
    court = Court()
    outcome = await court.looks(600)
    assert isinstance(outcome, Succeeded)
    assert 300 <= court.passed_s < 330
    assert outcome.said.startswith("no harm seen, and a doubling of errors")
    assert outcome.picture is not None
    assert outcome.picture.title == "api v2 in prod: good"


async def test_a_canary_that_turns_bad_is_caught_within_seconds() -> None:
    """A fifth of its answers fail, at 50 a second."""
    court = Court()
    await court.looks(60)
    court.metrics.load(CANARY, court.now, error_rate=0.2)
    begun = court.passed_s
    outcome = await court.looks(60)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("worse than stable: errors ")
    assert outcome.picture is not None
    assert "errors canary 20 %, baseline 0 %" in outcome.picture.alt
    assert court.passed_s - begun <= 10


async def test_a_guard_rail_holds_beside_the_judge() -> None:
    """Both arms are as bad: the judge blames nobody, the limit is broken all the same."""
    court = Court(guards=("error_rate < 2%",))
    for name in (*STABLE, CANARY):
        court.metrics.load(name, NOW, error_rate=0.1)
    outcome = await court.looks(120)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("a guard rail is breached: error_rate < 2%: ")


async def test_thin_evidence_extends_once_and_then_asks_people() -> None:
    """It neither promotes nor restores by itself; who lets it go on is named."""
    court = Court(**{"for": "3m"})
    court.metrics.load(CANARY, NOW, rate=0.0)
    outcome = await court.looks(180)
    assert isinstance(outcome, Pending)
    assert outcome.why == "judging for another 3m, extended once"
    outcome = await court.looks(181)
    assert isinstance(outcome, Pending)
    assert (outcome.asks, outcome.why) == (
        Question.UNDECIDED,
        "too little to tell: nothing to see: nothing from the canary for 6 min 1 s",
    )
    outcome = await court.looks(1, consent=(UserId("U0BOB"),))
    assert isinstance(outcome, Succeeded)
    assert outcome.said.startswith("<@U0BOB> let it go on")


async def test_a_provider_that_is_away_decides_nothing() -> None:
    """Blind: it waits, says so, asks people in the end, and goes on where it was when the server is back."""
    court = Court(**{"for": "3m"})
    await court.looks(60)
    court.metrics.down = True
    outcome = await court.looks(400)
    assert isinstance(outcome, Pending)
    assert (outcome.blocked, outcome.asks) == (True, Question.UNDECIDED)
    assert "the metrics server cannot be reached" in outcome.why
    court.metrics.down = False
    assert isinstance(await court.looks(5), Succeeded)


async def test_a_canary_that_is_held_waits_for_people() -> None:
    """Even a good one; and a bad one does not wait for anybody."""
    court = Court(hold=True)
    outcome = await court.looks(400)
    assert isinstance(outcome, Pending)
    assert (outcome.asks, outcome.why) == (Question.HELD, "good so far; the runbook lets people decide")
    court.metrics.load(CANARY, court.now, error_rate=0.5)
    assert isinstance(await court.looks(30), Failed)


async def test_consent_before_anybody_was_asked_changes_nothing() -> None:
    """Only a step that waits for people can be let go on."""
    assert isinstance(await Court().looks(30, consent=(UserId("U0BOB"),)), Pending)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (replace(STATE, canary=None), "the canary is gone: somebody has deleted it"),
        (
            replace(STATE, canary=Pods(IMAGE, 1, 0, settled=False, faults=(Fault(FaultKind.CRASH_LOOP, "exit 1"),))),
            "the canary does not run: CrashLoopBackOff: exit 1",
        ),
    ],
)
async def test_pods_that_are_gone_or_broken_need_no_figures(state: TrafficState, said: str) -> None:
    """The cause is named at once."""
    outcome = await Court().looks(1, state=state)
    assert isinstance(outcome, Failed)
    assert outcome.reason == said


async def test_traffic_that_somebody_changed_is_named() -> None:
    """It waits for people; what they set is not fought over."""
    court, edited = Court(), replace(STATE, edited="the weight is 50, not 20")
    outcome = await court.looks(400, state=edited)
    assert isinstance(outcome, Pending)
    said = "somebody changed the traffic by hand: the weight is 50, not 20; put it back, or let Sluice set 20 % again"
    assert (outcome.asks, outcome.why) == (Question.SHARE, said)
    court.metrics.load(CANARY, court.now, error_rate=0.5)
    assert isinstance(await court.looks(30, state=edited), Failed)


@pytest.mark.parametrize("lost", [NotFoundError("httproute api: not found"), RefusedError("managed by Argo CD")])
async def test_traffic_that_cannot_be_read_is_no_fault_of_the_canary(lost: Exception) -> None:
    """Somebody deleted the router's object, or another controller has taken it: people are told, nothing is undone."""
    outcome = await Court().looks(400, state=lost)
    assert isinstance(outcome, Pending)
    assert (outcome.blocked, outcome.why) == (True, f"the traffic cannot be read: {lost}; put it back, or abort")


async def test_a_metrics_server_that_refuses_us_decides_nothing() -> None:
    """A token that ran out in the middle is no reason to roll back."""
    court = Court(**{"for": "3m"})
    await court.looks(30)
    trial = Trial(Jury(FakeProviders()))
    outcome = await trial.judged(court.context(), court.wish, court.seen.memo, Traffic(STATE))
    assert isinstance(outcome, Pending)
    assert "there is no metrics provider 'main' in the catalogue" in outcome.why


async def test_a_canary_is_never_left_alone() -> None:
    """A good one does not go on while its run is paused, and harm is still seen."""
    court = Court()
    court.run, _ = court.run.paused(UserId("U0BOB"), "lunch", at=NOW)
    outcome = await court.looks(400)
    assert isinstance(outcome, Pending)
    assert outcome.why == "paused; still watched"
    court.metrics.load(CANARY, court.now, error_rate=0.5)
    assert isinstance(await court.looks(30), Failed)


async def test_the_trial_goes_on_in_the_next_step() -> None:
    """The evidence of one share counts for the next: the next step begins where this one ended."""
    court = Court()
    assert isinstance(await court.looks(600), Succeeded)
    key = court.plan.steps[0].key
    ended = replace(court.seen, phase=StepPhase.SUCCEEDED)
    kept: Mapping[str, Json] = inherited(replace(court.context(), run=a_run(plan=court.plan, steps={key: ended})))
    assert set(kept) == {"judge", "guards", "film", "read", "began"}
    court.run = a_run(plan=court.plan, steps={key: StepRun(memo={**kept, "since": court.now.isoformat()})})
    begun = court.passed_s
    assert isinstance(await court.looks(120), Succeeded)
    assert 60 <= court.passed_s - begun <= 65
    assert inherited(replace(court.context(), run=a_run(plan=court.plan))) == {}


def test_what_is_sealed_is_read_back() -> None:
    """Queries, margins and guards."""
    known = measured(Court(guards=("p95 < 300ms", "error_rate < 1%", "cpu < 500m")).plan)
    assert [str(guard) for guard in known.guards] == ["p95 < 300ms", "error_rate < 1%", "cpu < 0.5 cores"]
    assert known.queries.provider == "main"
