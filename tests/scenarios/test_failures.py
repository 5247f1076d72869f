"""A bad release is named with its cause, undone by itself, and the way it ended is said aloud."""

from datetime import timedelta

import pytest

from bot.domain.phase import Phase
from tests.fakes.people import ANN
from tests.scenarios.world import HEALTH, REPOSITORY, World, workload

SECOND = timedelta(seconds=1)


async def released(world: World, tag: str, *, environment: str = "staging") -> Phase:
    """ann releases a tag; how that ended."""
    world.registry.push(REPOSITORY, tag)
    await world.says(ANN, f"deploy api {tag} {environment}")
    return (await world.finishes()).phase


def said(world: World, *words: str) -> bool:
    """Whether one message of the thread says all of that."""
    return any(all(word in text for word in words) for text in world.thread())


@pytest.mark.parametrize(
    ("tag", "cause", "evidence"),
    [
        ("v2-crash", "CrashLoopBackOff", "panic: nil pointer dereference"),
        ("v2-oom", "OOMKilled", "using more memory than its limit"),
        ("v2-badpull", "ImagePullBackOff", 'Back-off pulling image "registry.example/acme/api:v2-badpull'),
        ("v2-notready", "NotReady", "runs and is not ready"),
    ],
)
async def test_a_hopeless_rollout_is_named_and_undone(world: World, tag: str, cause: str, evidence: str) -> None:
    """The cluster's own word and its evidence are in the thread; the version before runs and answers again."""
    async with world:
        assert await released(world, tag) is Phase.RESTORED
        assert world.image("staging") == "v1"
        assert said(world, "*Step rollout* failed", cause)
        assert said(world, evidence)
        assert said(world, "*Restoring* `v1`", cause)
        assert f"`{tag}` → *staging* was *undone*; `v1` is restored" in world.live()
        assert [request.url for request in world.prober.requests] == [HEALTH]


async def test_a_hopeless_rollout_is_undone_in_seconds(world: World) -> None:
    """Nobody waits for a deadline when the cluster knows already."""
    async with world:
        await released(world, "v2-crash")
        run = await world.newest()
        assert run.ended_at is not None
        assert run.started_at is not None
        assert run.ended_at - run.started_at < timedelta(seconds=10)


async def test_a_failing_smoke_test_is_undone(world: World) -> None:
    """All pods are up, and yet the service does not answer as it should."""
    async with world:
        world.prober.forget(HEALTH)
        for status in (503, 503, 503, 200):
            world.prober.answer(HEALTH, status=status)
        assert await released(world, "v2") is Phase.RESTORED
        assert world.image("staging") == "v1"
        assert said(world, "*Step smoke* failed", "answered 503, expected 200")


async def test_a_smoke_test_may_succeed_at_its_second_attempt(world: World) -> None:
    """A service may need a moment; nobody is told of it."""
    async with world:
        world.prober.forget(HEALTH)
        for status in (503, 200):
            world.prober.answer(HEALTH, status=status)
        assert await released(world, "v2") is Phase.SUCCEEDED
        assert not said(world, "smoke")


async def test_a_restore_that_fails_says_so_loudly(world: World) -> None:
    """What went wrong first, what went wrong then, that it is not certain what runs, and what to type."""
    async with world:
        world.registry.push(REPOSITORY, "v2-crash")
        await world.says(ANN, "deploy api v2-crash staging")
        world.cluster.find(workload("staging")).owner = "Argo CD (application api)"
        run = await world.finishes()
        assert run.phase is Phase.FAILED
        assert "rollout failed: CrashLoopBackOff" in run.reason
        assert "and restore failed" in run.reason
        assert "*What runs now is not certain:*" in world.live()
        assert "/release status api staging" in world.live()
        assert said(world, "*Step restore* failed", "Argo CD")
        assert world.thread()[-1].startswith(":x:")


async def test_a_restore_that_cannot_be_proved_says_what_runs(world: World) -> None:
    """The version before is back, but its smoke test fails too: that is not success, and not uncertain either."""
    async with world:
        world.prober.forget(HEALTH)
        assert await released(world, "v2") is Phase.FAILED
        assert world.image("staging") == "v1"
        assert "Now runs: `v1`; it was *restored*, but the steps after that failed." in world.live()


async def test_a_workload_that_is_deleted_meanwhile_ends_the_release(world: World) -> None:
    """There is nothing to follow and nothing to restore; it says what is missing."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        world.cluster.delete(workload("staging"))
        run = await world.finishes()
        assert run.phase is Phase.FAILED
        assert 'deployments.apps "api" not found' in world.live()


async def test_a_workload_that_somebody_changes_meanwhile_is_not_fought_over(world: World) -> None:
    """Another image during the rollout: the release fails and names it."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        world.cluster.edit(workload("staging"), image=f"{REPOSITORY}:theirs")
        await world.finishes()
        assert said(world, "somebody else changed the image to registry.example/acme/api:theirs")


async def test_a_rollout_that_is_paused_in_the_cluster_says_so(world: World) -> None:
    """With the command that lets it go on; then it does."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        world.cluster.pause(workload("staging"))
        await world.passes(10 * SECOND)
        assert "`kubectl rollout resume` lets it go on" in world.live()
        world.cluster.pause(workload("staging"), paused=False)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_bad_release_is_remembered_as_bad(world: World) -> None:
    """Nobody is brought back to it."""
    async with world:
        await released(world, "v2-crash")
        async with world.store.transaction() as tx:
            records = await tx.releases(await world.target("staging"))
        assert [(record.ref, record.healthy) for record in records] == [("v1", True), ("v2-crash", False)]


async def test_a_slow_rollout_is_waited_for(world: World) -> None:
    """Slow is not broken; the message says how far it is."""
    async with world:
        world.registry.push(REPOSITORY, "v2-slow")
        await world.says(ANN, "deploy api v2-slow staging")
        await world.passes(10 * SECOND)
        assert "0 of 3 pods ready" in world.live()
        assert (await world.finishes()).phase is Phase.SUCCEEDED
