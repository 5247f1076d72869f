"""Going on without votes: who may, how loud it is, and who looks at it afterwards."""

from datetime import timedelta

import pytest

from bot.domain.events import GlassReviewed
from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.test_approvals import asked
from tests.scenarios.world import World

YES, NO = "white_check_mark", "x"
DOWN = 'deploy api v2 prod --break-glass --reason "site is down"'


async def reviews(world: World) -> list[GlassReviewed]:
    """Who has looked at it, and what they said."""
    run = await world.newest()
    async with world.store.reading() as tx:
        return [event for event in await tx.events(run.id) if isinstance(event, GlassReviewed)]


async def test_breaking_the_glass_is_for_those_on_call(world: World) -> None:
    """By policy only: dan may go on without votes, with a reason; ann may not."""
    async with world:
        await asked(world, DOWN)
        assert (await world.newest()).phase is Phase.FAILED
        assert world.image_changes() == 0
        await world.says(DAN, DOWN)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert any("glass" in text.lower() for text in (world.live(), *world.thread()))


async def test_a_second_person_is_asked_afterwards(world: World) -> None:
    """In the thread, with the reactions to give; what they say is told and kept, also when the release has ended."""
    async with world:
        await world.says(DAN, DOWN)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert any("one of you, please look at it now and react" in text for text in world.thread())
        await world.reacts(BOB, YES)
        await world.passes(timedelta(seconds=5))
        assert ":mag: *Reviewed* by <@U0BOB>: going on without votes was right." in world.thread()
        assert [(one.by, one.agrees) for one in await reviews(world)] == [(BOB, True)]


async def test_whoever_would_have_rejected_it_reads_the_way_back(world: World) -> None:
    """Nothing is undone by itself: the way back is a decision of its own."""
    async with world:
        await world.says(DAN, DOWN)
        await world.finishes()
        await world.reacts(CID, NO)
        await world.passes(timedelta(seconds=5))
        assert any("would have *rejected* it. Go back: `/rollback api prod`" in text for text in world.thread())
        assert world.image("prod") == "v2"


@pytest.mark.parametrize("person", [DAN, ANN])
async def test_only_who_might_have_voted_reviews(world: World, person: str) -> None:
    """Neither whoever broke the glass, nor somebody outside the group; and nobody twice."""
    async with world:
        await world.says(DAN, DOWN)
        await world.finishes()
        for _ in range(2):
            await world.reacts(person, YES)
            await world.passes(timedelta(seconds=5))
        assert len(await reviews(world)) == (1 if person == ANN else 0)
