"""Asking people, counting them at decision time, and using a yes only for what it was given."""

from contextlib import AbstractAsyncContextManager as Opening
from dataclasses import replace
from datetime import timedelta

from bot.domain.approval import Person
from bot.domain.errors import UnreachableError
from bot.domain.events import BallotClosed, BallotOpened, VotesCounted
from bot.domain.ids import StepKey, UserId
from bot.domain.outcome import Failed, Pending, Succeeded
from bot.domain.phase import Phase, StepPhase
from tests.builders import POLICY, a_plan, a_step
from tests.engine.stage import Stage
from tests.fakes.people import BOB, BOT, CID, DAN
from tests.fakes.workspace import APPROVERS, DEPLOYS

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LONG = a_step("set_image", changes=True, deadline=timedelta(hours=2))
ASKS = {"steps": (a_step("approval"), LONG), "on_failure": (a_step("restore", section="on_failure", changes=True),)}
OVERSLEPT = UnreachableError("the cluster does not answer", retry_after=31 * MINUTE)
"""Longer than an approval may lie about unused."""


async def approved(stage: Stage) -> None:
    """bob and cid have said yes, and the run has looked."""
    stage.votes(BOB, CID)
    await stage.passes(2 * MINUTE)


async def test_nobody_is_asked_where_no_policy_says_so(engine: Opening[Stage]) -> None:
    """The step succeeds and says that."""
    async with engine as stage:
        await stage.begins(**ASKS, approval=None)
        assert (await stage.step("steps.approval")).why == "nobody needs to be asked here"
        assert await stage.told(BallotOpened) == []


async def test_a_ballot_waits_for_its_message(engine: Opening[Stage]) -> None:
    """Nobody can vote on what is not there; the run says why it is not."""
    async with engine as stage:
        stage.workspace.busy_once(3 * MINUTE)
        await stage.begins(**ASKS)
        await stage.passes(MINUTE)
        step = await stage.step("steps.approval")
        assert (step.phase, step.blocked) == (StepPhase.RUNNING, True)
        assert step.why == "the ballot could not be posted: Slack asks to slow down"


async def test_a_ballot_that_cannot_be_posted_says_so(engine: Opening[Stage]) -> None:
    """The bot was never invited: blocked, with Slack's own reason."""
    async with engine as stage:
        stage.workspace.removes_bot(DEPLOYS)
        await stage.begins(**ASKS)
        await stage.passes(MINUTE)
        step = await stage.step("steps.approval")
        assert step.blocked
        assert step.why.startswith("the ballot could not be posted: the bot is not in #deploys; invite it")


async def test_a_channel_that_is_unknown_is_waited_for_until_the_votes_time_is_over(engine: Opening[Stage]) -> None:
    """The bot may yet be invited; without a channel nobody is asked, and the run says why it waits."""
    async with engine as stage:
        run = await stage.begins(**ASKS, channel="#nowhere")
        assert "the bot sees no channel #nowhere" in run.step(StepKey("steps.approval")).why
        await stage.passes(31 * MINUTE)
        assert (await stage.run()).phase is Phase.EXPIRED


async def test_a_tally_that_did_not_change_is_told_once(engine: Opening[Stage]) -> None:
    """Looking again is no news."""
    async with engine as stage:
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        stage.votes(BOB)
        await stage.passes(20 * MINUTE)
        assert len(await stage.told(VotesCounted)) == 1


async def test_the_bots_own_seeds_are_not_worth_a_word(engine: Opening[Stage]) -> None:
    """Another bot's reaction is named among those that do not count."""
    async with engine as stage:
        other = UserId("U0CIBOT")
        stage.workspace.people[other] = Person(other, "ci", is_bot=True)
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        stage.votes(other)
        await stage.passes(2 * MINUTE)
        run = await stage.run()
        assert run.ballot is not None
        assert [vote.user for vote in run.ballot.ignored] == [other]
        assert BOT in stage.ballot().reactions["white_check_mark"]


async def test_somebody_unknown_does_not_count(engine: Opening[Stage]) -> None:
    """A member whom the workspace no longer knows is named, and the vote goes on."""
    async with engine as stage:
        stage.workspace.groups[APPROVERS].add(UserId("U0GHOST"))
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        stage.votes(UserId("U0GHOST"))
        await approved(stage)
        assert (await stage.run()).phase is Phase.SUCCEEDED
        run = await stage.run()
        assert run.ballot is not None
        assert run.ballot.ignored[0].why == "is unknown to this workspace"


async def test_a_crowd_is_not_looked_up(engine: Opening[Stage]) -> None:
    """Slack answers about a hundred questions about people a minute: strangers to the group cost none of them."""
    async with engine as stage:
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        stage.votes(*(UserId(f"U0X{number:03d}") for number in range(150)))
        await approved(stage)
        assert (await stage.run()).phase is Phase.SUCCEEDED
        assert set(stage.workspace.looked_up) == {BOB, CID}


async def test_a_group_that_is_gone_never_passes(engine: Opening[Stage]) -> None:
    """Who may vote cannot be read: the run waits, says why, and expires."""
    async with engine as stage:
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        del stage.workspace.groups[APPROVERS]
        await stage.passes(2 * MINUTE)
        assert "no user group @release-approvers" in (await stage.run()).step(StepKey("steps.approval")).why
        await stage.passes(31 * MINUTE)
        assert (await stage.run()).phase is Phase.EXPIRED


async def test_a_channel_that_was_shared_all_along_is_no_news(engine: Opening[Stage]) -> None:
    """Only one that becomes shared voids a ballot."""
    async with engine as stage:
        stage.workspace.shares(DEPLOYS)
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        await approved(stage)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_the_last_look_is_when_the_time_is_up(engine: Opening[Stage]) -> None:
    """A ballot expires at its minute, not at the next round look."""
    async with engine as stage:
        await stage.begins(**ASKS, approval=replace(POLICY, within=3 * MINUTE))
        await stage.passes(3 * MINUTE + SECOND)
        run = await stage.run()
        assert (run.phase, run.reason) == (Phase.EXPIRED, "not approved within 3 min")


async def test_a_time_with_seconds_is_told_in_seconds(engine: Opening[Stage]) -> None:
    """Nothing is rounded away."""
    async with engine as stage:
        await stage.begins(**ASKS, approval=replace(POLICY, within=90 * SECOND))
        await stage.passes(100 * SECOND)
        assert (await stage.run()).reason == "not approved within 90 s"


async def test_an_expired_ballot_is_closed_once(engine: Opening[Stage]) -> None:
    """And asks for nothing more."""
    async with engine as stage:
        await stage.begins(**ASKS, approval=replace(POLICY, within=MINUTE))
        await stage.passes(5 * MINUTE)
        closed = [event for event in await stage.told(BallotClosed) if isinstance(event, BallotClosed)]
        assert [(event.number, event.asks_again) for event in closed] == [(1, False)]


async def test_planning_that_cannot_look_makes_the_ballot_wait(engine: Opening[Stage]) -> None:
    """Whether the plan still holds is unknown, so nobody is counted."""
    async with engine as stage:
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        stage.workspace.down = True
        stage.votes(BOB, CID)
        await stage.passes(5 * MINUTE)
        assert stage.script.times("set_image") == 0
        assert (await stage.step("steps.approval")).blocked


# --- breaking the glass ---

GLASS = replace(POLICY, break_glass="@on-call")


async def test_only_those_of_the_group_break_the_glass(engine: Opening[Stage]) -> None:
    """Anybody else is told who may."""
    async with engine as stage:
        stage.planning.made = a_plan(**ASKS, approval=GLASS)
        await stage.asks(requester=BOB, break_glass=True)
        await stage.worker.settle()
        run = await stage.run()
        assert (run.phase, run.reason) == (Phase.FAILED, "approval failed: only @on-call may break the glass for prod")


async def test_without_a_group_nobody_breaks_the_glass(engine: Opening[Stage]) -> None:
    """The policy may have changed since it was asked for."""
    async with engine as stage:
        stage.planning.made = a_plan(**ASKS)
        await stage.asks(requester=DAN, break_glass=True)
        await stage.worker.settle()
        assert (await stage.run()).reason == "approval failed: nobody may break the glass for prod"


async def test_a_broken_glass_still_needs_the_plan_to_hold(engine: Opening[Stage]) -> None:
    """Nobody was asked, but what was planned must still be what happens."""
    async with engine as stage:
        stage.planning.made = a_plan(**ASKS, approval=GLASS)
        await stage.asks(requester=DAN, break_glass=True)
        stage.script.tell("image", Pending("asking", requeue_after=MINUTE), Succeeded())
        await stage.worker.settle()
        stage.planning.drifted = "the tag moved"
        await stage.passes(MINUTE)
        run = await stage.run()
        assert (run.phase, run.edition) == (Phase.SUCCEEDED, 2)


async def test_a_failed_gate_asks_nobody(engine: Opening[Stage]) -> None:
    """No ballot stands for a release that cannot happen."""
    async with engine as stage:
        stage.script.tell("image", Failed("no such digest"))
        run = await stage.begins(**ASKS)
        assert run.phase is Phase.REFUSED
        assert await stage.told(BallotOpened) == []
