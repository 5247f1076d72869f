"""What every `Cluster` promises."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.domain.errors import FencedError, NotFoundError, OverwriteError, RefusedError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import WorkloadState
from tests.contracts.clusters import WORLDS, Worlds, change, changed, fence, image, settled


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def test_a_settled_workload_is_described(worlds: Worlds) -> None:
    """Images by container, all pods new and available, nothing wrong, nobody else's."""
    async with worlds() as world:
        state = await world.cluster.observe(await world.workload("v1"))
    assert dict(state.images) == {"app": image("v1")}
    assert (state.desired, state.updated, state.updated_available, state.available, state.total) == (2, 2, 2, 2, 2)
    assert (state.settled, state.paused, state.owner, state.faults) == (True, False, "", ())
    assert state.observed_generation >= state.generation > 0


async def test_a_new_image_rolls_out(worlds: Worlds) -> None:
    """The change is visible at once and complete after a while, with another template."""
    async with worlds() as world:
        ref = await world.workload("v1")
        before = await world.cluster.observe(ref)
        told = await changed(world, ref, change("v2"), fence())
        after = await settled(world, ref)
    assert (told.images["app"], told.settled) == (image("v2"), False)
    assert (after.images["app"], after.updated_available, after.total) == (image("v2"), 2, 2)
    assert after.template_sha256 != before.template_sha256
    assert after.uid == before.uid


async def test_no_pod_is_missing_while_it_rolls_out(worlds: Worlds) -> None:
    """Old pods count as available until new ones take their place."""
    async with worlds() as world:
        ref = await world.workload("v1")
        seen = [await changed(world, ref, change("v2"), fence())]

        async def look() -> WorkloadState:
            seen.append(await world.cluster.observe(ref))
            return seen[-1]

        await world.until(look, lambda state: state.settled)
    assert min(state.available for state in seen) >= 2
    assert all(state.updated_available <= state.updated <= state.total for state in seen[1:])


async def test_the_change_is_signed(worlds: Worlds) -> None:
    """Run, step and token, the cause for `kubectl rollout history`, and the way back stand on the workload."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2", history=(image("v1"),)), fence(token=5))
        found = (await world.cluster.observe(ref)).annotations
    assert {key: found[f"sluice.dev/{key}"] for key in ("run", "step", "fence")} == {
        "run": "api-staging-7",
        "step": "steps.set_image",
        "fence": "5",
    }
    assert found["kubernetes.io/change-cause"] == "sluice: deploy v2 by @ann"
    assert json.loads(found["sluice.dev/history"]) == [image("v1")]


async def test_only_ten_healthy_images_are_remembered(worlds: Worlds) -> None:
    """The newest ten."""
    many = tuple(image(f"v{number}") for number in range(15, 0, -1))
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2", history=many), fence())
        found = (await world.cluster.observe(ref)).annotations
    assert json.loads(found["sluice.dev/history"]) == list(many[:10])


async def test_the_same_change_twice_is_one_change(worlds: Worlds) -> None:
    """A repeated pass, also one of a newer owner, finds its effect and writes nothing."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2"), fence(token=1))
        before = await settled(world, ref)
        after = await changed(world, ref, change("v2"), fence(token=2))
    assert (after.generation, after.annotations["sluice.dev/fence"]) == (before.generation, "1")
    assert after.settled


async def test_an_image_that_runs_already_is_only_signed(worlds: Worlds) -> None:
    """Another run that wants what is there leaves its mark and no new pods."""
    async with worlds() as world:
        ref = await world.workload("v1")
        before = await world.cluster.observe(ref)
        await changed(world, ref, change("v1"), fence())
        after = await settled(world, ref)
    assert after.template_sha256 == before.template_sha256
    assert after.annotations["sluice.dev/run"] == "api-staging-7"


async def test_a_run_that_came_after_the_plan_fences(worlds: Worlds) -> None:
    """Run 9 was planned before run 10 changed the workload: it may not write, whatever its token."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2"), fence("api-staging-10"))
        with pytest.raises(FencedError, match="changed by api-staging-10 after api-staging-9 was planned"):
            await world.cluster.set_image(ref, change("v3"), fence("api-staging-9", token=99, after="api-staging-8"))
        assert (await world.cluster.observe(ref)).images["app"] == image("v2")


async def test_numbers_that_begin_anew_do_not_fence(worlds: Worlds) -> None:
    """The database was lost: run 1 was planned on the mark of run 42."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2"), fence("api-staging-42", token=99))
        await changed(world, ref, change("v1"), fence("api-staging-1", after="api-staging-42"))
        assert (await world.cluster.observe(ref)).images["app"] == image("v1")


async def test_a_newer_owner_of_the_run_fences_the_former_one(worlds: Worlds) -> None:
    """Within a run the higher token wins."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2"), fence(token=5))
        with pytest.raises(FencedError, match="token 5, not 4"):
            await world.cluster.set_image(ref, change("v3"), fence(token=4))


async def test_a_claim_shuts_the_former_owner_out(worlds: Worlds) -> None:
    """The mark alone, without another image, refuses what a former owner of the run still sends."""
    async with worlds() as world:
        ref = await world.workload("v1")
        before = await world.cluster.observe(ref)
        claimed = await world.cluster.claim(ref, fence(token=5))
        assert (claimed.images, claimed.template_sha256) == (before.images, before.template_sha256)
        with pytest.raises(FencedError, match="token 5, not 4"):
            await world.cluster.set_image(ref, change("v2"), fence(token=4))
        await changed(world, ref, change("v2"), fence(token=5))


async def test_what_people_set_by_hand_is_not_replaced(worlds: Worlds) -> None:
    """A change names what it may replace; an image by its tag alone is known by that tag."""
    async with worlds() as world:
        ref = await world.workload("v1")
        other = f"registry.test/acme/api:v1@sha256:{'9d' * 32}"
        with pytest.raises(OverwriteError, match="set by somebody else; it is left as it is"):
            await world.cluster.set_image(ref, replace(change("v2"), over=(other,)), fence())
        await changed(world, ref, replace(change("v2"), over=(other, image("v1"))), fence())


async def test_the_next_run_and_other_targets_are_not_fenced(worlds: Worlds) -> None:
    """A higher number of the same target passes with any token, and so does another target's run."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await changed(world, ref, change("v2"), fence("api-staging-7", token=5))
        await changed(world, ref, change("v3"), fence("api-staging-8", token=1, after="api-staging-7"))
        state = await changed(world, ref, change("v4"), fence("api-next-2", token=1))
    assert state.images["app"] == image("v4")


async def test_another_controllers_workload_is_refused(worlds: Worlds) -> None:
    """Argo CD would undo the change: the refusal names it and both ways out."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await world.own(ref)
        with pytest.raises(RefusedError, match=r"Argo CD \(application acme-api\).*in Git.*sluice.dev/allow=true"):
            await world.cluster.set_image(ref, change("v2"), fence())
        state = await world.cluster.observe(ref)
    assert (state.owner, state.images["app"]) == ("Argo CD (application acme-api)", image("v1"))


async def test_people_may_let_sluice_act_all_the_same(worlds: Worlds) -> None:
    """The annotation `sluice.dev/allow` settles who is in charge of the image."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await world.own(ref)
        await world.annotate(ref, "sluice.dev/allow", "true")
        state = await changed(world, ref, change("v2"), fence())
    assert (state.owner, state.images["app"]) == ("", image("v2"))


async def test_among_several_containers_one_must_be_named(worlds: Worlds) -> None:
    """Neither is called like the workload: the refusal lists them; the named one changes alone."""
    async with worlds() as world:
        ref = await world.with_sidecar()
        with pytest.raises(RefusedError, match=r"it has .*(app.*proxy|proxy.*app).*`container:`"):
            await world.cluster.set_image(ref, change("v2"), fence())
        named = WorkloadRef(ref.cluster, ref.namespace, ref.kind, ref.name, "app")
        state = await changed(world, named, change("v2"), fence())
    assert dict(state.images) == {"app": image("v2"), "proxy": image("p1")}


async def test_a_container_that_is_not_there_is_refused(worlds: Worlds) -> None:
    """A slip in the catalogue."""
    async with worlds() as world:
        ref = await world.workload("v1")
        wrong = WorkloadRef(ref.cluster, ref.namespace, ref.kind, ref.name, "web")
        with pytest.raises(RefusedError, match=r"has no container 'web'; it has app"):
            await world.cluster.set_image(wrong, change("v2"), fence())


async def test_somebody_elses_edit_shows_in_the_template(worlds: Worlds) -> None:
    """Drift: the same image with another environment is another template."""
    async with worlds() as world:
        ref = await world.workload("v1")
        before = await world.cluster.observe(ref)
        await world.set_variable(ref, "MODE", "fast")
        after = await settled(world, ref)
    assert after.template_sha256 != before.template_sha256
    assert after.images == before.images


async def test_a_workload_that_is_gone_is_not_found(worlds: Worlds) -> None:
    """Neither to look at nor to change."""
    async with worlds() as world:
        ref = await world.workload("v1")
        await world.delete(ref)
        with pytest.raises(NotFoundError, match="api"):
            await world.cluster.observe(ref)
        with pytest.raises(NotFoundError, match="api"):
            await world.cluster.set_image(ref, change("v2"), fence())


async def test_a_watcher_is_told_of_a_change_and_of_its_progress(worlds: Worlds) -> None:
    """Hints name the workload without its container, until the rollout is over."""
    hints: list[WorkloadRef] = []
    async with worlds() as world:
        ref = await world.workload("v1")
        named = WorkloadRef(ref.cluster, ref.namespace, ref.kind, ref.name, "app")
        world.cluster.watch(named, hints.append)
        await changed(world, ref, change("v2"), fence())
        await settled(world, ref)
        await world.until(_counted(hints), lambda count: count > 2)
    assert set(hints) == {ref}


async def test_watching_twice_hints_once(worlds: Worlds) -> None:
    """The same function for the same workload is one watcher."""
    hints: list[WorkloadRef] = []
    others: list[WorkloadRef] = []
    async with worlds() as world:
        ref = await world.workload("v1")
        world.cluster.watch(ref, hints.append)
        world.cluster.watch(ref, hints.append)
        world.cluster.watch(ref, others.append)
        await changed(world, ref, change("v2"), fence())
        await world.until(_counted(others), lambda count: count > 0)
    assert len(hints) == len(others)


def _counted(hints: list[WorkloadRef]) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(hints)

    return count
