"""A server is down: the release waits, says so, and goes on; nothing is lost and nothing is doubled."""

from datetime import timedelta

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB
from tests.fakes.workspace import DEPLOYS
from tests.scenarios.world import HEALTH, World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def test_a_registry_that_is_down_holds_up_planning(world: World) -> None:
    """The channel says what it waits for; it goes on by itself, and the waiting message gives way."""
    async with world:
        world.registry.down = True
        await world.says(ANN, "deploy api v2 staging")
        await world.passes(MINUTE)
        [waiting] = world.workspace.live()
        assert "waiting: registry registry.example cannot be reached" in waiting
        assert "Nothing is changed yet" in waiting
        world.registry.down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert "Planned: see its release message" in world.workspace.live()[0]


async def test_a_wait_for_planning_can_be_aborted(world: World) -> None:
    """Nobody has to wait for a server."""
    async with world:
        world.registry.down = True
        await world.says(ANN, "deploy api v2 staging")
        await world.says(ANN, "abort api-staging-1")
        assert (await world.finishes()).phase is Phase.ABORTED


async def test_a_cluster_that_is_down_during_the_rollout_is_waited_for(world: World) -> None:
    """Live message, thread and `why` say what the release waits for; then it goes on."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        await world.passes(SECOND)
        world.cluster.down = True
        await world.passes(MINUTE)
        assert ":warning: rolling out waits: cluster main cannot be reached" in world.live()
        assert any("*Step rollout* waits: cluster main cannot be reached" in text for text in world.thread())
        await world.says(BOB, "why api staging")
        await world.passes(SECOND)
        assert "is blocked in the step `rollout`" in world.workspace.whispers(BOB)[-1]
        world.cluster.down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image_changes() == 1


async def test_a_cluster_that_is_down_before_the_change_changes_nothing(world: World) -> None:
    """And is changed once when it is back."""
    async with world:
        world.cluster.down = True
        await world.says(ANN, "deploy api v2 staging")
        await world.passes(5 * MINUTE)
        world.cluster.down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image_changes() == 1


async def test_a_cluster_that_goes_down_during_the_restore_is_waited_for(world: World) -> None:
    """Halfway back is nowhere."""
    async with world:
        world.prober.forget(HEALTH)
        for status in (500, 500, 500, 200):
            world.prober.answer(HEALTH, status=status)
        await world.says(ANN, "deploy api v2 staging")
        while (await world.newest()).phase is not Phase.RESTORING:
            await world.passes(SECOND)
        world.cluster.down = True
        await world.passes(MINUTE)
        world.cluster.down = False
        assert (await world.finishes()).phase is Phase.RESTORED
        assert world.image("staging") == "v1"


async def test_a_release_does_not_wait_for_slack(world: World) -> None:
    """What nobody has to vote on goes on in silence; everything is told once when Slack is back."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        world.workspace.down = True
        await world.passes(MINUTE)
        assert world.image("staging") == "v2"
        assert (await world.newest()).phase is Phase.SUCCEEDED
        world.workspace.down = False
        await world.passes(3 * MINUTE)
        assert len(world.workspace.live()) == 1
        assert "`v2` runs in *staging*" in world.live()
        assert len(world.thread()) == len(set(world.thread())) == 1


async def test_a_command_given_in_an_outage_is_answered_after_it(world: World) -> None:
    """It was kept; who may ask is looked up when Slack can say so."""
    async with world:
        world.workspace.down = True
        await world.hears(ANN, "deploy api v2 staging")
        await world.passes(5 * MINUTE)
        assert world.image_changes() == 0
        world.workspace.down = False
        await world.passes(2 * MINUTE)
        assert (await world.newest()).phase is Phase.SUCCEEDED
        assert len([text for text in world.workspace.whispers(ANN) if "is asked for" in text]) == 1


async def test_a_command_is_not_carried_out_long_after_it_was_typed(world: World) -> None:
    """Whoever typed it has given up on it, and is told to type it again."""
    async with world:
        world.workspace.down = True
        await world.hears(ANN, "deploy api v2 staging")
        await world.passes(15 * MINUTE)
        world.workspace.down = False
        await world.passes(2 * MINUTE)
        assert world.image_changes() == 0
        assert "Type it again if you still want it." in world.workspace.whispers(ANN)[-1]


async def test_a_post_whose_answer_is_lost_is_not_doubled(world: World) -> None:
    """The release message stands once."""
    async with world:
        world.workspace.ambiguous_next_post()
        await world.says(ANN, "deploy api v2 staging")
        await world.finishes()
        assert len(world.workspace.live()) == 1
        assert "`v2` runs in *staging*" in world.live()


async def test_a_slack_that_asks_for_patience_gets_it(world: World) -> None:
    """429: nothing is lost, nothing is doubled, the release goes on."""
    async with world:
        await world.hears(ANN, "deploy api v2 staging")
        world.workspace.busy_once(30 * SECOND)
        await world.passes(2 * MINUTE)
        assert (await world.newest()).phase is Phase.SUCCEEDED
        assert len(world.workspace.live()) == 1


async def test_a_channel_that_is_archived_does_not_stop_a_release(world: World) -> None:
    """Where nobody has to vote, nobody has to read."""
    async with world:
        world.workspace.archives(DEPLOYS)
        await world.says(ANN, "deploy api v2 staging")
        await world.passes(MINUTE)
        assert (await world.newest()).phase is Phase.SUCCEEDED
