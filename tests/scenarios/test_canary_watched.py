"""A canary that has traffic is looked at on every pass, and nothing that was seen before counts for what came after."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.invocation import Origin
from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.canaries import PROD, ROUTE, STABLE, CanaryWorld

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def canaries(tmp_path: Path, template: Path) -> CanaryWorld:
    """A bot over fakes, to be entered with `async with`."""
    return CanaryWorld(tmp_path, template)


async def test_a_larger_share_is_judged_by_what_came_after_it(canaries: CanaryWorld) -> None:
    """The metrics stop when it is given: what was ruled out before rules out nothing of it."""
    async with canaries as world:
        await world.judging()
        await world.until_weight(50)
        world.metrics.stop_scraping(world.clock.now())
        await world.passes(15 * MINUTE)
        assert world.weights == (50, 50)
        assert world.image("prod") == "v1"


async def test_nothing_is_ruled_out_without_requests_to_compare(canaries: CanaryWorld) -> None:
    """The stable pods serve nobody any more, and the canary fails a few: no old verdict lets it on."""
    async with canaries as world:
        await world.judging()
        for pod in STABLE:
            world.metrics.load(pod, world.clock.now(), rate=0.0)
        world.turns_bad(0.04)
        await world.passes(15 * MINUTE)
        assert world.weights == (95, 5)


async def test_harm_is_seen_while_pods_are_waited_for(canaries: CanaryWorld) -> None:
    """Before the larger share stable lacks pods; the canary with the smaller one turns bad meanwhile."""
    async with canaries as world:
        await world.judging()
        world.cluster.behave(PROD, "notready")
        await world.passes(7 * MINUTE)
        assert world.weights == (95, 5)
        world.turns_bad(0.9)
        assert await world.until_weight(0) < MINUTE


async def test_harm_is_seen_during_promotion(canaries: CanaryWorld) -> None:
    """The rollout takes its time, and the canary still has half of the requests."""
    async with canaries as world:
        await world.judging()
        world.cluster.find(PROD).rollout_s = 600
        await world.until_weight(50)
        while "set_image" not in world.verbs():
            await world.passes(SECOND)
        world.turns_bad(0.9)
        assert await world.until_weight(0) < MINUTE
        world.recovers()
        run = await world.finishes(within=30 * MINUTE)
        assert (run.phase, world.image("prod")) == (Phase.RESTORED, "v1")


async def test_a_terminal_casts_no_vote(canaries: CanaryWorld) -> None:
    """Whoever sits at one may call themselves anybody."""
    async with canaries as world:
        world.nobody_calls()
        await world.judging(after=21 * MINUTE)
        for user in (BOB, CID):
            await world.says(user, "promote api prod", origin=Origin.TERMINAL)
        await world.passes(MINUTE)
        assert world.weights == (95, 5)


async def test_a_button_is_for_its_own_release(canaries: CanaryWorld) -> None:
    """Its line names the run, so that it can never let another one go on."""
    async with canaries as world:
        world.nobody_calls()
        await world.judging(after=21 * MINUTE)
        assert "Promote now: `/promote api-prod-1`" in world.live()
        await world.says(BOB, "promote api-prod-7")
        assert world.workspace.whispers(BOB)[-1].startswith("There is no run `api-prod-7`.")
        for user in (BOB, CID):
            await world.says(user, "promote api-prod-1", origin=Origin.BUTTON)
        await world.until_weight(50)


async def test_a_canary_that_was_left_is_named_before_anybody_votes(tmp_path: Path, template: Path) -> None:
    """The database is lost in the middle of one: the next plan says whose it is and how it goes."""
    async with CanaryWorld(tmp_path, template) as world:
        await world.judging()
        await world.kill()
        world.lose_database(template)
        await world.start()
        await world.says(ANN, "canary api v3 prod")
        told = world.workspace.whispers(ANN)[-1]
        assert "a canary of api-prod-1 is still there; abort that run, or remove it: `kubectl" in told


async def test_a_route_that_was_replaced_is_noticed(canaries: CanaryWorld) -> None:
    """Somebody applied it from Git, without the canary and without what Sluice had noted on it."""
    async with canaries as world:
        await world.judging()
        found = world.cluster.traffic.of(ROUTE)
        found.weight, found.annotations = None, {}
        await world.passes(10 * SECOND)
        assert "the canary has 0 %, and Sluice gave it 5 %" in world.live()


async def test_a_pause_over_night_undoes_nothing(canaries: CanaryWorld) -> None:
    """However long: it is watched, and waits."""
    async with canaries as world:
        await world.judging()
        await world.says(DAN, "pause api prod")
        for _ in range(2):
            world.clock.advance(8 * 60 * MINUTE)
            await world.settle()
        assert not (await world.newest()).phase.final
        assert world.weights == (95, 5)
