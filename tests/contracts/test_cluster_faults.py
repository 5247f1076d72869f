"""What every `Cluster` promises about versions that do not come up."""

import pytest

from bot.domain.target import WorkloadRef
from bot.ports.cluster import Fault, FaultKind, WorkloadState
from tests.contracts.clusters import WORLDS, World, Worlds, change, changed, fence, image, settled


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


def hopeless(state: WorkloadState) -> list[Fault]:
    """What will not go away by itself."""
    return [fault for fault in state.faults if fault.hopeless]


async def broken(world: World, ref: WorkloadRef, tag: str, *, ready_within_s: float | None = None) -> WorkloadState:
    """The workload once the bad version `tag` has shown what is wrong with it."""
    await changed(world, ref, change(tag), fence())
    return await world.until(
        lambda: world.cluster.observe(ref, ready_within_s=ready_within_s), lambda state: bool(hopeless(state))
    )


async def test_the_same_run_may_restore(worlds: Worlds) -> None:
    """Another step of the run brings the old image back; its pods never went away, so it settles."""
    async with worlds() as world:
        ref = await world.workload("v1")
        before = await world.cluster.observe(ref)
        await broken(world, ref, "v2-crash")
        await changed(world, ref, change("v1"), fence(step="on_failure.restore"))
        after = await settled(world, ref)
    assert (after.images["app"], after.template_sha256) == (image("v1"), before.template_sha256)
    assert (after.faults, after.annotations["sluice.dev/step"]) == ((), "on_failure.restore")


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("v2-crash", FaultKind.CRASH_LOOP),
        ("v2-oom", FaultKind.OOM_KILLED),
        ("v2-badpull", FaultKind.IMAGE_PULL),
    ],
)
async def test_a_bad_version_is_named(worlds: Worlds, tag: str, kind: FaultKind) -> None:
    """The fault has the cluster's own word, a pod and a container; the old pods still serve."""
    async with worlds() as world:
        ref = await world.workload("v1")
        state = await broken(world, ref, tag)
    fault = hopeless(state)[0]
    assert (fault.kind, fault.container, fault.pod.startswith("api-")) == (kind, "app", True)
    assert fault.message
    assert (state.settled, state.available, state.updated_available) == (False, 2, 0)


async def test_a_pod_that_does_not_get_ready_is_named_after_its_time(worlds: Worlds) -> None:
    """The caller says how long a running container may take."""
    async with worlds() as world:
        ref = await world.workload("v1")
        state = await broken(world, ref, "v2-notready", ready_within_s=2)
        patient = await world.cluster.observe(ref, ready_within_s=600)
    assert [fault.kind for fault in hopeless(state)] == [FaultKind.NOT_READY]
    assert patient.faults == ()


async def test_a_crash_leaves_last_words_and_warnings(worlds: Worlds) -> None:
    """The log of the life that ended, and the cluster's own events about the pod."""
    async with worlds() as world:
        ref = await world.workload("v1")
        fault = hopeless(await broken(world, ref, "v2-crash"))[0]
        lines = await world.cluster.logs(ref, fault.pod, fault.container)
        last = await world.cluster.logs(ref, fault.pod, fault.container, lines=1)
        events = await world.cluster.recent_events(ref)
    assert any("panic" in line for line in lines)
    assert last == ("exit status 1",)
    assert events
    assert all(fault.pod in event for event in events)


async def test_what_is_gone_has_no_logs(worlds: Worlds) -> None:
    """A pod that was replaced is no error."""
    async with worlds() as world:
        ref = await world.workload("v1")
        assert await world.cluster.logs(ref, "api-gone-1", "gone") == ()


async def test_a_healthy_workload_has_no_warnings(worlds: Worlds) -> None:
    """Nothing to tell."""
    async with worlds() as world:
        ref = await world.workload("v1")
        assert await world.cluster.recent_events(ref) == ()
