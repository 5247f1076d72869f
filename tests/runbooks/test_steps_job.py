"""job: a one-off Kubernetes Job with the new image has finished."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import RunId
from bot.domain.json import Json
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from runbooks.steps.job import RunJob, RunJobSpec, job_name, outputs
from tests.runbooks.passes import WORKLOAD, Place

SECOND = timedelta(seconds=1)
PARAMS: dict[str, Json] = {"run": ["alembic", "upgrade", "head"], "env": {"STEP": "expand"}}


async def looked(place: Place, *, after: timedelta = timedelta(0)) -> Outcome:
    """What the job step sees some time later."""
    place.clock.advance(after)
    return await RunJob(place.clusters, place.hinted.append).reconcile(place.context("job", PARAMS))


async def test_the_job_runs_the_new_image() -> None:
    """With the command, the variables and the deadline of the step."""
    place = Place()
    assert await looked(place) == Pending("job api-prod-1-job-8c8c8c8c is running", requeue_after=3 * SECOND)
    [job] = place.cluster.jobs.values()
    assert (job.spec.image, job.spec.command) == (place.plan.artifact.image, ("alembic", "upgrade", "head"))
    assert (dict(job.spec.env), job.spec.deadline_s) == ({"STEP": "expand"}, 600)


async def test_a_second_pass_finds_it_there() -> None:
    """A migration runs once, whatever crashes."""
    place = Place()
    await looked(place)
    await looked(place, after=SECOND)
    assert [write.verb for write in place.cluster.writes] == ["run_job"]


async def test_its_last_line_is_what_later_steps_may_look_up() -> None:
    """Where that line is a JSON object."""
    place = Place()
    place.cluster.job_said = ("upgrading", '{"revision": "a1b2", "tables": 3}')
    await looked(place)
    outcome = await looked(place, after=5 * SECOND)
    assert outcome == Succeeded("job api-prod-1-job-8c8c8c8c finished", {"revision": "a1b2", "tables": 3})


async def test_a_job_that_failed_shows_its_last_words() -> None:
    """And the cluster's reason."""
    place = Place("v2-jobfail")
    await looked(place)
    outcome = await looked(place, after=5 * SECOND)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("job api-prod-1-job-8c8c8c8c failed: BackoffLimitExceeded")
    assert outcome.evidence == (
        Evidence("last lines of api-prod-1-job-8c8c8c8c", (f"started {place.plan.artifact.image}", "exit status 1")),
    )


async def test_the_end_of_a_job_is_hinted() -> None:
    """The run does not wait for its next look."""
    place = Place()
    await looked(place)
    place.clock.advance(2 * SECOND)
    assert WORKLOAD in place.hinted


def test_the_name_is_a_label_and_the_same_every_time() -> None:
    """The run, the step and the artifact: a plan made anew for the same artifact finds the Job that ran already."""
    context = Place().context("job")
    assert job_name(context) == job_name(context) == "api-prod-1-job-8c8c8c8c"
    replanned = replace(context, run=replace(context.run, edition=2))
    assert job_name(replanned) == job_name(context)


def test_a_long_name_is_cut_to_what_kubernetes_takes() -> None:
    """63 characters, no hyphen at the end, no sign that a label forbids."""
    context = Place().context("job", key="steps.Expand_the.schema")
    assert job_name(context) == "api-prod-1-expand-the-schema-8c8c8c8c"
    long = replace(context, run=replace(context.run, id=RunId("a-" * 40 + "prod-1")))
    assert len(job_name(long)) <= 63
    assert not job_name(long).endswith("-")


@pytest.mark.parametrize("said", [(), ("done",), ("[1, 2]",), ('{"half": ',), ("", "  ")])
def test_other_last_lines_are_no_outputs(said: tuple[str, ...]) -> None:
    """Ordinary output is not guessed at."""
    assert outputs(said) == {}


def test_it_is_read_aloud() -> None:
    """With its command."""
    spec = RunJobSpec.model_validate(PARAMS)
    assert spec.read_aloud() == (
        "Run `alembic upgrade head` once in a Job with the new image, and wait until it has finished."
    )
