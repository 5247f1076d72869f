"""pipeline: a run of a CI pipeline is started once, and followed to its end."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import TemporaryError, UnreachableError, UsageError
from bot.domain.ids import RunId
from bot.domain.json import Json
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.ports.pipelines import Conclusion
from runbooks.ci_servers import CiPlace
from runbooks.planner import require_approval_first
from runbooks.steps.pipeline import FRESH, NEXT_LOOK, SHOWN_WITHIN, RunPipeline, RunPipelineSpec, key_of
from tests.fakes.pipelines import FakeCiServers, FakePipelines
from tests.runbooks.passes import Place
from tests.runbooks.runbook_files import a_runbook, with_steps
from tests.runbooks.test_planner import planned

SECOND = timedelta(seconds=1)
PARAMS: Mapping[str, Json] = {
    "run": "integration.yml",
    "inputs": {"suite": "smoke"},
    "server": "main",
    "project": "acme/api",
}
KEY = "api-prod-1-pipeline.8c8c8c8c"
URL = "https://ci.test/runs/1"


class Desk:
    """A CI server, and the step; what it remembers is kept between passes as the engine keeps it."""

    def __init__(self) -> None:
        self.place = Place()
        self.ci = FakePipelines(self.place.clock)
        self.step = RunPipeline(FakeCiServers(main=self.ci))

    def dies(self) -> None:
        """Another process goes on with what was kept."""
        self.step = RunPipeline(FakeCiServers(main=self.ci))

    async def looks(self, *, after: timedelta = timedelta(0), keeps: bool = True) -> Outcome:
        """One pass some time later; `keeps`: the engine commits what it remembers."""
        self.place.clock.advance(after)
        try:
            outcome = await self.step.reconcile(self.place.context("pipeline", PARAMS))
        except TemporaryError as exc:
            return Pending(str(exc), SECOND, blocked=True)
        if keeps and isinstance(outcome, Pending) and outcome.memo is not None:
            self.place.seen = replace(self.place.seen, memo=outcome.memo)
        return outcome

    async def halts(self) -> None:
        """The release is left."""
        await self.step.halt(self.place.context("pipeline", PARAMS))

    async def landed(self) -> bool:
        """Whether it was started."""
        return await self.step.landed(self.place.context("pipeline", PARAMS))


async def test_it_is_announced_then_started_then_followed() -> None:
    """With its inputs and a key; the run's page is there while it runs, and for later steps."""
    desk = Desk()
    first = await desk.looks()
    assert isinstance(first, Pending)
    assert (first.why, first.requeue_after, desk.ci.runs) == ("integration.yml is about to start", 0 * SECOND, [])
    second = await desk.looks()
    assert second == Pending("integration.yml is queued", NEXT_LOOK, memo={"run": "1", "acted": True}, link=URL)
    [run] = desk.ci.runs
    assert (run.order.key, dict(run.order.inputs)) == (KEY, {"suite": "smoke"})
    assert (await desk.looks(after=SECOND)) == replace(second, why="integration.yml runs")
    done = await desk.looks(after=30 * SECOND)
    outputs = {"url": URL, "conclusion": "success", "run": "1"}
    assert done == Succeeded("integration.yml success", outputs, link=URL)


@pytest.mark.parametrize("conclusion", [each for each in Conclusion if each is not Conclusion.SUCCESS])
async def test_anything_but_success_fails_the_step(conclusion: Conclusion) -> None:
    """A run that was skipped has tested nothing."""
    desk = Desk()
    desk.ci.ends = conclusion
    await desk.looks()
    await desk.looks()
    said = conclusion.replace("_", " ")
    assert await desk.looks(after=30 * SECOND) == Failed(f"integration.yml ended with {said}: {URL}", link=URL)


async def test_a_server_that_does_not_say_which_run_it_became_is_searched() -> None:
    """As GitHub was before 2026."""
    desk = Desk()
    desk.ci.tells_ids, desk.ci.shows_after = False, 12 * SECOND
    await desk.looks()
    asked = await desk.looks()
    assert isinstance(asked, Pending)
    assert asked.why == "integration.yml was asked for"
    assert (await desk.looks(after=5 * SECOND)) == Pending("looking whether integration.yml was started", 5 * SECOND)
    found = await desk.looks(after=8 * SECOND)
    assert isinstance(found, Pending)
    assert (found.why, len(desk.ci.runs)) == ("integration.yml runs", 1)


async def test_a_run_that_never_shows_its_key_fails_with_what_to_write() -> None:
    """It was started, so that it is never started again."""
    desk = Desk()
    desk.ci.tells_ids, desk.ci.shows_after = False, timedelta(days=1)
    await desk.looks()
    await desk.looks()
    outcome = await desk.looks(after=SHOWN_WITHIN)
    assert isinstance(outcome, Failed)
    assert outcome.reason == (
        f"integration.yml was started, and no run shows the key {KEY}; let the pipeline take the input 'sluice_key', "
        "and show it in its 'run-name'"
    )
    assert len(desk.ci.runs) == 1


@pytest.mark.parametrize("shows_after", [0, 60, 299])
async def test_a_start_whose_answer_was_lost_is_found_by_its_key(shows_after: int) -> None:
    """However late lists show it."""
    desk = Desk()
    desk.ci.loses_answers, desk.ci.shows_after, desk.ci.takes = True, shows_after * SECOND, timedelta(hours=1)
    await desk.looks()
    assert "did not answer" in getattr(await desk.looks(), "why", "")
    for _ in range(60):
        outcome = await desk.looks(after=5 * SECOND)
    assert getattr(outcome, "why", "") == "integration.yml runs"
    assert len(desk.ci.runs) == 1


@pytest.mark.parametrize("shows_after", [0, 60, 299])
async def test_a_process_that_died_after_the_start_leaves_one_run(shows_after: int) -> None:
    """Nothing of it was kept but the announcement; the next process finds the run by its key."""
    desk = Desk()
    desk.ci.shows_after, desk.ci.takes = shows_after * SECOND, timedelta(hours=1)
    await desk.looks()
    await desk.looks(keeps=False)
    desk.dies()
    for _ in range(60):
        outcome = await desk.looks(after=5 * SECOND)
    assert getattr(outcome, "why", "") == "integration.yml runs"
    assert len(desk.ci.runs) == 1


async def test_a_process_that_died_before_the_start_is_followed_by_one_that_starts_it() -> None:
    """After it was looked for for long enough, and announced anew."""
    desk = Desk()
    await desk.looks()
    desk.dies()
    waiting = await desk.looks(after=SHOWN_WITHIN - SECOND)
    assert (getattr(waiting, "why", ""), desk.ci.runs) == ("looking whether integration.yml was started", [])
    again = await desk.looks(after=SECOND)
    assert getattr(again, "why", "") == "integration.yml is about to start"
    await desk.looks()
    assert len(desk.ci.runs) == 1


async def test_whoever_slept_over_an_announcement_does_not_start() -> None:
    """Another process may have looked for the run meanwhile."""
    desk = Desk()
    await desk.looks()
    outcome = await desk.looks(after=FRESH + SECOND)
    assert (getattr(outcome, "why", ""), desk.ci.runs) == ("looking whether integration.yml was started", [])


async def test_a_commit_that_failed_after_the_start_does_not_start_it_twice() -> None:
    """The same process comes back with what was kept before."""
    desk = Desk()
    desk.ci.shows_after = 30 * SECOND
    await desk.looks()
    await desk.looks(keeps=False)
    await desk.looks(after=SECOND)
    assert len(desk.ci.runs) == 1


async def test_a_release_that_is_left_cancels_its_run() -> None:
    """Once or more often."""
    desk = Desk()
    await desk.looks()
    await desk.looks()
    await desk.halts()
    await desk.halts()
    assert [run.cancelled for run in desk.ci.runs] == [True]


async def test_a_run_that_nobody_recorded_is_cancelled_too() -> None:
    """It is waited for while it may still appear."""
    desk = Desk()
    desk.ci.shows_after, desk.ci.takes = 30 * SECOND, timedelta(hours=1)
    await desk.looks()
    await desk.looks(keeps=False)
    desk.dies()
    with pytest.raises(UnreachableError, match="may have been started a moment ago"):
        await desk.halts()
    desk.place.clock.advance(30 * SECOND)
    await desk.halts()
    assert [run.cancelled for run in desk.ci.runs] == [True]


async def test_nothing_that_was_started_needs_no_cancelling() -> None:
    """Before the announcement, and when nothing came of it."""
    desk = Desk()
    await desk.halts()
    await desk.looks()
    desk.place.clock.advance(SHOWN_WITHIN)
    await desk.halts()
    assert desk.ci.runs == []


async def test_whether_it_was_started_is_asked_of_the_server() -> None:
    """Where only the announcement was kept, it is unknown until every list would show it."""
    desk = Desk()
    desk.ci.shows_after, desk.ci.takes = 30 * SECOND, timedelta(hours=1)
    assert not await desk.landed()
    await desk.looks()
    await desk.looks(keeps=False)
    with pytest.raises(UnreachableError):
        await desk.landed()
    desk.place.clock.advance(30 * SECOND)
    assert await desk.landed()
    assert await desk.step.overwritten(desk.place.context("pipeline", PARAMS)) == ""


async def test_its_key_is_its_own() -> None:
    """Another run, another step, another artifact, or the failure step of that name."""
    place = Place()
    context = place.context("pipeline", PARAMS)
    others = {
        key_of(replace(context, step=replace(context.step, key=key)))
        for key in ("steps.pipeline", "steps.pipeline-2", "on_failure.pipeline")
    }
    others.add(key_of(replace(context, run=replace(context.run, id=RunId("api-prod-10")))))
    assert (key_of(context), len(others)) == (KEY, 4)


def test_it_changes_something_unless_the_runbook_says_otherwise() -> None:
    """What a pipeline does, nobody here can know."""
    place = CiPlace("main", "acme/api")
    [step, reading] = planned("pipeline: a.yml", "pipeline: {run: b.yml, reads_only: true}", ci=place).steps
    assert (step.changes, reading.changes) == (True, False)
    assert (step.params["server"], step.params["project"]) == ("main", "acme/api")
    require_approval_first(a_runbook(with_steps("pipeline: {run: b.yml, reads_only: true}")), "prod")
    with pytest.raises(UsageError, match="changes prod before anybody is asked: its step 'pipeline'"):
        require_approval_first(a_runbook(with_steps("pipeline: b.yml")), "prod")


def test_it_is_read_aloud() -> None:
    """With the branch where one is named."""
    assert RunPipelineSpec(run="a.yml", ref="main").read_aloud() == (
        "Start the pipeline `a.yml` on main, and wait until it has ended well."
    )
