"""The way back, and whether a plan still holds."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.plan import Verb
from runbooks.configuration import Configuration
from tests.runbooks.planning_desk import BACK, CATALOGUE, PROD, REPOSITORY, a_desk, refused

# --- a rollback ---


async def test_a_rollback_brings_the_last_known_good(tmp_path: Path, template: Path) -> None:
    """Not what runs, not what was unhealthy."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0")
        await desk.released("v2", healthy=False)
        await desk.released("v1")
        assert (await desk.plans(BACK)).artifact.ref == "v0"


async def test_a_rollback_may_name_a_healthy_release(tmp_path: Path, template: Path) -> None:
    """By what it was called then, by its tag, or by its digest."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0")
        await desk.released("v2", ref="9f2c1e7")
        await desk.released("v1")
        for ref in ("9f2c1e7", "v2", desk.images["v2"].partition("@")[2]):
            assert (await desk.plans(replace(BACK, ref=ref))).artifact.image == desk.images["v2"]


async def test_a_rollback_to_something_else_lists_what_there_is(tmp_path: Path, template: Path) -> None:
    """The fix is in the answer."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0")
        await desk.released("v1")
        why = await refused(desk, replace(BACK, ref="v7"))
        assert why == "`v7` is no healthy release of api/prod. There are: `v0`."


async def test_nothing_healthy_before_is_said(tmp_path: Path, template: Path) -> None:
    """With what to do instead."""
    async with a_desk(template, tmp_path) as desk:
        assert "Nothing healthy is known for api/prod before what runs now" in await refused(desk, BACK)
        assert "There are: none." in await refused(desk, replace(BACK, ref="v7"))


async def test_the_workload_itself_remembers_the_way_back(tmp_path: Path, template: Path) -> None:
    """A lost database loses no way back."""
    async with a_desk(template, tmp_path) as desk:
        written = f'["{desk.images["v0"]}"]'
        desk.cluster.edit(PROD, annotations={"sluice.dev/history": written})
        plan = await desk.plans(BACK)
        assert plan.artifact.image == desk.images["v0"]
        assert plan.previous is not None
        assert plan.previous.history == (desk.images["v0"],)


async def test_our_records_know_better_than_the_workload(tmp_path: Path, template: Path) -> None:
    """What proved unhealthy since is no way back, whatever the annotation says."""
    async with a_desk(template, tmp_path) as desk:
        await desk.released("v0", healthy=False)
        desk.cluster.edit(PROD, annotations={"sluice.dev/history": f'["{desk.images["v0"]}"]'})
        assert "Nothing healthy is known" in await refused(desk, BACK)


@pytest.mark.parametrize("written", ["not json", '{"a": 1}', "[1, null]", ""])
async def test_an_edited_memory_is_no_memory(tmp_path: Path, template: Path, written: str) -> None:
    """Somebody wrote into the annotation by hand: it is only the second memory."""
    async with a_desk(template, tmp_path) as desk:
        desk.cluster.edit(PROD, annotations={"sluice.dev/history": written})
        assert "Nothing healthy is known" in await refused(desk, BACK)


# --- drift ---


async def test_nothing_has_changed(tmp_path: Path, template: Path) -> None:
    """Then nothing is said."""
    async with a_desk(template, tmp_path) as desk:
        assert await desk.drift(await desk.plans()) is None


async def test_a_changed_workload_is_drift(tmp_path: Path, template: Path) -> None:
    """Our own annotations are not."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        desk.cluster.edit(PROD, annotations={"sluice.dev/history": "[]"})
        assert await desk.drift(plan) is None
        desk.cluster.edit(PROD, environment={"MODE": "debug"})
        assert await desk.drift(plan) == "statefulset/api-main in special was changed by somebody else"


async def test_a_deleted_workload_is_drift(tmp_path: Path, template: Path) -> None:
    """It is gone, and the plan with it."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        desk.cluster.delete(PROD)
        assert await desk.drift(plan) == "statefulset/api-main in special is gone"


async def test_a_moved_tag_is_drift(tmp_path: Path, template: Path) -> None:
    """With both digests."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        now = desk.registry.push(REPOSITORY, "v2", content="another")
        said = await desk.drift(plan)
        assert said == f"`v2` now means {now[:19]}, not {plan.artifact.digest[:19]}"


async def test_a_deleted_tag_is_drift(tmp_path: Path, template: Path) -> None:
    """What was asked for is not there any more."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        desk.registry.remove(REPOSITORY, "v2")
        assert await desk.drift(plan) == "`v2` is no longer in the registry"


async def test_a_digest_cannot_move(tmp_path: Path, template: Path) -> None:
    """Nor can the version of a rollback: the registry is not even asked."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        desk.registry.down = True
        assert await desk.drift(plan, ref=plan.artifact.digest) is None
        assert await desk.drift(plan, verb=Verb.ROLLBACK, ref="v2") is None


async def test_an_edited_runbook_is_drift(tmp_path: Path, template: Path) -> None:
    """So is one that was deleted."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        library = desk.configuration.runbooks
        edited = replace(library["hotfix"], sha256="0" * 64)
        for runbooks in ({**library, "hotfix": edited}, {}):
            desk.configuration = Configuration(CATALOGUE, runbooks)
            assert await desk.drift(plan) == "the runbook 'hotfix' was edited"
