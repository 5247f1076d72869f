"""Gathering the facts for a plan."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NotFoundError, RefusedError, UnreachableError
from bot.domain.plan import Previous, Verb
from bot.domain.target import WorkloadRef
from tests.builders import a_request
from tests.fakes.people import ANN
from tests.runbooks.planning_desk import BACK, CATALOGUE, PROD, REPOSITORY, a_desk, refused


async def test_a_tag_is_pinned_to_its_digest(tmp_path: Path, template: Path) -> None:
    """The plan names what will run, whatever becomes of the tag."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        assert plan.artifact.image == desk.images["v2"]
        assert plan.artifact.ref == "v2"


async def test_the_plan_knows_the_target(tmp_path: Path, template: Path) -> None:
    """Workload, channel, policy, protection and runbook come from the catalogue."""
    async with a_desk(template, tmp_path) as desk:
        plan = await desk.plans()
        assert plan.workload == WorkloadRef("main", "special", PROD.kind, "api-main", "main")
        assert plan.approval is not None
        assert (plan.channel, plan.approval.count, plan.runbook.name) == ("#deploys", 2, "hotfix")
        assert (plan.protected, plan.verb, plan.requester) == (True, Verb.DEPLOY, ANN)


async def test_a_runbook_may_be_named(tmp_path: Path, template: Path) -> None:
    """One that exists; another is a slip."""
    async with a_desk(template, tmp_path) as desk:
        assert (await desk.plans(a_request(runbook="deploy"))).runbook.name == "deploy"
        assert "did you mean 'deploy'" in await refused(desk, a_request(runbook="deplyo"))


async def test_what_runs_already_is_not_deployed_again(tmp_path: Path, template: Path) -> None:
    """By digest: a second tag of the same image is the same image."""
    async with a_desk(template, tmp_path) as desk:
        digest = desk.images["v1"].partition("@")[2]
        assert "runs `v1` already (sha256:" in await refused(desk, a_request(ref="v1"))
        assert "already" in await refused(desk, a_request(ref=digest))


async def test_a_name_that_everybody_moves_is_refused(tmp_path: Path, template: Path) -> None:
    """It says nothing about what will run."""
    async with a_desk(template, tmp_path) as desk:
        assert "Name a version, a commit or a digest" in await refused(desk, a_request(ref="latest"))


async def test_an_unknown_ref_is_not_planned(tmp_path: Path, template: Path) -> None:
    """The registry's own words go back."""
    async with a_desk(template, tmp_path) as desk:
        assert "v9" in await refused(desk, a_request(ref="v9"), NotFoundError)


@pytest.mark.parametrize("away", ["registry", "cluster"])
async def test_a_server_that_is_down_is_temporary(tmp_path: Path, template: Path, away: str) -> None:
    """The engine waits for it."""
    async with a_desk(template, tmp_path) as desk:
        desk.registry.down, desk.cluster.down = away == "registry", away == "cluster"
        await refused(desk, a_request(), UnreachableError)


async def test_a_workload_of_another_controller_is_not_planned(tmp_path: Path, template: Path) -> None:
    """With the ways out."""
    async with a_desk(template, tmp_path) as desk:
        desk.cluster.find(PROD).owner = "Argo CD (application api)"
        why = await refused(desk, a_request(), RefusedError)
        assert "belongs to Argo CD (application api), which would undo a change" in why
        assert "sluice.dev/allow: 'true'" in why
        desk.cluster.edit(PROD, annotations={"sluice.dev/allow": "true"})
        assert await desk.plans()


async def test_several_containers_need_a_name(tmp_path: Path, template: Path) -> None:
    """Nobody guesses which of them is the service."""
    async with a_desk(template, tmp_path) as desk:
        web = CATALOGUE.workload("web", "staging")
        desk.cluster.add(web, "localhost:5000/web:v1", sidecars={"proxy": "envoy:1"})
        request = a_request(target=replace(BACK.target, service="web", environment="staging"))
        why = await refused(desk, request, RefusedError)
        assert "has several containers (app, proxy); name one as 'container' in the catalogue" in why


async def test_a_container_may_be_named_like_its_workload(tmp_path: Path, template: Path) -> None:
    """As most people do: then nothing needs to be said."""
    async with a_desk(template, tmp_path) as desk:
        web = replace(CATALOGUE.workload("web", "staging"), container="web")
        desk.registry.push("localhost:5000/web", "v2")
        desk.cluster.add(web, "localhost:5000/web:v1", sidecars={"proxy": "envoy:1"})
        request = a_request(target=replace(BACK.target, service="web", environment="staging"))
        plan = await desk.plans(request)
        assert plan.previous is not None
        assert plan.previous.image == "localhost:5000/web:v1"


async def test_a_container_that_is_not_there_is_named(tmp_path: Path, template: Path) -> None:
    """With those that are."""
    async with a_desk(template, tmp_path) as desk:
        desk.cluster.find(PROD).containers = {"other": desk.images["v1"]}
        assert "has no container 'main'; it has other" in await refused(desk, a_request(), RefusedError)


# --- what ran before ---


async def test_a_recorded_version_is_known_well(tmp_path: Path, template: Path) -> None:
    """How it was called, since when, and how healthy it proved."""
    async with a_desk(template, tmp_path) as desk:
        since = desk.clock.now()
        await desk.released("v1", ref="9f2c1e7")
        assert (await desk.plans()).previous == Previous(desk.images["v1"], "9f2c1e7", since, healthy=True)


async def test_an_unrecorded_version_is_called_by_its_tag(tmp_path: Path, template: Path) -> None:
    """Nobody knows since when, or how healthy it is."""
    async with a_desk(template, tmp_path) as desk:
        assert (await desk.plans()).previous == Previous(desk.images["v1"], "v1", None, None)


async def test_without_a_tag_it_is_called_by_its_digest(tmp_path: Path, template: Path) -> None:
    """Short, as container tools show it; and by its whole name when it has neither."""
    async with a_desk(template, tmp_path) as desk:
        digest = desk.images["v1"].partition("@")[2]
        desk.cluster.edit(PROD, image=f"{REPOSITORY}@{digest}")
        plan = await desk.plans()
        assert plan.previous is not None
        assert plan.previous.ref == digest[:19]
        desk.cluster.edit(PROD, image=REPOSITORY)
        plan = await desk.plans()
        assert plan.previous is not None
        assert plan.previous.ref == REPOSITORY


async def test_what_is_broken_already_is_told(tmp_path: Path, template: Path) -> None:
    """People should see it before they say yes; it is no healthy way back."""
    async with a_desk(template, tmp_path) as desk:
        desk.cluster.behave(PROD, "crash")
        desk.clock.advance(timedelta(minutes=5))
        plan = await desk.plans()
        assert plan.previous is not None
        assert plan.previous.healthy is False
        assert plan.notes[0].startswith("what runs now is not healthy: CrashLoopBackOff")


async def test_a_paused_workload_is_told(tmp_path: Path, template: Path) -> None:
    """The rollout would stand still."""
    async with a_desk(template, tmp_path) as desk:
        desk.cluster.pause(PROD)
        assert (await desk.plans()).notes == ("the rollout of the workload is paused in the cluster",)
