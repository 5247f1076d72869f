"""A release waits for an error budget that is known, and does not begin while it burns or is spent."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from tests.contracts.canaries import pod
from tests.fakes.people import ANN
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import CATALOGUE, World

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
POD = pod("api", 0)
CAREFUL = """
name: careful
about: Release while the error budget lasts.
gates:
  - image
  - budget
steps:
  - set_image
  - rollout
"""
BACK = """
name: rollback
about: Bring the last known good version back.
gates: [image, budget]
steps:
  - set_image
  - rollout
"""
METRICS = "metrics: {main: {prometheus: {url: http://prometheus.example}}}\n"
SLO = """
    signals: {labels: {namespace: null}}
    slo: {availability: 99.9%, window: 30d}
  web:
"""
PROMISING = METRICS + CATALOGUE.replace("\n  web:\n", SLO)


def promising_world(
    folder: Path, template: Path, *runbooks: str, catalogue: str = PROMISING, days: int = 40, error_rate: float = 0.0
) -> World:
    """A world in which api has served ten requests a second for some days, of which such a share failed."""
    world = world_with(folder, template, CAREFUL, *runbooks, catalogue=catalogue)
    if days:
        world.metrics.load(POD, world.clock.now() - days * DAY, rate=10.0, error_rate=error_rate)
    return world


async def deploys(world: World, tag: str = "v2") -> None:
    """ann releases by the runbook with the gate."""
    await world.says(ANN, f"deploy api {tag} staging --runbook careful")


async def test_what_is_left_is_shown(tmp_path: Path, template: Path) -> None:
    """In the message the figure, in the thread what it is made of."""
    async with promising_world(tmp_path, template, error_rate=0.00028) as world:
        await deploys(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert ":white_check_mark: *budget* 72 % of the budget left" in world.live()
        (shown,) = [text for text in world.thread() if "error budget of api in staging: 99.9% over 30d" in text]
        figures = " ".join(shown.split())
        assert "5m 3,000 requests 1 failed burns 0.33 times as fast, at most 14.4" in figures
        assert "30d 25,920,000 requests 7,257 failed burns 0.28 times as fast, 72 % left" in figures


async def test_a_short_history_is_said(tmp_path: Path, template: Path) -> None:
    """A server that keeps twelve days does not show a month's full budget."""
    async with promising_world(tmp_path, template, days=12, error_rate=0.00028) as world:
        await deploys(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert "*budget* 72 % of the budget left, counted over 11d18h of 30d" in world.live()


async def test_an_outage_holds_a_release_up_and_not_the_way_back(tmp_path: Path, template: Path) -> None:
    """What burns is told with its rates; a rollback by a runbook with the same gate goes on at once."""
    async with promising_world(tmp_path, template, BACK) as world:
        await deploys(world)
        await world.finishes()
        world.metrics.load(POD, world.clock.now(), rate=10.0, error_rate=0.4)
        await world.passes(30 * MINUTE)
        await deploys(world, "v3")
        run = await world.finishes()
        assert run.phase is Phase.REFUSED
        assert "burns 200.0 times as fast as 99.9% allows over 1h, and 400.0 times over 5m (at most 14.4)" in run.reason
        assert "`/rollback api staging` is never held up" in run.reason

        world.metrics.down = True
        await world.says(ANN, "rollback api staging to v1")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert "*budget* not asked, the way back is open" in world.live()
        assert world.image("staging") == "v1"


async def test_a_spent_budget_ends_a_release(tmp_path: Path, template: Path) -> None:
    """Before anything has changed."""
    async with promising_world(tmp_path, template, error_rate=0.002) as world:
        await deploys(world)
        run = await world.finishes()
        assert run.phase is Phase.REFUSED
        said = "no budget left: 51,840 of 25,920,000 requests failed, and 99.9% over 30d allows 25,920"
        assert said in run.reason
        assert world.image_changes() == 0


async def test_unknown_is_waited_for_and_never_passes(tmp_path: Path, template: Path) -> None:
    """A server that comes back in time is believed; one that does not fails the gate."""
    async with promising_world(tmp_path, template) as world:
        world.metrics.down = True
        await deploys(world)
        await world.passes(5 * MINUTE)
        assert "the metrics server cannot be reached: it is down" in world.live()
        world.metrics.down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED

        world.metrics.stop_scraping(world.clock.now() - 10 * MINUTE)
        await deploys(world, "v3")
        await world.passes(16 * MINUTE)
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert "not done within 900 s: nobody can tell the error budget: the newest sample of all pods is" in run.reason


async def test_a_service_nobody_counts_waits_and_fails(tmp_path: Path, template: Path) -> None:
    """No data is no full budget."""
    async with promising_world(tmp_path, template, days=0) as world:
        await deploys(world)
        await world.passes(16 * MINUTE)
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert "nobody can tell the error budget: there is no metric 'http_requests_total'" in run.reason
        assert world.image_changes() == 0


async def test_a_service_without_a_promise_is_not_planned(tmp_path: Path, template: Path) -> None:
    """With the line to write."""
    async with promising_world(tmp_path, template, catalogue=CATALOGUE) as world:
        await deploys(world)
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert "Write 'slo: {availability: 99.9%, window: 30d}' under services.api" in run.reason
