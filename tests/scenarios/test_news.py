"""What a release brings: those who vote read it, those who wrote it are told when it is live."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import CATALOGUE, REPOSITORY, World

SECOND = timedelta(seconds=1)
SOURCE = "github.com/acme/api"
REVISION = "org.opencontainers.image.revision"
KNOWN = CATALOGUE.replace("    workload: deployment/api\n", f"    repository: {SOURCE}\n    workload: deployment/api\n")
WITH_PEOPLE = f"{KNOWN}\npeople: {{bob: U0BOB}}\n"


@pytest.fixture
def world(tmp_path: Path, template: Path) -> World:
    """api's repository is known, and so is who bob is in Slack."""
    return World(tmp_path, template, catalogue=WITH_PEOPLE)


def pushed(world: World, tag: str, commit: str) -> None:
    """An image that was built from that commit."""
    world.registry.push(REPOSITORY, tag, labels={REVISION: commit})


async def running(world: World, commit: str, tag: str = "b1") -> None:
    """staging and prod run what was built from it."""
    pushed(world, tag, commit)
    for environment in ("staging", "prod"):
        await world.says(ANN, f"deploy api {tag} {environment}")
        if environment == "prod":
            await approved(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def approved(world: World) -> None:
    """Two people say yes."""
    await world.passes(5 * SECOND)
    for person in (BOB, CID):
        await world.reacts(person, "white_check_mark")


async def test_votes_are_given_on_what_changes(world: World) -> None:
    """The message counts the commits, the thread lists them, and their authors hear of it when they are live."""
    async with world:
        first = world.commits.commit(SOURCE, "Begin")
        await running(world, first)
        world.commits.commit(SOURCE, "Sort by name (#41)", author="bob")
        last = world.commits.commit(SOURCE, "Answer <b>faster</b> (#42)", author="dave")
        pushed(world, "b2", last)
        await world.says(ANN, "deploy api b2 prod")
        await world.passes(5 * SECOND)
        assert f"<https://{SOURCE}/compare/{first}...{last}|2 commits> by `bob`, `dave` · image" in world.live()
        brings = next(text for text in world.thread() if text.startswith("*What it brings:*"))
        assert brings.splitlines()[1:] == [
            f"• <https://{SOURCE}/pull/41|#41> Sort by name, <@U0BOB>",
            f"• <https://{SOURCE}/pull/42|#42> Answer &lt;b&gt;faster&lt;/b&gt;, `dave`",
        ]
        await approved(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        told = world.thread()[-1]
        assert "*Live now:*" in told
        assert "Sort by name, <@U0BOB>" in told


async def test_a_way_back_says_what_it_leaves_behind(world: World) -> None:
    """And calls nobody to look at what is live."""
    async with world:
        first = world.commits.commit(SOURCE, "Begin")
        last = world.commits.commit(SOURCE, "Sort by name (#41)", author="bob")
        await running(world, first)
        pushed(world, "b2", last)
        await world.says(ANN, "deploy api b2 staging")
        await world.finishes()
        await world.says(ANN, "rollback api staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert any("*back* by <https://" in text for text in edits(world))
        assert any(text.startswith("*It leaves behind:*") for text in world.thread())
        assert "Live now" not in world.thread()[-1]


async def test_a_server_that_is_away_holds_up_nothing(world: World) -> None:
    """The plan says that nobody could list the changes, and goes on."""
    async with world:
        first = world.commits.commit(SOURCE, "Begin")
        await running(world, first)
        pushed(world, "b2", world.commits.commit(SOURCE, "Sort by name (#41)"))
        world.commits.down = True
        await world.says(ANN, "deploy api b2 staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert any("what changes could not be listed: GitHub main cannot be reached" in text for text in edits(world))


async def test_a_branch_of_its_own_is_a_risk(world: World) -> None:
    """It lacks what runs now: people see that before they say yes."""
    async with world:
        first = world.commits.commit(SOURCE, "Begin")
        await running(world, world.commits.commit(SOURCE, "On main"))
        pushed(world, "b2", world.commits.commit(SOURCE, "Aside", on=first))
        await world.says(ANN, "deploy api b2 prod")
        await world.passes(5 * SECOND)
        assert ":warning: it lacks commits of what runs now: their histories have diverged" in world.live()


async def test_without_a_commit_nothing_is_said(world: World) -> None:
    """An image that does not say what it was built from."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert not any("commit" in text for text in world.thread())


def edits(world: World) -> list[str]:
    """All that the release messages have ever said."""
    return [one.text for message in world.workspace.messages for one in (message.content, *message.edits)]


async def answer(world: World, line: str) -> str:
    """cid asks; the private answer."""
    await world.says(CID, line)
    await world.passes(SECOND)
    return world.workspace.whispers(CID)[-1]


@pytest.mark.parametrize("line", ["diff api b2 prod", "diff api staging prod", "diff prod api b2"])
async def test_diff_tells_what_would_come(world: World, line: str) -> None:
    """Of a version, or of what another environment runs already; and how to ask for it. Nothing is started."""
    async with world:
        first = world.commits.commit(SOURCE, "Begin")
        await running(world, first)
        world.commits.commit(SOURCE, "Sort by name (#41)", author="bob")
        last = world.commits.commit(SOURCE, "Answer *faster* (#42)", author="dave")
        pushed(world, "b2", last)
        await world.says(ANN, "deploy api b2 staging")
        await world.finishes()
        said = (await answer(world, line)).splitlines()
        assert said[0].startswith("*api* in *prod* runs `b1` (")
        assert said[0].endswith("; `b2` would run in its place.")
        assert said[1:5] == [
            "It brings 2 commits by <@U0BOB>, `dave`:",
            "• #41 Sort by name, <@U0BOB>",
            "• #42 Answer ∗faster∗, `dave`",
            f"All of it: https://{SOURCE}/compare/{first}...{last}",
        ]
        assert said[-1].endswith(" asks for it; `--dry-run` behind it shows the plan.")
        assert (await world.newest()).id == "api-staging-2"


async def test_a_title_without_end_leaves_room_for_the_others(world: World) -> None:
    """Nobody limits the first line of a commit."""
    async with world:
        await running(world, world.commits.commit(SOURCE, "Begin"))
        world.commits.commit(SOURCE, f"{'long ' * 1000}(#40)")
        pushed(world, "b2", world.commits.commit(SOURCE, "Sort by name (#41)"))
        said = await answer(world, "diff api b2 prod")
        assert f"• #40 {('long ' * 1000)[:119]}…" in said
        assert "• #41 Sort by name" in said


async def test_diff_counts_what_it_does_not_list(world: World) -> None:
    """Nobody takes the first twenty for all there are."""
    async with world:
        await running(world, world.commits.commit(SOURCE, "Begin"))
        for number in range(22):
            world.commits.commit(SOURCE, f"Step (#{number + 40})")
        pushed(world, "b2", world.commits.commit(SOURCE, "Sort by name (#99)"))
        said = (await answer(world, "diff api b2 prod")).splitlines()
        assert said[22] == "… and 3 more"
        assert "#99" not in "\n".join(said[:22])


async def test_diff_of_what_goes_back(world: World) -> None:
    """The same commits, the other way."""
    async with world:
        first = world.commits.commit(SOURCE, "Begin")
        pushed(world, "b0", first)
        await running(world, world.commits.commit(SOURCE, "Sort by name (#41)", author="bob"))
        assert "It goes back by 1 commit by <@U0BOB>:" in await answer(world, "diff api b0 prod")


async def test_diff_says_when_nothing_is_known(world: World) -> None:
    """And what could be done about it."""
    async with world:
        assert "What lies between them is not known" in await answer(world, "diff api v2 prod")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "diff api",
            "`diff` compares a version with what runs somewhere. Write `/release diff &lt;service&gt; &lt;ref&gt;",
        ),
        ("diff api latest prod", "`latest` is a name that everybody moves"),
        ("diff api prod prod", "`prod` is named twice. Write `/release diff &lt;service&gt; &lt;from&gt; &lt;to&gt;`."),
        ("diff web v9 prod --reason x", "`diff` has no `--reason`"),
    ],
)
async def test_slips_of_diff_are_told_with_their_fix(world: World, line: str, said: str) -> None:
    """As everywhere."""
    async with world:
        assert said in await answer(world, line)


async def test_a_dry_run_tells_what_it_would_bring(world: World) -> None:
    """Below the plan."""
    async with world:
        await running(world, world.commits.commit(SOURCE, "Begin"))
        pushed(world, "b2", world.commits.commit(SOURCE, "Sort by name (#41)", author="bob"))
        assert "• #41 Sort by name, <@U0BOB>" in await answer(world, "deploy api b2 prod --dry-run")
