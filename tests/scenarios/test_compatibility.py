"""Releases that may break whoever calls the API, in a chat."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from bot.ports.image_registry import REVISION
from tests.fakes.people import ANN, BOB, CID
from tests.runbooks.apis import BROKEN, GONE, ITEMS, MISSING, MORE, YAML_TYPE, attached
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import CATALOGUE, REPOSITORY, World

STEADY = """
name: steady
about: Release what breaks no client.
gates: [image, compatibility]
steps:
  - approval
  - set_image
  - rollout
on_failure:
  - restore
"""
VOTED = STEADY.replace("steady", "voted").replace("compatibility]", "{compatibility: vote}]")

WEB = "  web:\n"
ATTACHED = CATALOGUE.replace(
    f"    image: {REPOSITORY}\n", f"    image: {REPOSITORY}\n    openapi: {{attached: true}}\n"
).replace(WEB, f'{WEB}    needs: {{api: ">=1"}}\n')
IN_REPOSITORY = "ci: {main: {github: {token_file: /run/secrets/github}}}\n" + CATALOGUE.replace(
    f"    image: {REPOSITORY}\n",
    f"    image: {REPOSITORY}\n    repository: github.com/acme/api\n    openapi: {{file: api/openapi.yaml}}\n",
)


def steady_world(folder: Path, template: Path, *, catalogue: str = ATTACHED) -> World:
    """A world whose releases are compared with what runs."""
    return world_with(folder, template, STEADY, VOTED, catalogue=catalogue)


async def build(world: World, tag: str, document: str) -> None:
    """A build attaches the document of a version."""
    digest = (await world.registry.resolve(REPOSITORY, tag)).digest
    world.registry.attach(REPOSITORY, digest, [attached(document)], artifact_type=YAML_TYPE)


async def test_what_breaks_nobody_is_released(tmp_path: Path, template: Path) -> None:
    """The message says so."""
    async with steady_world(tmp_path, template) as world:
        await build(world, "v1", ITEMS)
        await build(world, "v2", MORE)
        await world.says(ANN, "deploy api v2 staging --runbook steady")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v2"
        assert "breaks nothing" in world.live()


async def test_what_breaks_clients_ends_before_it_begins(tmp_path: Path, template: Path) -> None:
    """Who is hit, and what to do instead, is in the message; each change is in the thread."""
    async with steady_world(tmp_path, template) as world:
        await build(world, "v1", ITEMS)
        await build(world, "v2", BROKEN)
        await world.says(ANN, "deploy api v2 staging --runbook steady")
        run = await world.finishes()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "2 breaking changes, and web (>=1) needs it; deploy the new major version side by side" in run.reason
        thread = "\n".join(world.thread())
        assert GONE in thread
        assert MISSING in thread
        assert "web needs api &gt;=1" in thread


async def test_people_may_vote_for_a_break_that_they_see(tmp_path: Path, template: Path) -> None:
    """The ballot shows it beside the gate; without their votes nothing changes."""
    async with steady_world(tmp_path, template) as world:
        await build(world, "v1", ITEMS)
        await build(world, "v2", BROKEN)
        await world.says(ANN, "deploy api v2 prod --runbook voted")
        await world.passes(timedelta(minutes=1))
        assert "2 breaking changes, for the vote" in world.live()
        assert ((await world.newest()).phase, world.image_changes()) == (Phase.RUNNING, 0)
        await world.reacts(BOB, "white_check_mark")
        await world.reacts(CID, "white_check_mark")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v2"


async def test_where_nobody_votes_a_break_is_no_question(tmp_path: Path, template: Path) -> None:
    """Staging asks nobody."""
    async with steady_world(tmp_path, template) as world:
        await build(world, "v1", ITEMS)
        await build(world, "v2", BROKEN)
        await world.says(ANN, "deploy api v2 staging --runbook voted")
        run = await world.finishes()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "nobody votes on this release" in run.reason


async def test_a_version_without_a_document_is_told_how_to_attach_it(tmp_path: Path, template: Path) -> None:
    """Even where it is the one that runs."""
    async with steady_world(tmp_path, template) as world:
        await build(world, "v2", MORE)
        await world.says(ANN, "deploy api v2 staging --runbook steady")
        run = await world.finishes()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "of `v1`, which runs now, cannot be compared: none is attached to" in run.reason
        assert f"`oras attach --artifact-type {YAML_TYPE}" in run.reason


async def test_a_server_of_sources_that_is_away_is_waited_for(tmp_path: Path, template: Path) -> None:
    """Nothing passes meanwhile; then it goes on by itself."""
    async with steady_world(tmp_path, template, catalogue=IN_REPOSITORY) as world:
        for number, (tag, document) in enumerate({"v7": ITEMS, "v8": MORE}.items(), start=1):
            world.registry.push(REPOSITORY, tag, labels={REVISION: f"{number}a" * 20})
            world.files.write("github.com/acme/api", f"{number}a" * 20, "api/openapi.yaml", document.encode())
        await world.says(ANN, "deploy api v7 staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        world.files.down = True
        await world.says(ANN, "deploy api v8 staging --runbook steady")
        await world.passes(timedelta(minutes=1))
        assert (await world.newest()).phase is Phase.GATING
        assert "GitHub main cannot be reached" in world.live()
        world.files.down = False
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v8"


async def test_a_service_without_documents_plans_nothing(tmp_path: Path, template: Path) -> None:
    """The one who asked is told the line to write."""
    async with steady_world(tmp_path, template, catalogue=CATALOGUE) as world:
        await world.says(ANN, "deploy api v2 staging --runbook steady")
        run = await world.newest()
        assert (run.phase, world.image_changes()) == (Phase.REFUSED, 0)
        assert "does not know where the OpenAPI document of api is. Write it below the service" in run.reason
