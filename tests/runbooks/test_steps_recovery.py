"""recovery: the pods of now against those of before the release."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.json import Json
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.run import StepRun
from bot.ports.execution import StepContext
from runbooks.judging import seal
from runbooks.signals import Signals
from runbooks.steps.recovery import Recovery, RecoverySpec
from tests.builders import a_plan, a_run, a_step
from tests.contracts.canaries import pod, queries_of
from tests.fakes.clock import FakeClock
from tests.fakes.metrics import FakeMetrics, FakeProviders

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
STABLE = tuple(pod("api", number) for number in range(3))


class Ward:
    """Three pods that have served well; a canary had traffic for a while, and was taken back a moment ago."""

    def __init__(self, *, rate: float = 200.0) -> None:
        self.clock, self.metrics, self.rate = FakeClock(), FakeMetrics(), rate
        self.providers = FakeProviders(main=self.metrics)
        for name in STABLE:
            self.metrics.load(name, self.clock.now() - 30 * MINUTE, rate=rate)
        queries = replace(queries_of("api", metrics={"latency": None}), provider="main")
        signals = seal(queries, Signals.model_validate({"interval": "1s"}))
        self.canary, self.step = a_step("canary", changes=True), a_step("recovery", params={"for": "2m"})
        self.plan = a_plan(signals=signals, steps=(self.canary,))
        began: dict[str, Json] = {"began": (self.clock.now() - 5 * MINUTE).isoformat()}
        self.tried = StepRun(StepPhase.FAILED, memo=began)
        self.began = self.clock.now()

    def turns(self, error_rate: float) -> None:
        """From now on so many answers are errors."""
        for name in STABLE:
            self.metrics.load(name, self.clock.now(), rate=self.rate, error_rate=error_rate)

    async def proves(self, looks: int = 150, *, every: timedelta = SECOND) -> Outcome:
        """So many looks by a process that remembers nothing, until it is decided."""
        outcome: Outcome = Pending("", SECOND)
        for _ in range(looks):
            self.clock.advance(every)
            seen = {self.canary.key: self.tried, self.step.key: StepRun(StepPhase.RUNNING, started_at=self.began)}
            context = StepContext(a_run(plan=self.plan, steps=seen), self.step, self.clock.now(), token=1)
            outcome = await Recovery(self.providers).reconcile(context)
            if not isinstance(outcome, Pending):
                break
        return outcome

    @property
    def took(self) -> timedelta:
        """How long it has been looking."""
        return self.clock.now() - self.began


async def test_all_is_as_before() -> None:
    """Proven as soon as harm is ruled out, with the figures of both times."""
    ward = Ward()
    outcome = await ward.proves()
    assert isinstance(outcome, Succeeded)
    assert outcome.said.startswith("as before the release: errors 0 % vs 0 %")
    assert ward.took < 2 * MINUTE


async def test_what_is_worse_than_before_is_no_recovery() -> None:
    """The restore did not help: people must know."""
    ward = Ward()
    ward.turns(0.2)
    outcome = await ward.proves()
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("the metrics are worse than before the release: errors 20 % vs 0 %")


async def test_how_far_it_is_can_be_read() -> None:
    """The time, and the figures of now against those of before."""
    waits = await Ward(rate=1.0).proves(3)
    assert isinstance(waits, Pending)
    assert waits.why.startswith("3s of 2m; now against before: errors 0 % vs 0 %")


async def test_the_time_of_the_canary_is_no_measure() -> None:
    """Errors while it had traffic are neither the time before nor the time after."""
    ward = Ward()
    for name in STABLE:
        ward.metrics.streams.pods[name].loads.clear()
        ward.metrics.load(name, ward.clock.now() - 30 * MINUTE, rate=ward.rate)
        ward.metrics.load(name, ward.clock.now() - 5 * MINUTE, rate=ward.rate, error_rate=0.3)
        ward.metrics.load(name, ward.clock.now(), rate=ward.rate)
    outcome = await ward.proves()
    assert isinstance(outcome, Succeeded)
    assert "errors 0 % vs 0 %" in outcome.said


async def test_too_little_traffic_proves_nothing_and_harms_nobody() -> None:
    """It says so, and the restore has ended well."""
    outcome = await Ward(rate=0.1).proves(every=MINUTE)
    assert isinstance(outcome, Succeeded)
    assert outcome.said.startswith("no harm seen, too little traffic to prove more: ")


async def test_a_server_that_is_away_is_waited_for_and_named() -> None:
    """A way back never fails because nobody can look at it."""
    ward = Ward()
    ward.metrics.down = True
    waits = await ward.proves(10)
    assert isinstance(waits, Pending)
    assert (waits.blocked, waits.why) == (
        True,
        "nothing can be seen: the metrics server cannot be reached: it is down",
    )
    outcome = await ward.proves()
    assert isinstance(outcome, Succeeded)
    assert outcome.said.startswith("not proven, nothing can be seen: the metrics server")


async def test_a_server_that_is_unknown_by_now_proves_nothing() -> None:
    """It was taken out of the catalogue in the middle of the release."""
    ward = Ward()
    ward.providers = FakeProviders()
    waits = await ward.proves(1)
    assert isinstance(waits, Pending)
    assert "there is no metrics provider 'main'" in waits.why


async def test_a_server_that_comes_back_late_still_proves_it() -> None:
    """What it missed to tell is read then."""
    ward = Ward()
    ward.metrics.down = True
    await ward.proves(9, every=10 * SECOND)
    ward.metrics.down = False
    outcome = await ward.proves(1)
    assert isinstance(outcome, Succeeded)
    assert outcome.said.startswith("as before the release")


async def test_without_any_traffic_there_is_nothing_to_recover_from() -> None:
    """The canary never came up, or the plan has no signals."""
    untried, blind = Ward(), Ward()
    untried.tried = StepRun(StepPhase.FAILED)
    assert await untried.proves(1) == Succeeded("no canary had any traffic")
    blind.plan = replace(blind.plan, signals={})
    assert await blind.proves(1) == Succeeded("no canary had any traffic")


def test_it_reads_aloud() -> None:
    """What a runbook says of it."""
    spec = RecoverySpec.model_validate({"for": "90s"})
    assert spec.read_aloud().startswith("Compare the metrics with those before the release, for at most 1m30s")
