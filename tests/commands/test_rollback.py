"""rollback."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.domain.plan import Verb
from tests.commands.conversation import PROD, conversation
from tests.fakes.people import ANN, DAN


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


async def test_a_release_that_changed_nothing_makes_way_for_the_way_back(tmp_path: Path) -> None:
    """What runs may be what is bad: the release is stopped, and the rollback comes after it. The answer says both."""
    async with conversation(tmp_path) as chat:
        await chat.released("v8", digit="8")
        await chat.released("v0", digit="0")
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        assert await chat.says("rollback api prod", by=DAN) == snapshot(
            "`api-prod-1` (deploy of *api* in *prod*) is being stopped. "
            "It had not changed anything: `v0` keeps running."
            """
`api-prod-2`: rollback of *api* in *prod* to the last known good version, `v8`, is asked for.
It waits at place 1, behind `api-prod-1`, and begins by itself; `/release abort api-prod-2` leaves the line.
Follow it in #deploys; `/release why api-prod-2` tells what it waits for."""
        )
        wish, request = (await chat.run("api-prod-1")).wish, (await chat.run("api-prod-2")).request
        assert wish is not None
        assert (wish.by, request.verb, request.requester, request.ref) == (DAN, Verb.ROLLBACK, DAN, "")


async def test_who_stands_between_is_named(tmp_path: Path) -> None:
    """Another release in the line would go forward before the way back begins."""
    async with conversation(tmp_path) as chat:
        for ref in ("v1", "v2"):
            await chat.says(f"deploy api {ref} prod")
        await chat.voting("api-prod-1")
        said = await chat.says("rollback api prod")
        assert "Before it comes `api-prod-2`; `/release abort api-prod-2` takes that out of the line." in said


async def test_the_way_back_is_asked_for_once(tmp_path: Path) -> None:
    """Two people who type the same while the release is being stopped want the same."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        await chat.says("rollback api prod")
        assert (await chat.says("rollback api prod", by=DAN)).startswith("`api-prod-2` is a rollback of that target")
        assert len(await chat.runs()) == 2


async def test_a_named_release_is_the_way_back_from_one_that_changed_nothing(tmp_path: Path) -> None:
    """Nothing was sealed that stopping would bring: any healthy release may be named."""
    async with conversation(tmp_path) as chat:
        await chat.released("v8", digit="8")
        await chat.says("deploy api v1 prod")
        await chat.planned("api-prod-1")
        assert "rollback of *api* in *prod* to `v8` is asked for" in await chat.says("rollback api prod to v8")
        assert (await chat.run("api-prod-1")).wish is not None


async def test_the_version_that_runs_needs_no_way_back(tmp_path: Path) -> None:
    """Stopping the release is enough: what was named keeps running."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        assert "It had not changed anything: `v0` keeps running." in await chat.says("rollback api prod to v0")
        assert len(await chat.runs()) == 1


async def test_a_refused_way_back_stops_nothing(tmp_path: Path) -> None:
    """All or nothing: whoever names an unhealthy release has stopped no other."""
    async with conversation(tmp_path) as chat:
        await chat.released("v7", digit="7", healthy=False)
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        assert "was not healthy" in await chat.says("rollback api prod to v7")
        assert (await chat.run("api-prod-1")).wish is None


async def test_the_release_under_way_is_found_behind_any_number_of_later_ones(tmp_path: Path) -> None:
    """Whoever holds the target is asked of the target, not looked for among the newest runs."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        for _ in range(21):
            await chat.says("deploy api v2 prod --at 23:00")
        await chat.says("rollback api prod")
        assert (await chat.run("api-prod-1")).wish is not None


async def test_the_first_in_line_is_found_behind_any_number_of_others(tmp_path: Path) -> None:
    """Nobody holds the target yet: the next is the one that waits longest."""
    async with conversation(tmp_path) as chat:
        for _ in range(22):
            await chat.says("deploy api v1 prod")
        assert (await chat.says("abort api prod")).startswith("`api-prod-1` ")


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
