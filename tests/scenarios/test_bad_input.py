"""A slip, a stranger, a thing that does not exist: a private answer with the fix, and nothing is started."""

from datetime import timedelta

import pytest

from bot.domain.approval import Person
from bot.domain.ids import UserId
from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOT, EVE, FRANK
from tests.scenarios.world import REPOSITORY, World, workload

SECOND = timedelta(seconds=1)


async def answer(world: World, line: str, *, by: UserId = ANN) -> str:
    """The private answer to a line; nothing stands in the channel."""
    await world.says(by, line)
    await world.passes(SECOND)
    assert world.workspace.messages == []
    return world.workspace.whispers(by)[-1]


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("deploy apj v2 staging", "There is no service 'apj'; did you mean 'api'?"),
        ("deploy api v2 stagin", "api has no environment 'stagin'; did you mean 'staging'?"),
        ("deploy api v2 staging --runbook deplyo", "There is no runbook 'deplyo'; did you mean 'deploy'?"),
        ("deploy api v2 staging --reasn x", "There is no option `--reasn`; did you mean 'reason'?"),
        ("depoly api v2 staging", "There is no verb 'depoly'; did you mean 'deploy'?"),
        ("deploy api latest staging", "`latest` is a name that everybody moves"),
        ("deploy api staging", "`deploy` needs what to release: a tag, a commit or a digest."),
        ("deploy api ghcr.io/acme/api:v2 staging", "Write it without the image's name"),
        ("deploy api v2 staging --at 08:00", "is in the past"),
        ("deploy api v2 staging --break-glass", "there is no glass to break"),
        ("deploy api v2 prod --break-glass", "Breaking the glass needs a reason"),
        ('deploy api v2 staging --reason "open', "A quotation mark is opened and not closed."),
        ("abort api-staging-7", "There is no run `api-staging-7`."),
        ("abort api staging", "Nothing has ever been released to api in staging."),
        ("history", "`history` needs a service or an environment."),
    ],
)
async def test_a_slip_is_answered_with_its_fix(world: World, line: str, fix: str) -> None:
    """To the person alone; nothing is stored as a run."""
    async with world:
        assert fix in await answer(world, line)
        async with world.store.transaction() as tx:
            assert await tx.runs() == []


@pytest.mark.parametrize(
    ("who", "why"), [(EVE, "is a guest"), (BOT, "is a bot"), (FRANK, "has been deactivated")], ids=str
)
async def test_strangers_start_nothing(world: World, who: UserId, why: str) -> None:
    """They are told why."""
    async with world:
        assert why in await answer(world, "deploy api v2 staging", by=who)
        async with world.store.transaction() as tx:
            assert await tx.runs() == []


async def test_somebody_of_another_workspace_starts_nothing(world: World) -> None:
    """A shared channel has visitors."""
    async with world:
        visitor = UserId("U0OUT")
        world.workspace.people[visitor] = Person(visitor, "vera", is_outside=True)
        assert "belongs to another workspace" in await answer(world, "deploy api v2 staging", by=visitor)


async def test_a_ref_that_is_not_in_the_registry_is_refused(world: World) -> None:
    """Privately, with near names."""
    async with world:
        said = await answer(world, "deploy api v22 staging")
        assert (await world.newest()).phase is Phase.REFUSED
        assert "has no tag 'v22'; near names: v2" in said
        assert world.image_changes() == 0


async def test_what_runs_already_is_refused(world: World) -> None:
    """With its digest, in short."""
    async with world:
        said = await answer(world, "deploy api v1 staging")
        digest = world.registry._tags[REPOSITORY]["v1"]
        assert f"api in staging runs `v1` already ({digest[:19]})" in said


async def test_a_workload_of_argo_cd_is_refused(world: World) -> None:
    """Sluice does not fight a controller, and says what to do instead."""
    async with world:
        world.cluster.find(workload("staging")).owner = "Argo CD (application api)"
        said = await answer(world, "deploy api v2 staging")
        assert "belongs to Argo CD (application api), which would undo a change" in said
        assert "sluice.dev/allow" in said
        assert world.image_changes() == 0


async def test_a_workload_that_is_not_there_is_refused(world: World) -> None:
    """The catalogue and the cluster disagree."""
    async with world:
        world.cluster.delete(workload("staging"))
        assert 'deployments.apps "api" not found' in await answer(world, "deploy api v2 staging")


async def test_a_command_that_is_delivered_twice_has_one_effect(world: World) -> None:
    """Slack sends again what it thinks was not heard."""
    async with world:
        assert await world.hears(ANN, "deploy api v2 staging", key="trigger-1")
        assert not await world.hears(ANN, "deploy api v2 staging", key="trigger-1")
        await world.settle()
        await world.finishes()
        assert not await world.hears(ANN, "deploy api v2 staging", key="trigger-1")
        await world.passes(SECOND)
        async with world.store.transaction() as tx:
            assert len(await tx.runs()) == 1
        assert len([text for text in world.workspace.whispers(ANN) if "is asked for" in text]) == 1


async def test_the_same_wish_typed_twice_is_two_wishes(world: World) -> None:
    """The second waits in line, and then finds its version running already."""
    async with world:
        for _ in range(2):
            await world.says(ANN, "deploy api v2 staging")
        await world.finishes()
        assert (await world.run("api-staging-2")).phase is Phase.REFUSED
        assert world.image_changes() == 1


async def test_a_slip_is_in_the_journal(world: World) -> None:
    """Who typed what, and that nothing came of it."""
    async with world:
        await answer(world, "deploy apj v2 staging")
        async with world.store.transaction() as tx:
            [entry] = await tx.journal()
        assert entry.entry.actor == ANN
        assert entry.entry.detail == {"line": "deploy apj v2 staging", "origin": "slash", "outcome": "UsageError"}


async def test_a_reason_cannot_call_the_whole_channel(world: World) -> None:
    """What people type is shown, never obeyed."""
    async with world:
        await world.says(ANN, 'deploy api v2 staging --reason "<!channel> *now*"')
        await world.passes(SECOND)
        assert "<!channel>" not in world.live()
