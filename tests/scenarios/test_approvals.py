"""Ballots: nothing in a protected environment changes without the votes of the right people for exactly that change."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.ids import StepKey
from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, BOT, CID, DAN, EVE, FRANK
from tests.fakes.workspace import APPROVERS, DEPLOYS
from tests.scenarios.world import REPOSITORY, World, workload

YES, NO = "white_check_mark", "x"
MINUTE = timedelta(minutes=1)


async def asked(world: World, line: str = "deploy api v2 prod") -> None:
    """ann asks, and the ballot stands in the channel."""
    await world.says(ANN, line)
    await world.passes(timedelta(seconds=5))


async def test_two_votes_of_the_group_let_it_happen(world: World) -> None:
    """Not the first vote, but the second."""
    async with world:
        await asked(world)
        await world.reacts(BOB, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        await world.reacts(CID, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v2"
        assert "approved by <@U0BOB>, <@U0CID>" in world.live()


async def test_the_bot_seeds_both_reactions(world: World) -> None:
    """Voting is one tap, and the bot's own reactions are no votes."""
    async with world:
        await asked(world)
        assert world.ballot().reactions == {YES: [BOT], NO: [BOT]}
        assert (await world.newest()).phase is Phase.RUNNING


async def test_who_does_not_count(world: World) -> None:
    """Requester, guest, deactivated people and strangers to the group: none of them, nor all together."""
    async with world:
        world.workspace.groups[APPROVERS] |= {EVE, FRANK}
        await asked(world)
        for person in (ANN, EVE, FRANK, DAN):
            await world.reacts(person, YES)
        await world.reacts(BOB, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert "<@U0EVE> (is a guest)" in world.live()
        assert "<@U0FRANK> (has been deactivated)" in world.live()
        assert "<@U0DAN> (is not in the group)" in world.live()


async def test_a_withdrawn_vote_does_not_count(world: World) -> None:
    """bob takes his yes back; cid's alone is not enough."""
    async with world:
        await asked(world)
        await world.reacts(BOB, YES)
        await world.takes_back(BOB, YES)
        await world.reacts(CID, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert "Votes: 1 of 2: <@U0CID>" in world.live()


async def test_one_rejection_ends_it(world: World) -> None:
    """One eligible no is enough, even beside two yes."""
    async with world:
        await asked(world)
        await world.reacts(BOB, YES)
        await world.reacts(CID, NO)
        run = await world.finishes()
        assert run.phase is Phase.REJECTED
        assert "<@U0CID>" in run.reason
        assert world.image_changes() == 0


async def test_a_lost_reaction_event_is_found_by_looking(world: World) -> None:
    """Events only wake the run: votes that nobody told it of are counted at its next look."""
    async with world:
        await asked(world)
        for person in (BOB, CID):
            world.workspace.reacts(person, world.ballot().place, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_moving_the_tag_voids_the_ballot(world: World) -> None:
    """Another image behind the tag: the old votes are void, a new ballot with another seal is asked for."""
    async with world:
        await asked(world)
        first, seal = world.ballot(), (await world.newest()).sealed_plan().seal
        await world.reacts(BOB, YES)
        world.registry.push(REPOSITORY, "v2", content="something else")
        await world.reacts(CID, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        run = await world.newest()
        assert run.edition == 2
        assert run.sealed_plan().seal != seal
        assert "~" in first.text
        assert "now means" in first.text
        for person in (BOB, CID):
            await world.reacts(person, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_drifted_workload_voids_the_ballot(world: World) -> None:
    """Somebody changed the workload by hand: what was approved is no longer what would happen."""
    async with world:
        await asked(world)
        world.cluster.edit(workload("prod"), environment={"MODE": "debug"})
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert (await world.newest()).edition == 2


async def test_an_edited_runbook_voids_the_ballot(world: World) -> None:
    """The runbook is part of what was approved."""
    async with world:
        await asked(world)
        found = world.configured()
        edited = replace(found.runbooks["deploy"], sha256="0" * 64)
        world.configured.replace(replace(found, runbooks={**found.runbooks, "deploy": edited}))
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert (await world.newest()).edition == 2


async def test_a_ballot_expires(world: World) -> None:
    """Votes after the time to be approved do nothing, and the message says why."""
    async with world:
        await asked(world)
        ballot = world.ballot()
        await world.passes(timedelta(minutes=31))
        assert (await world.newest()).phase is Phase.EXPIRED
        for person in (BOB, CID):
            await world.reacts(person, YES, on=ballot.place)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert "30 min" in ballot.text


async def test_an_approval_must_be_used_in_time(world: World) -> None:
    """Approved, then paused past the time of use: the votes are void and a new ballot is asked for."""
    async with world:
        await asked(world)
        await world.says(ANN, "pause api-prod-1")
        for person in (BOB, CID):
            await world.reacts(person, YES)
        assert (await world.newest()).approval is not None
        await world.passes(timedelta(minutes=31))
        await world.says(ANN, "resume api-prod-1")
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        run = await world.newest()
        assert run.edition == 2
        assert run.approval is None


async def test_a_vote_taken_back_before_the_change_voids_the_approval(world: World) -> None:
    """A removed yes withdraws the vote until the change starts, even after the quorum was reached."""
    async with world:
        await asked(world)
        await world.says(ANN, "pause api-prod-1")
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.takes_back(BOB, YES)
        await world.says(ANN, "resume api-prod-1")
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert (await world.newest()).edition == 2


async def test_a_vote_taken_back_too_late_is_told(world: World) -> None:
    """After the change has started the bot says so and offers abort."""
    async with world:
        await asked(world)
        for person in (BOB, CID):
            await world.reacts(person, YES)
        assert world.image_changes() == 1
        await world.takes_back(BOB, YES)
        await world.passes(MINUTE)
        assert any("after the change had started" in text and "abort api-prod-1" in text for text in world.thread())


async def test_a_deleted_ballot_is_void(world: World) -> None:
    """The message is gone and its votes with it: a new ballot is asked for."""
    async with world:
        await asked(world)
        first = world.ballot().place
        world.workspace.deletes(first)
        await world.channel_event("message_deleted")
        await world.passes(MINUTE)
        assert (await world.newest()).edition == 2
        assert world.ballot().place != first
        assert world.image_changes() == 0


async def test_a_newly_shared_channel_voids_the_ballot(world: World) -> None:
    """People of another organisation could see and vote: nothing goes on there."""
    async with world:
        await asked(world)
        world.workspace.shares(DEPLOYS)
        for person in (BOB, CID):
            await world.reacts(person, YES)
        run = await world.finishes()
        assert run.phase is Phase.EXPIRED
        assert "shared" in run.reason
        assert world.image_changes() == 0


async def test_an_archived_channel_voids_the_ballot(world: World) -> None:
    """Nobody can be asked in an archived channel."""
    async with world:
        await asked(world)
        world.workspace.archives(DEPLOYS)
        await world.channel_event("channel_archive")
        assert (await world.newest()).phase is Phase.EXPIRED


async def test_unknown_means_wait(world: World) -> None:
    """Slack does not answer at decision time: the run waits, says why, and counts when Slack is back."""
    async with world:
        await asked(world)
        for person in (BOB, CID):
            world.workspace.reacts(person, world.ballot().place, YES)
        world.workspace.down = True
        await world.passes(timedelta(minutes=5))
        assert world.image_changes() == 0
        world.workspace.down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_list_of_votes_that_is_cut_short_is_not_counted(world: World) -> None:
    """Somebody who is not listed might have said no."""
    async with world:
        await asked(world)
        world.workspace.cuts_reactions_short(world.ballot().place)
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.passes(MINUTE)
        assert world.image_changes() == 0
        assert "cut short" in (await world.newest()).step(StepKey("steps.approval")).why


async def test_a_vote_on_an_old_ballot_is_answered(world: World) -> None:
    """The voter alone is told that this ballot counts no more."""
    async with world:
        await asked(world)
        old = world.ballot().place
        world.cluster.edit(workload("prod"), environment={"MODE": "debug"})
        await world.passes(timedelta(minutes=3))
        await world.reacts(BOB, YES, on=old)
        await world.passes(MINUTE)
        assert any("replaced by a newer ballot" in text for text in world.workspace.whispers(BOB))


async def test_a_rollback_needs_one_vote(world: World) -> None:
    """The way back asks for less: one vote of the group."""
    async with world:
        await released(world)
        await asked(world, "rollback api prod")
        await world.reacts(BOB, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v1"


async def test_those_on_call_approve_their_own_rollback(world: World) -> None:
    """dan is on call: his own yes is enough for his own rollback, never for a deploy."""
    async with world:
        await released(world)
        await world.says(DAN, "rollback api prod")
        await world.passes(timedelta(seconds=5))
        await world.reacts(DAN, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        await world.says(DAN, "deploy api v3 prod")
        await world.passes(timedelta(seconds=5))
        await world.reacts(DAN, YES)
        await world.passes(MINUTE)
        assert world.image("prod") == "v1"


async def released(world: World) -> None:
    """v2 runs in prod, approved and healthy."""
    await asked(world)
    for person in (BOB, CID):
        await world.reacts(person, YES)
    assert (await world.finishes()).phase is Phase.SUCCEEDED
