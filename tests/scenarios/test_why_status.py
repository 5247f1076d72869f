"""Nobody has to ask a colleague: `status`, `why`, `plan`, `history` and a dry run tell what is, was and would be."""

from datetime import timedelta

from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def answer(world: World, line: str) -> str:
    """cid asks; the private answer."""
    await world.says(CID, line)
    await world.passes(SECOND)
    return world.workspace.whispers(CID)[-1]


async def test_why_names_what_a_ballot_waits_for(world: World) -> None:
    """How many votes, whose, until when, and how to give one."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await world.reacts(BOB, "white_check_mark")
        said = await answer(world, "why api prod")
        assert "waits for votes: 1 of 2 so far (<@U0BOB> said yes), until 09:30 UTC" in said
        assert "Anybody in @release-approvers, other than <@U0ANN>, reacts" in said


async def test_why_names_whom_a_run_waits_behind(world: World) -> None:
    """With its place in the line."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.says(BOB, "deploy api v3 prod")
        assert "waits at place 1, behind `api-prod-1`" in await answer(world, "why api-prod-2")


async def test_why_names_the_cause_of_a_failure(world: World) -> None:
    """Long after it."""
    async with world:
        world.registry.push("registry.example/acme/api", "v2-crash")
        await world.says(ANN, "deploy api v2-crash staging")
        await world.finishes()
        await world.passes(timedelta(hours=5))
        said = await answer(world, "why api staging")
        assert "failed, and the version before is back, 5h" in said
        assert "CrashLoopBackOff" in said


async def test_why_names_who_paused_it(world: World) -> None:
    """And both ways on."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        await world.says(BOB, 'pause api staging --reason "lunch"')
        said = await answer(world, "why api staging")
        assert "was paused by <@U0BOB>: lunch" in said
        assert "`/release resume api-staging-1` lets it go on, `/release abort api-staging-1` stops it" in said


async def test_status_tells_what_is_under_way_and_what_runs(world: World) -> None:
    """Since when, by whom, held by which run, and who waits."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        await world.finishes()
        await world.says(BOB, "deploy api v3 prod")
        await world.says(ANN, "deploy api v2 prod")
        said = await answer(world, "status")
        assert "`api-prod-1` deploy of *api* in *prod* to `v3`: running" in said
        assert "*api* in *staging* runs `v2` since 1" in said
        assert "held by `api-prod-1` · waiting: `api-prod-2`" in said


async def test_status_after_an_undone_release_tells_what_really_runs(world: World) -> None:
    """The version before, healthy again."""
    async with world:
        world.registry.push("registry.example/acme/api", "v2-crash")
        await world.says(ANN, "deploy api v2-crash staging")
        await world.finishes()
        said = await answer(world, "status api staging")
        assert "*api* in *staging* runs `v1`" in said
        assert "not healthy" not in said


async def test_history_tells_what_ran(world: World) -> None:
    """From when to when, brought by whom, and how it went."""
    async with world:
        for person, tag in ((ANN, "v2"), (BOB, "v3")):
            await world.says(person, f"deploy api {tag} staging")
            await world.finishes()
        said = (await answer(world, "history api staging")).splitlines()
        assert said[1].startswith("`v3` in *staging* from 09:00 UTC, still running, healthy, by <@U0BOB>")
        assert said[2].startswith("`v2` in *staging* from 09:00 UTC, for 1")


async def test_plan_shows_what_was_sealed(world: World) -> None:
    """The same seal as on the ballot, read aloud."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        said = await answer(world, "plan api prod")
        assert (await world.newest()).sealed_plan().seal in said
        assert "2 votes from @release-approvers within 30m, to be used within 30m" in said
        assert "If it fails after something changed: back to `v1`, without another vote:" in said


async def test_a_dry_run_shows_the_plan_and_starts_nothing(world: World) -> None:
    """Nobody is asked, nothing stands in the channel, no run is stored."""
    async with world:
        said = await answer(world, "deploy api v2 prod --dry-run")
        assert "Nothing was started, and nobody was asked." in said
        assert "from `v1` (health unrecorded) to `v2`" in said
        assert world.workspace.messages == []
        async with world.store.transaction() as tx:
            assert await tx.runs() == []


async def test_a_dry_run_and_the_deploy_have_the_same_seal(world: World) -> None:
    """What was shown is what would be asked about."""
    async with world:
        await world.says(ANN, "deploy api v2 prod --dry-run")
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        seal = (await world.newest()).sealed_plan().seal
        assert f"seal `{seal}`" in world.workspace.whispers(ANN)[0]
        assert f"seal `{seal}`" in world.live()


async def test_help_lists_every_verb(world: World) -> None:
    """An empty line asks for it, too."""
    async with world:
        assert await answer(world, "help") == await answer(world, "")
        assert "`/rollback &lt;service&gt; &lt;environment&gt;" in await answer(world, "help rollback")


async def test_audit_tells_who_let_it_through(world: World) -> None:
    """In order, with the votes, and what came of it; and how to get evidence of it."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await world.reacts(BOB, "white_check_mark")
        await world.reacts(CID, "white_check_mark")
        await world.finishes()
        said = await answer(world, "audit api-prod-1")
    heads = [
        "`api-prod-1`, deploy of *api* in *prod*, succeeded. `sluice audit export api-prod-1` writes it all down",
        "<@U0ANN> asked: `deploy api v2 prod`",
        "planned and sealed: `",
        "@release-approvers asked for 2 votes on `",
        "approved by <@U0BOB>, <@U0CID>",
        ":white_check_mark: `set_image`",
        "ended: succeeded",
    ]
    places = [said.find(head) for head in heads]
    assert places == sorted(places), said
    assert -1 not in places, said


async def test_audit_tells_who_stopped_it_and_why(world: World) -> None:
    """And that the ballot counts no more."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await world.says(BOB, 'abort api-prod-1 --reason "wrong *build*"')
        await world.passes(5 * SECOND)
        said = await answer(world, "audit api prod")
    assert "<@U0BOB> stopped it: wrong" in said
    assert "ended: aborted" in said
