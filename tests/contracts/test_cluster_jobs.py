"""What every `Cluster` promises about one-off Jobs."""

import pytest

from bot.domain.errors import FencedError
from bot.domain.ids import RunId, StepKey
from bot.domain.target import WorkloadRef
from bot.ports.cluster import Fence, JobPhase, JobSpec
from tests.contracts.clusters import WORLDS, Worlds, change, changed, fence, image


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


def job(ref: WorkloadRef, tag: str, name: str = "api-staging-7-migrate") -> JobSpec:
    """A migration with the image `tag`."""
    return JobSpec(name, ref, image(tag), ("alembic", "upgrade", "head"), deadline_s=60, env={"MODE": "migrate"})


async def test_a_job_runs_once_to_its_end(worlds: Worlds) -> None:
    """Repeated passes follow the same Job; its log is there when it is over."""
    async with worlds() as world:
        spec = job(await world.workload("v1"), "v2")
        first = await world.cluster.run_job(spec, fence())
        last = await world.until(
            lambda: world.cluster.run_job(spec, fence()), lambda state: state.phase is not JobPhase.RUNNING
        )
    assert (first.name, first.phase) == (spec.name, JobPhase.RUNNING)
    assert (last.phase, last.reason) == (JobPhase.SUCCEEDED, "")
    assert last.logs[0] == f"started {image('v2')}"


async def test_a_job_that_fails_says_why(worlds: Worlds) -> None:
    """The cluster's word, and the last lines."""
    async with worlds() as world:
        spec = job(await world.workload("v1"), "v2-jobfail")
        last = await world.until(
            lambda: world.cluster.run_job(spec, fence()), lambda state: state.phase is not JobPhase.RUNNING
        )
    assert (last.phase, last.reason.partition(":")[0]) == (JobPhase.FAILED, "BackoffLimitExceeded")
    assert last.logs[-1] == "exit status 1"


async def test_a_job_does_not_disturb_its_workload(worlds: Worlds) -> None:
    """Its pods are not counted among the workload's."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await world.cluster.run_job(job(ref, "v2"), fence())
        state = await world.cluster.observe(ref)
    assert (state.settled, state.total, state.faults) == (True, 2, ())


async def test_a_deleted_job_is_gone_and_deleting_it_again_is_no_error(worlds: Worlds) -> None:
    """Clean-up may be repeated."""
    async with worlds() as world:
        spec = job(await world.workload("v1"), "v2")
        assert not await world.cluster.has_job(spec.workload, spec.name)
        await world.cluster.run_job(spec, fence())
        assert await world.cluster.has_job(spec.workload, spec.name)
        await world.cluster.delete_job(spec.workload, spec.name)
        await world.cluster.delete_job(spec.workload, spec.name)
        again = await world.cluster.run_job(spec, fence())
    assert again.phase is JobPhase.RUNNING


async def test_a_fenced_owner_starts_no_job(worlds: Worlds) -> None:
    """The newer run's mark on the workload counts for Jobs, too."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2"), fence("api-staging-8"))
        with pytest.raises(FencedError, match="api-staging-8"):
            await world.cluster.run_job(job(ref, "v2"), Fence(RunId("api-staging-7"), StepKey("steps.migrate"), 3))
