"""deploy."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.domain.errors import UnreachableError
from bot.domain.phase import Phase
from bot.domain.plan import Verb
from bot.domain.target import Target
from tests.commands.conversation import conversation
from tests.fakes.people import ANN
from tests.fakes.workspace import DEPLOYS
from tests.runbooks.catalogues import CATALOGUE, a_catalogue


async def test_a_deploy_starts_a_run(tmp_path: Path) -> None:
    """The answer names the run, what it is asked to do, and where to follow it."""
    async with conversation(tmp_path) as chat:
        assert await chat.says('deploy prod api 9f2c1e7 --reason "fixes the login" --runbook hotfix') == snapshot("""\
`api-prod-1`: deploy of *api* in *prod* to `9f2c1e7` is asked for.
Follow it in #deploys; `/release why api-prod-1` tells what it waits for.\
""")
        request = (await chat.run("api-prod-1")).request
        assert (request.verb, request.target, request.ref) == (Verb.DEPLOY, Target("api", "prod"), "9f2c1e7")
        assert (request.requester, request.reason, request.runbook) == (ANN, "fixes the login", "hotfix")
        assert (request.channel, request.break_glass, request.not_before) == (DEPLOYS, False, None)


async def test_a_deploy_behind_another_says_so(tmp_path: Path) -> None:
    """One run a target; the second waits for its turn."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        said = await chat.says("deploy api v2 prod")
        assert "It waits at place 1, behind `api-prod-1`, and begins by itself; `/release abort api-prod-2`" in said


async def test_a_deploy_can_begin_later(tmp_path: Path) -> None:
    """The time is in UTC and in the future; the answer tells how to take it back."""
    async with conversation(tmp_path) as chat:
        said = await chat.says("deploy api v1 prod --at 18:00")
        assert "It begins at 18:00 UTC; `/release abort api-prod-1` takes it back." in said
        assert (await chat.run("api-prod-1")).request.not_before == datetime(2026, 3, 2, 18, tzinfo=UTC)


@pytest.mark.parametrize("ref", ["latest", "main", "LATEST", "prod"])
async def test_a_name_that_everybody_moves_is_refused(tmp_path: Path, ref: str) -> None:
    """With a line that would do."""
    async with conversation(tmp_path) as chat:
        assert await chat.says(f"deploy api {ref} staging") == (
            f"`{ref}` is a name that everybody moves: it does not say what will run. "
            "Name a version, a commit or a digest, like `/deploy api v1.2.3 staging`."
        )
        assert await chat.runs() == []


@pytest.mark.parametrize("ref", ["ghcr.io/acme/api:v1", "sha256:123", "v1@sha256", "-x"])
async def test_what_is_no_reference_is_refused(tmp_path: Path, ref: str) -> None:
    """An image's name is known from the catalogue; only its version is typed."""
    async with conversation(tmp_path) as chat:
        assert f"`{ref}` is no tag, commit or digest." in await chat.says(f"deploy api {ref} staging")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("deploy api v1 prod --runbook hotfx", "There is no runbook 'hotfx'; did you mean 'hotfix'?"),
        ("deploy api v1 prod --at 08:00", "`--at 08:00` is in the past."),
        (
            "deploy api v1 prod --break-glass",
            'Breaking the glass needs a reason; it is told to everybody. Add `--reason "…"`.',
        ),
        (
            "deploy api v1 staging --break-glass --reason x",
            "Nobody is asked for staging, so there is no glass to break. Leave `--break-glass` out.",
        ),
    ],
)
async def test_a_slip_in_an_option_starts_nothing(tmp_path: Path, line: str, answer: str) -> None:
    """Each is answered with what to type instead."""
    async with conversation(tmp_path) as chat:
        assert answer in await chat.says(line)
        assert await chat.runs() == []


async def test_breaking_the_glass_is_asked_for_with_a_reason(tmp_path: Path) -> None:
    """Whether the person may is decided when it happens; the wish is in the request."""
    async with conversation(tmp_path) as chat:
        await chat.says('deploy api v1 prod --break-glass --reason "everything is down"')
        assert (await chat.run("api-prod-1")).request.break_glass


async def test_an_environment_without_a_break_glass_group_has_no_glass(tmp_path: Path) -> None:
    """Break-glass exists by policy only."""
    without = a_catalogue(CATALOGUE.replace('      break_glass: "@sre"\n', ""))
    async with conversation(tmp_path, without) as chat:
        said = await chat.says("deploy api v1 prod --break-glass --reason x")
        assert said.startswith("prod has no break-glass group: nobody may go on without votes.")


async def test_a_dry_run_shows_the_plan_and_starts_nothing(tmp_path: Path) -> None:
    """To the person alone, with everything that would happen."""
    async with conversation(tmp_path) as chat:
        telling = await chat.telling("deploy api v1 prod --dry-run")
        assert telling.to == ANN
        # Seal and hash follow from the library's text, which may change without this test.
        said = re.sub(
            r"seal `[0-9a-f-]{9}` · runbook deploy \(`[0-9a-f]{12}`\)",
            "seal `SEAL` · runbook deploy (`TEXT`)",
            telling.content.text,
        )
        assert said == snapshot("""\
This is what `/deploy api v1 prod` would do. Nothing was started, and nobody was asked.
deploy of *api* in *prod* (statefulset/api-main in special, cluster main)
from `v0` (2d ago, healthy) to `v1` (`sha256:111111111111`)
seal `SEAL` · runbook deploy (`TEXT`)
asked by <@U0ANN>
2 votes from @release-approvers within 20m, to be used within 1h
Gates, side by side:
1. The image must be in the registry, by digest, and be built from the commit that was asked for.
2. Nothing may freeze the environment, neither the calendar nor a person; looked at again before the change.
3. Nobody else may have locked the target; looked at again before the change.
Steps:
1. Ask the environment's approvers; go on when enough of them reacted with yes and none with no.
2. Tell the workload to run the artifact, by digest.
3. Follow the rollout until every pod runs the artifact and is available; fail as soon as it is hopeless.
4. Send the service’s smoke checks; all must answer as expected, within 3 attempts.
If it fails after something changed: back to `v0`, without another vote:
1. Bring back the version that ran before, and follow it until every pod is available.
2. Send the service’s smoke checks; all must answer as expected, within 3 attempts.\
""")
        assert await chat.runs() == []


async def test_a_dry_run_waits_for_a_server_that_is_down(tmp_path: Path) -> None:
    """Temporary faults are not answered; the invocation is tried again."""
    async with conversation(tmp_path) as chat:
        chat.planning.error = UnreachableError("the registry does not answer")
        with pytest.raises(UnreachableError):
            await chat.says("deploy api v1 prod --dry-run")


async def test_two_deploys_at_the_same_moment_are_in_order(tmp_path: Path) -> None:
    """The second knows its place before the first has taken the target."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        assert (await chat.run("api-prod-1")).phase is Phase.QUEUED
        assert "It waits at place 1, behind `api-prod-1`" in await chat.says("deploy api v2 prod")
        assert "It waits at place 2, behind `api-prod-1`" in await chat.says("deploy api v3 prod")
