"""A freeze lets nothing begin to change: people and the calendar may freeze, and the way back stays open."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import CATALOGUE, World

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WEEKEND = CATALOGUE.replace(
    "    protected: true\n",
    '    protected: true\n    freeze: [{cron: "0 9 * * MON", for: 5h, reason: Mondays}]\n',
).replace("namespace: staging}", 'namespace: staging, exemptions: "@release-approvers"}')


@pytest.fixture
def frozen_mondays(tmp_path: Path, template: Path) -> World:
    """A world in which prod is frozen on Mondays from nine on; its clock begins there."""
    return World(tmp_path, template, catalogue=WEEKEND)


async def asks(world: World, line: str) -> str:
    """ann asks; what she alone is told first."""
    before = len(world.workspace.whispers(ANN))
    await world.says(ANN, line)
    await world.passes(5 * SECOND)
    return "\n".join(world.workspace.whispers(ANN)[before:])


async def approve(world: World) -> None:
    """Two people say yes."""
    for person in (BOB, CID):
        await world.reacts(person, "white_check_mark")
    await world.passes(5 * SECOND)


async def no_runs(world: World) -> bool:
    """Whether nothing was ever stored."""
    async with world.store.reading() as tx:
        return not await tx.runs()


def told(world: World, text: str) -> bool:
    """Whether some message in a channel says so."""
    return any(text in message.text for message in world.workspace.messages)


async def test_a_window_refuses_at_once_with_the_time_and_the_command(frozen_mondays: World) -> None:
    """Nobody waits for a release that cannot begin."""
    async with frozen_mondays as world:
        said = await asks(world, "deploy api v2 prod")
        assert "prod is frozen until 2026-03-02 14:00 UTC: Mondays." in said
        assert "`--at 2026-03-02T14:00Z`" in said
        assert "--exempt" in said
        assert await no_runs(world)


async def test_asked_for_later_it_begins_then(frozen_mondays: World) -> None:
    """The very command that was offered."""
    async with frozen_mondays as world:
        await asks(world, "deploy api v2 prod --at 2026-03-02T14:00Z")
        await world.passes(5 * HOUR)
        assert (await world.newest()).ballot is not None


async def test_a_time_that_is_frozen_too_is_no_way_out(frozen_mondays: World) -> None:
    """The freeze counts at the time that was asked for."""
    async with frozen_mondays as world:
        said = await asks(world, "deploy api v2 prod --at 13:00")
        assert "At 13:00 UTC it would still be frozen" in said
        assert await no_runs(world)


async def test_a_person_freezes_and_everybody_is_told(world: World) -> None:
    """Who, until when, why, and how to lift it."""
    async with world:
        said = await asks(world, "freeze prod 2h moving the database")
        assert "*prod* is frozen until 11:00 UTC" in said
        assert told(world, ":snowflake: *prod* is frozen by <@U0ANN> until 11:00 UTC: moving the database")
        refused = await asks(world, "deploy api v2 prod")
        assert "prod is frozen by <@U0ANN> until 2026-03-02 11:00 UTC: moving the database." in refused
        assert await no_runs(world)
        await world.passes(2 * HOUR)
        await asks(world, "deploy api v2 prod")
        assert not await no_runs(world)


async def test_for_two_hours_is_no_reason(world: World) -> None:
    """As one says it, it is a time; taken for a reason it would freeze with no end."""
    async with world:
        assert "*prod* is frozen until 11:00 UTC" in await asks(world, "freeze prod for 2h moving the database")
        assert told(world, "until 11:00 UTC: moving the database")


async def test_a_run_that_was_approved_waits_for_the_end_of_a_freeze(world: World) -> None:
    """The message and `why` say for what; then it goes on with the votes that it has."""
    async with world:
        await asks(world, "deploy api v2 prod")
        await world.says(DAN, "freeze prod 10m a quick look")
        await approve(world)
        run = await world.newest()
        assert (run.phase, run.changed) == (Phase.RUNNING, False)
        assert (
            "*Waits:* gate freeze: prod is frozen by <@U0DAN> until 2026-03-02 09:11 UTC: a quick look" in world.live()
        )
        assert "is blocked in the gate `freeze`" in await asks(world, "why api prod")
        await world.passes(11 * MINUTE)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v2"


async def test_lifting_a_freeze_wakes_who_waits(world: World) -> None:
    """At once, and the channel hears who lifted it."""
    async with world:
        await asks(world, "deploy api v2 prod")
        await world.says(DAN, "freeze prod look into it")
        await approve(world)
        await world.says(DAN, "unfreeze prod")
        assert told(world, ":sunny: *prod* is open again: <@U0DAN> has lifted their freeze")
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_the_approval_expires_in_a_freeze_and_nothing_is_changed(world: World) -> None:
    """The new plan is refused by its gate, as any new request would be."""
    async with world:
        await asks(world, "deploy api v2 prod")
        await world.says(DAN, "freeze prod 8h long")
        await approve(world)
        await world.passes(32 * MINUTE)
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert "ask again with `--at 2026-03-02T17:01Z`" in run.reason
        assert world.image_changes() == 0


async def test_a_rollback_is_never_stopped(world: World) -> None:
    """Not even when the line is stopped for everything."""
    async with world:
        await asks(world, "deploy api v2 staging")
        await world.finishes()
        await world.says(BOB, "freeze all stop the line")
        await world.says(ANN, "rollback api staging to v1")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v1"


async def test_another_runbook_is_no_way_back(tmp_path: Path, template: Path) -> None:
    """Whatever a rollback is asked to do besides, such as a migration, begins in no freeze."""
    job = "  - job: {name: migrate, run: [alembic, upgrade, head]}"
    text = f"name: reindex\nabout: More than to go back.\nsteps:\n{job}\n  - set_image\n  - rollout\n"
    async with world_with(tmp_path, template, text) as world:
        await asks(world, "deploy api v2 staging")
        await world.finishes()
        await world.says(BOB, "freeze all stop the line")
        await world.says(ANN, "rollback api staging to v1 --runbook reindex")
        run = await world.finishes()
        assert run.phase is Phase.REFUSED
        assert "everything is frozen by <@U0BOB>" in run.reason
        assert world.image("staging") == "v2"


async def test_an_automatic_restore_is_never_stopped(world: World) -> None:
    """A freeze that begins in the middle of a release does not keep it from going back."""
    async with world:
        world.registry.push("registry.example/acme/api", "v9-crash")
        await world.says(ANN, "deploy api v9-crash staging")
        await world.passes(SECOND)
        assert world.image_changes() == 1
        await world.says(BOB, "freeze all stop the line")
        assert (await world.finishes(within=HOUR)).phase is Phase.RESTORED


async def test_stop_the_line_lets_nobody_through(world: World) -> None:
    """No exemption, no broken glass, no admin."""
    async with world:
        await world.says(BOB, "freeze all stop the line")
        assert told(world, ":octagonal_sign: *Stop the line*: <@U0BOB> has frozen *everything*")
        for line in ("staging", 'prod --exempt "must"', 'prod --break-glass --reason "must"'):
            said = await asks(world, f"deploy api v2 {line}")
            assert "everything is frozen by <@U0BOB> until somebody lifts it: stop the line." in said
            assert "no exemption passes" in said
        assert await no_runs(world)


async def test_what_is_offered_begins_then_whatever_the_second(world: World) -> None:
    """People type minutes: a freeze that ends within one offers the next."""
    async with world:
        await world.passes(37 * SECOND)
        assert "until 11:01 UTC" in await asks(world, "freeze prod 2h moving the database")
        assert "`--at 2026-03-02T11:01Z`" in await asks(world, "deploy api v2 prod")
        assert "is asked for" in await asks(world, "deploy api v2 prod --at 2026-03-02T11:01Z")


async def test_an_exemption_does_not_pass_what_was_frozen_later(frozen_mondays: World) -> None:
    """People voted on the window of the calendar; whoever freezes meanwhile has a reason that nobody voted on."""
    async with frozen_mondays as world:
        await asks(world, 'deploy api v2 prod --exempt "fixes the login"')
        await world.says(DAN, "freeze prod moving the database")
        await approve(world)
        assert world.image_changes() == 0
        assert "prod is frozen by <@U0DAN> until somebody lifts it: moving the database (frozen after" in world.live()
        await world.says(DAN, "unfreeze prod")
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_an_exemption_needs_votes_even_where_nobody_is_asked(frozen_mondays: World) -> None:
    """Loud in the ballot, and on record."""
    async with frozen_mondays as world:
        await world.says(BOB, "freeze staging load test")
        await asks(world, 'deploy api v2 staging --exempt "fixes the load test"')
        run = await world.newest()
        assert (run.phase, run.changed) == (Phase.RUNNING, False)
        assert "EXEMPT FROM THE FREEZE of staging if this is approved: fixes the load test" in world.live()
        assert any("*staging is frozen*, and this asks to be let through" in said for said in world.thread())
        await world.reacts(CID, "white_check_mark")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        async with world.store.reading() as tx:
            journal = await tx.journal()
        assert "exemption_asked" in [entry.entry.action for entry in journal]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('deploy api v2 prod --exempt ""', "An exemption needs a reason"),
        ('deploy api v2 prod --exempt "x" --break-glass --reason "y"', "needs a vote"),
        ('deploy api v2 prod --exempt "x"', "prod is not frozen then"),
        ('rollback api prod --exempt "x"', "never stopped by a freeze"),
        ('deploy api v2 staging --exempt "x"', "Nobody is named who may vote on an exemption in staging"),
        ("freeze", "needs an environment"),
        ("freeze prd 2h x", "did you mean 'prod'"),
        ("freeze prod 2h", "needs a reason"),
        ("freeze prod 0s x", "cannot last 0s"),
        ("freeze prod 9999d x", "cannot last 9999d"),
        ("unfreeze", "needs an environment"),
        ("unfreeze prod", "Nobody has frozen prod"),
    ],
)
async def test_slips_are_told_with_their_fix(world: World, line: str, said: str) -> None:
    """And nothing is done."""
    async with world:
        assert said in await asks(world, line)
        assert await no_runs(world)


async def test_who_may_lift_anothers_freeze(world: World) -> None:
    """Whoever froze it, and those who vote there; the others are told whom to ask."""
    async with world:
        world.workspace.groups["@on-call"] = set()
        await world.says(ANN, "freeze prod moving")
        await world.says(DAN, "unfreeze prod")
        assert "members of @release-approvers and @on-call may lift it" in world.workspace.whispers(DAN)[-1]
        await world.says(DAN, "freeze prod mine")
        assert "prod is frozen by <@U0ANN>" in world.workspace.whispers(DAN)[-1]
        await world.says(BOB, "unfreeze prod all is well")
        assert told(world, "<@U0BOB> has lifted the freeze of <@U0ANN> after 0s: all is well")


async def test_what_stays_frozen_is_not_called_open(frozen_mondays: World) -> None:
    """Neither under a freeze of everything nor in a window of the calendar."""
    async with frozen_mondays as world:
        await world.says(BOB, "freeze prod moving")
        await world.says(CID, "freeze all stop the line")
        await world.says(BOB, "unfreeze prod")
        await world.passes(SECOND)
        assert told(world, "One freeze of *prod* is over: <@U0BOB> has lifted")
        assert "Still: everything is frozen by <@U0CID> until somebody" in world.workspace.whispers(BOB)[-1]
        await world.says(CID, "unfreeze all")
        await world.passes(SECOND)
        assert "Still: prod is frozen until 2026-03-02 14:00 UTC: Mondays." in world.workspace.whispers(CID)[-1]


async def test_a_window_of_the_calendar_cannot_be_lifted_by_word(frozen_mondays: World) -> None:
    """It says where it stands."""
    async with frozen_mondays as world:
        said = await asks(world, "unfreeze prod")
        assert "Mondays; a window of the calendar is lifted in sluice.yaml only." in said
