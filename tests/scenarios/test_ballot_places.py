"""A ballot stays the message on which people voted, and a release message comes back: whatever happens to channels."""

from datetime import timedelta

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID
from tests.fakes.workspace import DEPLOYS
from tests.scenarios.world import REPOSITORY, World

YES = "white_check_mark"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def asked(world: World) -> None:
    """ann asks, and the ballot stands in the channel."""
    await world.says(ANN, "deploy api v2 prod")
    await world.passes(5 * SECOND)


def texts(world: World, key: str) -> list[str]:
    """Every message that stands with that key."""
    return [message.text for message in world.workspace.messages if message.key == key]


async def test_a_bot_that_was_out_of_the_channel_loses_no_votes(world: World) -> None:
    """Somebody takes it out by mistake and invites it again: one ballot stands, and both votes on it count."""
    async with world:
        await asked(world)
        await world.passes(5 * MINUTE)
        first = world.ballot().place
        world.workspace.removes_bot(DEPLOYS)
        await world.reacts(BOB, YES, on=first)
        await world.passes(30 * SECOND)
        world.workspace.invites_bot(DEPLOYS)
        await world.reacts(CID, YES, on=first)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert len(texts(world, "api-prod-1/live/1")) == 1


async def test_an_approval_survives_an_edit_window_that_closes(world: World) -> None:
    """The ballot can no longer be edited; the votes on it count, and the end is told in a new message."""
    async with world:
        await asked(world)
        first = world.ballot().place
        world.workspace.closes_edit_window(first)
        await world.reacts(BOB, YES, on=first)
        await world.passes(5 * SECOND)
        await world.reacts(CID, YES, on=first)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v2"
        assert len(texts(world, "api-prod-1/live/1")) == 2
        assert "`v2` runs in *prod*" in world.live()


async def test_a_private_channel_that_hides_itself_voids_no_ballot(world: World) -> None:
    """The bot was taken out of it: unknown is waited for, and the votes count once it is back."""
    async with world:
        await asked(world)
        first = world.ballot().place
        hidden = world.workspace.hides(DEPLOYS)
        world.workspace.reacts(BOB, first, YES)
        await world.passes(5 * MINUTE)
        assert (await world.newest()).phase is Phase.RUNNING
        world.workspace.channels[DEPLOYS] = hidden
        world.workspace.reacts(CID, first, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert (await world.newest()).edition == 1


async def test_a_deleted_release_message_still_tells_its_end(world: World) -> None:
    """Somebody deletes it while the pods come up: that the release failed and was undone stands in the channel."""
    async with world:
        world.registry.push(REPOSITORY, "v9-crash")
        await world.says(ANN, "deploy api v9-crash staging")
        await world.passes(SECOND)
        world.workspace.deletes(world.ballot().place)
        run = await world.finishes()
        assert run.phase is Phase.RESTORED
        [told] = texts(world, "api-staging-1/live/1")
        assert "*undone*" in told
        assert world.thread(), "what is said in the thread comes under the message that stands"


async def test_a_deleted_ballot_does_not_come_back(world: World) -> None:
    """It is void; another one is asked for, with a message of its own."""
    async with world:
        await asked(world)
        world.workspace.deletes(world.ballot().place)
        await world.channel_event("message_deleted")
        await world.passes(MINUTE)
        assert (await world.newest()).edition == 2
        assert texts(world, "api-prod-1/live/1") == []
        assert len(texts(world, "api-prod-1/live/2")) == 1
