"""What only people may decide about a canary, what they are asked, and what counts as their answer."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.canaries import PROD, ROUTE, CanaryWorld

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def canaries(tmp_path: Path, template: Path) -> CanaryWorld:
    """A bot over fakes, to be entered with `async with`."""
    return CanaryWorld(tmp_path, template)


def said(world: CanaryWorld, *words: str) -> bool:
    """Whether one message of the thread says all of that."""
    return any(all(word in text for word in words) for text in world.thread())


async def test_thin_evidence_asks_people_and_they_decide(canaries: CanaryWorld) -> None:
    """Nobody calls the canary: extended once, then two others than the requester may let it go on."""
    async with canaries as world:
        world.nobody_calls()
        await world.judging(after=21 * MINUTE)
        assert world.weights == (95, 5)
        live = world.live()
        assert ":raised_hand: *People decide:* too little to tell" in live
        assert "2 of @release-approvers, other than <@U0ANN>, may type `/promote api prod` to let it go on" in live
        assert said(world, ":raised_hand: <!subteam^@release-approvers>", "*Step canary* cannot go on by itself")
        await world.says(ANN, "promote api prod")
        await world.says(BOB, "promote api prod")
        await world.passes(MINUTE)
        assert world.weights == (95, 5)
        assert "So far: <@U0ANN>, <@U0BOB>." in world.live()
        await world.says(CID, "promote api prod")
        await world.until_weight(50)
        assert said(world, "<@U0BOB>, <@U0CID> let it go on")


async def test_harm_is_seen_while_people_are_awaited(canaries: CanaryWorld) -> None:
    """Guards stay armed: nobody has to answer for the traffic to go back."""
    async with canaries as world:
        world.nobody_calls()
        await world.judging(after=21 * MINUTE)
        world.turns_bad(0.5)
        assert await world.until_weight(0) < MINUTE


async def test_a_paused_canary_is_watched_on(canaries: CanaryWorld) -> None:
    """It gets no further share, however good; and harm takes its traffic all the same."""
    async with canaries as world:
        await world.judging()
        await world.says(DAN, "pause api prod")
        await world.passes(15 * MINUTE)
        assert world.weights == (95, 5)
        assert "paused; still watched" in world.live()
        world.turns_bad()
        assert await world.until_weight(0) < 3 * MINUTE


async def test_traffic_that_was_changed_by_hand_is_for_people(canaries: CanaryWorld) -> None:
    """Named and asked about; nothing is written over until they say so."""
    async with canaries as world:
        await world.judging()
        world.cluster.traffic.edit(ROUTE, 40)
        await world.passes(15 * MINUTE)
        assert world.weights == (60, 40)
        assert "somebody changed the traffic by hand: httproute api gives the canary 40 %" in world.live()
        for user in (BOB, CID):
            await world.says(user, "promote api prod")
        assert world.weights == (95, 5)
        await world.until_weight(50)


async def test_an_answer_is_for_one_question(canaries: CanaryWorld) -> None:
    """Who let Sluice set its share again has not let the canary go on."""
    async with canaries as world:
        world.nobody_calls()
        await world.judging()
        world.cluster.traffic.edit(ROUTE, 40)
        await world.passes(10 * SECOND)
        for user in (BOB, CID):
            await world.says(user, "promote api prod")
        await world.passes(21 * MINUTE)
        assert world.weights == (95, 5)
        assert ":raised_hand: *People decide:* too little to tell" in world.live()


async def test_a_router_that_is_gone_is_for_people(canaries: CanaryWorld) -> None:
    """Nothing is undone by itself; an abort cleans up what is left."""
    async with canaries as world:
        await world.judging()
        world.cluster.traffic.lose(ROUTE)
        await world.passes(15 * MINUTE)
        assert said(world, "*Step canary* waits: the traffic cannot be read: httproute api", "put it back, or abort")
        await world.says(DAN, "abort api prod")
        run = await world.finishes()
        assert (run.phase, world.canary_left()) == (Phase.RESTORED, [])


async def test_a_router_that_another_controller_took_is_waited_for(canaries: CanaryWorld) -> None:
    """The canary still has its traffic, and the channel knows; when Sluice may write again, it goes on."""
    async with canaries as world:
        await world.judging()
        world.cluster.traffic.own(ROUTE, "Argo CD (application api)")
        await world.says(DAN, "abort api prod")
        await world.passes(MINUTE)
        assert world.weights == (95, 5)
        assert "the canary still has its traffic: httproute api in prod is managed by Argo CD" in world.live()
        world.cluster.traffic.own(ROUTE, "")
        run = await world.finishes()
        assert (run.phase, world.canary_left()) == (Phase.RESTORED, [])


async def test_who_need_not_be_asked_cannot_let_it_go_on(canaries: CanaryWorld) -> None:
    """The canary is being judged, and nobody was asked."""
    async with canaries as world:
        await world.judging()
        await world.says(BOB, "promote api prod")
        assert world.workspace.whispers(BOB)[-1].startswith("`api-prod-1` does not wait for people now.")


async def test_a_stable_that_somebody_changed_is_theirs(canaries: CanaryWorld) -> None:
    """`kubectl set image` while the canary is judged: it has nothing to be compared with and goes; theirs stays."""
    async with canaries as world:
        await world.judging()
        world.cluster.edit(PROD, image="registry.example/acme/api:v9")
        run = await world.finishes()
        assert (run.phase, world.canary_left()) == (Phase.FAILED, [])
        assert world.cluster.image(PROD) == "registry.example/acme/api:v9"
        assert "*What runs now was set by somebody else*; Sluice left it as it is." in world.live()


async def test_a_change_by_hand_before_promotion_leaves_no_canary(canaries: CanaryWorld) -> None:
    """Between the last look and the promotion: the promotion finds another image, and the canary goes all the same."""
    async with canaries as world:
        await world.judging()
        await world.until_weight(50)

        def someone(when: str, what: str) -> None:
            if (when, what.split()[0]) == ("before", "set_image") and "v1" in world.cluster.image(PROD):
                world.cluster.edit(PROD, image="registry.example/acme/api:v9")

        world.cluster.on_write = someone
        run = await world.finishes(within=30 * MINUTE)
        assert (run.phase, world.canary_left()) == (Phase.FAILED, [])
        assert world.cluster.image(PROD) == "registry.example/acme/api:v9"


async def test_a_yes_to_one_question_is_none_to_the_next(canaries: CanaryWorld) -> None:
    """One of two wants the share set again, and then somebody puts it back: the other's yes lets nothing go on."""
    async with canaries as world:
        world.nobody_calls()
        await world.judging(after=21 * MINUTE)
        world.cluster.traffic.edit(ROUTE, 40)
        await world.passes(10 * SECOND)
        await world.says(BOB, "promote api prod")
        world.cluster.traffic.edit(ROUTE, 5)
        await world.passes(10 * SECOND)
        await world.says(CID, "promote api prod")
        await world.passes(MINUTE)
        assert world.weights == (95, 5)
        await world.says(BOB, "promote api prod")
        await world.until_weight(50)
