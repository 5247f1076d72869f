"""status, history and plan: looking without touching."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.commands.conversation import conversation
from tests.fakes.people import DAN


async def test_status_of_a_quiet_office(tmp_path: Path) -> None:
    """Nothing under way and nothing recorded is said, not left blank."""
    async with conversation(tmp_path) as chat:
        assert await chat.says("status") == "Nothing is under way.\nNo release has been recorded yet."


async def test_status_tells_what_is_under_way_and_what_runs(tmp_path: Path) -> None:
    """Runs newest first; then each target with its version, its holder and its line."""
    async with conversation(tmp_path) as chat:
        await chat.released("v0", digit="0")
        chat.clock.advance(timedelta(days=2, hours=3))
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        await chat.says("deploy api v2 prod", by=DAN)
        await chat.says("pause api-prod-1")
        assert (await chat.says("status")).splitlines() == [
            "`api-prod-2` deploy of *api* in *prod* to `v2`: queued, asked 0s ago by <@U0DAN>",
            "`api-prod-1` deploy of *api* in *prod* to `v1`: paused, asked 0s ago by <@U0ANN>",
            "*api* in *prod* runs `v0` since 2d3h ago, by <@U0ANN> · held by `api-prod-1` · waiting: `api-prod-2`",
        ]


async def test_status_can_be_narrowed(tmp_path: Path) -> None:
    """To a service, an environment, or both; the rest is left out."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 staging")
        await chat.says("deploy web v1 staging")
        assert "web" not in await chat.says("status api")
        assert "`api-staging-1`" in await chat.says("status staging")
        assert (await chat.says("status prod")).startswith("Nothing is under way.")


async def test_a_long_status_is_cut_and_says_so(tmp_path: Path) -> None:
    """A message holds only so much; what is left out is counted, and the way to see it is named."""
    async with conversation(tmp_path) as chat:
        for number in range(40):
            await chat.says(f"deploy api v{number} staging")
        said = await chat.says("status")
        assert len(said) < 3000
        assert said.endswith("Narrow it: `/release status &lt;service&gt; [environment]`.")


async def test_an_unhealthy_version_is_called_so(tmp_path: Path) -> None:
    """A target that runs something broken does not look like any other."""
    async with conversation(tmp_path) as chat:
        await chat.released("v1", digit="1", healthy=False)
        assert "runs `v1` since 0s ago, by <@U0ANN>, not healthy" in await chat.says("status")


async def test_history_is_newest_first(tmp_path: Path) -> None:
    """What ran, from when, how long, healthy or not, by whom and in which run."""
    async with conversation(tmp_path) as chat:
        await chat.released("v1", digit="1")
        await chat.released("v2", digit="2", healthy=False)
        assert (await chat.says("history prod api")).splitlines() == [
            "Releases, newest first: prod api",
            "`v2` in *prod* from 11:00 UTC, still running, not healthy, by <@U0ANN> (`api-prod-9`)",
            "`v1` in *prod* from 10:00 UTC, for 1h, healthy, by <@U0ANN> (`api-prod-9`)",
        ]


async def test_history_of_nothing_is_said(tmp_path: Path) -> None:
    """With the way to begin one."""
    async with conversation(tmp_path) as chat:
        assert (await chat.says("history web")).startswith("Nothing has been released yet: web.")


async def test_history_needs_a_word(tmp_path: Path) -> None:
    """The history of everything would be nobody's."""
    async with conversation(tmp_path) as chat:
        said = await chat.says("history")
        assert said.startswith("`history` needs a service or an environment.")


async def test_a_plan_is_shown_whole(tmp_path: Path) -> None:
    """With its seal, its steps read aloud, and what failure does."""
    async with conversation(tmp_path) as chat:
        await chat.says('deploy api v1 prod --reason "fixes <b>"')
        run = await chat.planned("api-prod-1")
        said = await chat.says("plan api prod")
        assert said.startswith("Plan of `api-prod-1`, edition 1:\ndeploy of *api* in *prod*")
        assert f"seal `{run.sealed_plan().seal}`" in said
        assert "asked by <@U0ANN>: fixes &lt;b&gt;" in said
        assert "2. Tell the workload to run the artifact, by digest." in said
        assert "If it fails after something changed: back to `v0`, without another vote:" in said


async def test_a_plan_that_is_not_made_yet_is_not_invented(tmp_path: Path) -> None:
    """It points to the cause of the wait."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        said = await chat.says("plan api-prod-1")
        assert said == "`api-prod-1` has no plan yet. `/release why api-prod-1` tells what it waits for."


@pytest.mark.parametrize("line", ["status --reason x", "why api prod --at 18:00", "plan api prod --dry-run"])
async def test_options_that_mean_nothing_are_refused(tmp_path: Path, line: str) -> None:
    """They are not silently dropped."""
    async with conversation(tmp_path) as chat:
        verb = line.split()[0]
        assert f"`/release help {verb}` shows what it has." in await chat.says(line)
