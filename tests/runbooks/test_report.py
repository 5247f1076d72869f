"""How a canary stands, read from what its run remembers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import UnreadableError
from bot.domain.ids import StepKey
from bot.domain.json import Json
from bot.domain.outcome import Pending, Question
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import PlannedStep
from bot.domain.run import Run, StepRun
from bot.domain.traffic import Route, Router
from runbooks.judging import Jury, measured, seal, settings_of
from runbooks.report import report
from runbooks.signals import Signals
from runbooks.trial import horizon
from tests.builders import NOW, a_plan, a_running_run, a_step
from tests.contracts.canaries import pod, queries_of
from tests.fakes.metrics import FakeMetrics, FakeProviders

MINUTE = timedelta(minutes=1)
FIRST = a_step("canary", params={"weight": "5%", "judge": {"for": "10m", "least": "1m"}}, changes=True)
SECOND = replace(FIRST, key=StepKey("steps.canary-2"), params={**FIRST.params, "weight": "50%"})
LONGER = a_step("judge", params={"for": "5m", "least": "1m"})
PROMOTE = a_step("promote", changes=True)
STEPS = (a_step("approval"), FIRST, SECOND, LONGER, PROMOTE)
SINCE: dict[str, Json] = {"since": NOW.isoformat()}


def at(current: PlannedStep, **seen: Any) -> Run:
    """A run at that step; the steps before it are done."""
    queries = replace(queries_of("api", metrics={"latency": None, "cpu": None}), provider="main")
    plan = a_plan(
        steps=STEPS,
        traffic=Route(Router.GATEWAY_API, a_plan().workload, "api", "api"),
        signals=seal(queries, Signals.model_validate({"interval": "1s"})),
    )
    done = {step.key: StepRun(StepPhase.SUCCEEDED) for step in STEPS[: STEPS.index(current)]}
    steps = {**done, current.key: StepRun(StepPhase.RUNNING, started_at=NOW, **seen)}
    return a_running_run(plan=plan, steps=steps)


async def judged(run: Run, span: timedelta) -> Run:
    """The same run after one look of the jury at all that happened in that time."""
    metrics, key = FakeMetrics(), FIRST.key
    metrics.load(pod("api", 0), NOW - 20 * MINUTE)
    metrics.load(pod("api", 0, suffix="-canary"), NOW)
    plan = run.sealed_plan()
    settings = settings_of(measured(plan), horizon=horizon(plan), share=5)
    jury = Jury(FakeProviders(main=metrics))
    look = await jury.look(measured(plan), settings, {}, began=NOW, now=NOW + span)
    wait = Pending("judging 3m of 10m", MINUTE, {**SINCE, **look.memo})
    return run.step_waits(key, wait, at=NOW + span)[0]


async def test_it_tells_what_the_judge_has_seen() -> None:
    """Each signal with its numbers, the picture, and what comes next."""
    run = await judged(at(FIRST), 3 * MINUTE)
    found = report(run, NOW + 3 * MINUTE)
    assert found is not None
    assert (found.step, found.stands) == (FIRST, "judging 3m of 10m")
    (errors,) = found.signals
    assert errors.startswith("errors 0 % vs 0 % (0 of 8,950 vs 0 of 9,000): evidence 0.2 of 100")
    assert found.following == "then the canary gets 50%; people are asked in 17m at the latest"
    assert found.picture is not None
    assert found.picture.title == "api v2 in prod: not decided yet"


def test_before_its_first_look_there_is_nothing_to_show() -> None:
    """The step may even be about to begin."""
    found = report(at(FIRST), NOW)
    assert found is not None
    assert (found.stands, found.signals, found.picture) == ("about to begin", (), None)


@pytest.mark.parametrize(
    ("step", "following"),
    [
        (FIRST, "then the canary gets 50%; people are asked in 18m at the latest"),
        (SECOND, "then judge; people are asked in 18m at the latest"),
        (LONGER, "then promote; people are asked in 8m at the latest"),
    ],
)
def test_what_comes_next_is_told_with_its_time(step: PlannedStep, following: str) -> None:
    """Each step is extended once before people are asked."""
    found = report(at(step, memo=SINCE), NOW + 2 * MINUTE)
    assert found is not None
    assert found.following == following


def test_nobody_is_told_that_he_will_be_asked_when_he_is() -> None:
    """Nor when the time for that is over."""
    asking, late = (
        report(at(FIRST, memo=SINCE, asks=Question.UNDECIDED), NOW),
        report(at(FIRST, memo=SINCE), NOW + 20 * MINUTE),
    )
    assert asking is not None
    assert asking.following == "then the canary gets 50%, as soon as people let it go on"
    assert late is not None
    assert late.following == "then the canary gets 50%"


def test_the_last_step_is_followed_by_the_end() -> None:
    """A canary that somebody only wanted to look at."""
    run = at(FIRST)
    found = report(replace(run, plan=replace(run.sealed_plan(), steps=(FIRST,))), NOW)
    assert found is not None
    assert found.following.startswith("then the release is done")


def test_a_run_that_is_at_no_canary_has_no_report() -> None:
    """It promotes, it has no plan yet, or it is on its way back."""
    assert report(at(PROMOTE), NOW) is None
    assert report(replace(at(FIRST), plan=None), NOW) is None
    assert report(replace(at(FIRST), phase=Phase.RESTORING), NOW) is None


async def test_what_nobody_can_read_any_more_is_said() -> None:
    """Signals that another version of Sluice has sealed."""
    run = await judged(at(FIRST), MINUTE)
    run = replace(run, plan=replace(run.sealed_plan(), signals={"old": True}))
    with pytest.raises(UnreadableError):
        report(run, NOW)
