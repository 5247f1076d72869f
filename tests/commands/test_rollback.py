"""rollback."""

from pathlib import Path

import pytest

from bot.domain.plan import Verb
from tests.commands.conversation import PROD, conversation
from tests.fakes.workspace import ANN, DAN


async def test_back_to_the_last_known_good(tmp_path: Path) -> None:
    """Without a version the plan finds it and names it."""
    async with conversation(tmp_path) as chat:
        said = await chat.says("rollback prod api")
        assert said.startswith("`api-prod-1`: rollback of *api* in *prod* to the last known good version is asked for.")
        request = (await chat.run("api-prod-1")).request
        assert (request.verb, request.target, request.ref) == (Verb.ROLLBACK, PROD, "")


@pytest.mark.parametrize(
    "line", ["rollback api prod to v1", "rollback to v1 prod api", "rollback api to v1 prod", "rollback api v1 prod"]
)
async def test_back_to_a_named_release(tmp_path: Path, line: str) -> None:
    """The words may stand in any order."""
    async with conversation(tmp_path) as chat:
        await chat.released("v1", digit="1")
        await chat.says(line)
        assert (await chat.run("api-prod-1")).request.ref == "v1"


async def test_a_short_digest_names_a_release_in_full(tmp_path: Path) -> None:
    """Twelve digits are what people see, so that is what they type."""
    async with conversation(tmp_path) as chat:
        await chat.released("v1", digit="1")
        await chat.says(f"rollback api prod to sha256:{'1' * 12}")
        assert (await chat.run("api-prod-1")).request.ref == f"sha256:{'1' * 64}"


async def test_an_unhealthy_release_is_no_way_back(tmp_path: Path) -> None:
    """It is named as such, with those that are."""
    async with conversation(tmp_path) as chat:
        await chat.released("v1", digit="1")
        await chat.released("v2", digit="2", healthy=False)
        said = await chat.says("rollback api prod to v2")
        assert said == "`v2` was not healthy in prod. Healthy there: `v1`."
        assert await chat.runs() == []


async def test_a_release_that_was_healthy_once_is_a_way_back(tmp_path: Path) -> None:
    """A restored release has two records; the healthy one counts."""
    async with conversation(tmp_path) as chat:
        await chat.released("v1", digit="1", healthy=False)
        await chat.released("v1", digit="1")
        await chat.says("rollback api prod to v1")
        assert len(await chat.runs()) == 1


async def test_a_release_that_no_record_knows_is_left_to_the_plan(tmp_path: Path) -> None:
    """The workload itself may remember it when our records were lost."""
    async with conversation(tmp_path) as chat:
        await chat.says("rollback api prod to v7")
        assert (await chat.run("api-prod-1")).request.ref == "v7"


@pytest.mark.parametrize("line", ["rollback api prod to", "rollback to"])
async def test_to_needs_a_version(tmp_path: Path, line: str) -> None:
    """The usage is shown."""
    async with conversation(tmp_path) as chat:
        assert "`to` needs a version behind it. Write `/rollback <service> <environment> [to <ref>]`." in (
            await chat.says(line)
        ).replace("&lt;", "<").replace("&gt;", ">")


async def test_during_a_release_it_is_stopped_and_restores(tmp_path: Path) -> None:
    """No second run: the plan that was approved knows the way back, and the answer names the version."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        said = await chat.says("rollback api prod", by=DAN)
        assert said == (
            "`api-prod-1` (deploy of *api* in *prod*) is being stopped. "
            "It brings back `v0` by itself; nobody needs to vote for that."
        )
        (run,) = await chat.runs()
        assert run.wish is not None
        assert (run.wish.by, run.wish.reason) == (DAN, "rollback")


async def test_before_anything_changed_nothing_is_brought_back(tmp_path: Path) -> None:
    """The answer says what keeps running."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        assert "It had not changed anything: `v0` keeps running." in await chat.says("rollback api prod")


async def test_who_waits_behind_is_named(tmp_path: Path) -> None:
    """Otherwise the next release would go forward right after the way back."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        await chat.says("deploy api v2 prod")
        said = await chat.says("rollback api prod")
        assert "Next in line is `api-prod-2`; `/release abort api-prod-2` keeps it from starting." in said


async def test_a_rollback_that_is_under_way_is_not_stopped_by_another(tmp_path: Path) -> None:
    """Two people who type the same at once want the same."""
    async with conversation(tmp_path) as chat:
        await chat.says("rollback api prod")
        said = await chat.says("rollback api prod", by=DAN)
        assert said.startswith("`api-prod-1` is a rollback of that target already.")
        assert (await chat.run("api-prod-1")).wish is None


async def test_another_version_than_the_restored_one_is_asked_back(tmp_path: Path) -> None:
    """Stopping goes to the sealed previous version and nowhere else."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        said = await chat.says("rollback api prod to v7")
        assert "stopping it goes back to `v0`, not to `v7`. Type `/release abort api-prod-1`" in said
        assert (await chat.run("api-prod-1")).wish is None
        await chat.says("rollback api prod to v0")
        assert (await chat.run("api-prod-1")).wish is not None


async def test_a_release_that_begins_later_is_left_alone(tmp_path: Path) -> None:
    """Tonight's release is not under way."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod --at 18:00")
        await chat.says("rollback api prod")
        assert (await chat.run("api-prod-1")).wish is None
        assert (await chat.run("api-prod-2")).request.verb is Verb.ROLLBACK


async def test_a_dry_run_stops_nothing(tmp_path: Path) -> None:
    """It shows the plan of the way back, to the person alone."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        telling = await chat.telling("rollback api prod --dry-run")
        assert telling.to == ANN
        assert telling.content.text.startswith("This is what `/rollback api prod` would do.")
        assert (await chat.run("api-prod-1")).wish is None
