"""/canary: growing traffic that metrics decide on, told where the team talks."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, DAN
from tests.scenarios.canaries import PROD, ROUTE, STABLE, WITH_TRAFFIC, CanaryWorld

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WAY_BACK = ["shift", "mark", "leave_route", "delete_service", "delete_canary"]


@pytest.fixture
def canaries(tmp_path: Path, template: Path) -> CanaryWorld:
    """A bot over fakes, to be entered with `async with`."""
    return CanaryWorld(tmp_path, template)


def said(world: CanaryWorld, *words: str) -> bool:
    """Whether one message of the thread says all of that."""
    return any(all(word in text for word in words) for text in world.thread())


async def test_a_good_canary_is_promoted(canaries: CanaryWorld) -> None:
    """Shares grow as harm is ruled out; then the old pods take the version, and nothing of the canary is left."""
    async with canaries as world:
        await world.judging(after=MINUTE)
        assert world.weights == (95, 5)
        assert world.image("prod") == "v1"
        live = world.live()
        assert "canary 5 %: judging 4" in live
        assert "errors 0 % vs 0 % (0 of" in live
        assert "no harm seen; promotes when" in live
        assert "If it fails: all traffic back at once, back to `v1`" in live
        await world.until_weight(50)
        await world.until_weight(0)
        run = await world.finishes(within=30 * MINUTE)
        assert (run.phase, world.image("prod")) == (Phase.SUCCEEDED, "v2")
        assert world.verbs()[-5:] == ["set_image", "shift", "leave_route", "delete_service", "delete_canary"]
        assert "`v2` runs in *prod*" in world.live()
        assert said(world, "*Step canary* done after 5 min", "a doubling of errors", "ruled out")
        first, second = world.pictures()
        assert first.startswith("api v2 in prod: good: errors canary 0 %, baseline 0 %; p95 canary 97.2 ms")
        assert second.startswith("api v2 in prod: good")


async def test_a_bad_canary_loses_its_traffic_first(canaries: CanaryWorld) -> None:
    """Caught within a few scrapes; then the clean-up, then the proof that all is well. Stable was never touched."""
    async with canaries as world:
        await world.judging(after=MINUTE)
        before = world.cluster.find(PROD).generation
        world.turns_bad()
        assert await world.until_weight(0) <= 45 * SECOND
        world.recovers()
        run = await world.finishes()
        assert (run.phase, world.image("prod")) == (Phase.RESTORED, "v1")
        assert world.verbs()[4:] == WAY_BACK
        assert world.image_changes() == 0
        assert world.cluster.find(PROD).generation == before + 1  # the mark alone
        live = world.live()
        assert "`v2` → *prod* was *taken back*; `v1` has all the traffic." in live
        assert "Why: canary failed: worse than stable: errors" in live
        assert "Proof: smoke 1 of 1 checks · recovery as before the release: errors 0 % vs 0 %" in live
        assert said(world, "*Step canary* failed", "errors", "above the limit of 100")
        (alt,) = world.pictures()
        assert alt.startswith("api v2 in prod: rolled back: errors canary 20 %, baseline 0 %")


async def test_a_stable_that_is_named_by_its_tag_alone_is_left_as_it_is(canaries: CanaryWorld) -> None:
    """Somebody applied it without a digest: nothing of it was touched, so nothing of it needs to be restored."""
    async with canaries as world:
        world.cluster.edit(PROD, image="registry.example/acme/api:v1")
        world.cluster.advance()
        await world.judging(after=MINUTE)
        world.turns_bad()
        await world.until_weight(0)
        run = await world.finishes()
        assert (run.phase, world.cluster.image(PROD)) == (Phase.RESTORED, "registry.example/acme/api:v1")


async def test_a_guard_rail_takes_the_traffic_back(canaries: CanaryWorld) -> None:
    """Both arms are as bad: nobody is blamed by comparison, and yet the limit holds."""
    async with canaries as world:
        await world.judging()
        for pod in STABLE:
            world.metrics.load(pod, world.clock.now(), error_rate=0.3)
        world.turns_bad(0.3)
        await world.until_weight(0, within=3 * MINUTE)
        assert "a guard rail is breached: error_rate < 5%" in (await world.finishes()).reason


async def test_rollback_from_anywhere_in_it(canaries: CanaryWorld) -> None:
    """`/rollback api prod` in the middle: the traffic first, no vote, and the version before keeps running."""
    async with canaries as world:
        await world.judging()
        await world.says(DAN, "rollback api prod")
        assert world.weights == (100, 0)
        run = await world.finishes()
        assert (run.phase, world.verbs()[4:]) == (Phase.RESTORED, WAY_BACK)


async def test_rollback_in_the_middle_of_promotion(canaries: CanaryWorld) -> None:
    """Stable had begun to take the version: it is given the one before back as well."""
    async with canaries as world:
        await world.judging()
        world.cluster.find(PROD).rollout_s = 60
        await world.until_weight(50)
        while "set_image" not in world.verbs():
            await world.passes(SECOND)
        await world.says(DAN, "abort api prod")
        run = await world.finishes()
        assert (run.phase, world.image("prod")) == (Phase.RESTORED, "v1")
        assert world.canary_left() == []
        assert "was *undone*; `v1` is restored" in world.live()


async def test_a_metrics_server_that_is_away_decides_nothing(canaries: CanaryWorld) -> None:
    """Told, waited for, extended once, asked about; and when it is back the canary is judged by all that was missed."""
    async with canaries as world:
        await world.judging()
        world.metrics.down = True
        await world.passes(10 * SECOND)
        assert said(world, "*Step canary* waits", "the metrics server cannot be reached")
        await world.passes(21 * MINUTE)
        assert world.weights == (95, 5)
        assert ":raised_hand: *People decide:*" in world.live()
        world.metrics.down = False
        assert await world.until_weight(50) < MINUTE


async def test_a_canary_that_crashes_gets_no_traffic(canaries: CanaryWorld) -> None:
    """Its cause and its last words are in the thread."""
    async with canaries as world:
        world.registry.push("registry.example/acme/api", "v2-crash")
        await world.approved("canary api v2-crash prod")
        run = await world.finishes()
        assert (run.phase, "shift" in world.verbs()) == (Phase.RESTORED, False)
        assert said(world, "the canary does not come up: CrashLoopBackOff")
        assert said(world, "panic: nil pointer dereference")


async def test_a_newer_version_waits_for_the_canary(canaries: CanaryWorld) -> None:
    """It never joins one that is half judged."""
    async with canaries as world:
        await world.judging()
        await world.says(BOB, "canary api v3 prod")
        assert "It waits at place 1, behind `api-prod-1`" in world.workspace.whispers(BOB)[-1]
        await world.passes(MINUTE)
        assert world.cluster.image(ROUTE.canary).rpartition("@")[0].endswith(":v2")


async def test_how_a_canary_stands_can_be_asked(canaries: CanaryWorld) -> None:
    """Each signal with its numbers, what comes next and when at the latest; the picture is in the thread."""
    async with canaries as world:
        await world.judging(after=MINUTE)
        await world.says(DAN, "canary api prod")
        told = world.workspace.whispers(DAN)[-1]
        assert told.startswith("`api-prod-1`: canary of `v2`, step to 5%, *api* in *prod*, from `v1`.")
        assert "• errors 0 % vs 0 %" in told
        assert "Next: then the canary gets 50%; people are asked in 19m" in told
        assert "Its picture is in the thread" in told
        (alt,) = world.pictures()
        assert alt.startswith("api v2 in prod: not decided yet")


async def test_nothing_to_ask_about_says_so(canaries: CanaryWorld) -> None:
    """With what would start one."""
    async with canaries as world:
        await world.says(DAN, "canary api prod")
        said = "No canary of api is running in prod. `/canary api &lt;ref&gt; prod` starts one."
        assert world.workspace.whispers(DAN) == [said]
        await world.says(DAN, "promote api prod")
        assert world.workspace.whispers(DAN)[-1].startswith("Nothing of api is under way in prod that could go on.")


@pytest.mark.parametrize(
    ("line", "metric", "said"),
    [
        ("interval: 15s", "metrics: {requests: http_requests}", "did you mean 'http_requests_total'?"),
        ("labels: {namespace: null}", "labels: {namespace: null, pod: instance}", "have no label 'instance'"),
        ("guards:", 'guards: ["p99 < 60s"] #', "p99 &lt; 60000ms cannot be seen in a histogram"),
    ],
)
async def test_what_cannot_judge_fails_the_plan(
    tmp_path: Path, template: Path, line: str, metric: str, said: str
) -> None:
    """With the query and what came back; nothing is written, and nobody is asked to vote."""
    written = metric if line == "guards:" or line.startswith("labels") else f"{line}\n      {metric}"
    catalogue = WITH_TRAFFIC.replace(line, written)
    async with CanaryWorld(tmp_path, template, catalogue=catalogue) as world:
        await world.says(ANN, "canary api v2 prod")
        assert (await world.newest()).phase is Phase.REFUSED
        assert said in world.workspace.whispers(ANN)[-1]
        assert world.verbs() == []


async def test_what_stands_in_the_way_fails_the_plan(canaries: CanaryWorld) -> None:
    """A Service that would catch canary pods, as the survey says it."""
    async with canaries as world:
        world.cluster.traffic.survey(ROUTE, problems=("the Service api would send requests to canary pods",))
        await world.says(ANN, "canary api v2 prod")
        assert "There can be no canary of api in prod: the Service api would" in world.workspace.whispers(ANN)[-1]


async def test_a_service_without_traffic_says_what_to_write(canaries: CanaryWorld) -> None:
    """In the catalogue."""
    async with canaries as world:
        world.registry.push("registry.example/acme/web", "v2")
        await world.says(ANN, "canary web v2 prod")
        assert "web has no 'traffic' that a canary could have a share of." in world.workspace.whispers(ANN)[-1]
