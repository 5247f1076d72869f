"""`sluice doctor` and `sluice rbac` as they are typed."""

import asyncio
import json
import sys
from pathlib import Path

import yaml
from typer.testing import CliRunner, Result

from bot.cli import AREAS, app
from bot.doctor.finding import Area
from bot.sandbox.session import ENVIRONMENT, Sandbox, sandbox
from bot.slack.mrkdwn import plain
from tests.runbooks.catalogues import written

WITHIN_S = 30


def environment(folder: Path) -> dict[str, str]:
    """What a sandbox wrote for a shell."""
    return dict(line.split("=", 1) for line in (folder / ENVIRONMENT).read_text().splitlines())


async def typed(folder: Path, *words: str) -> Result:
    """A command beside a sandbox, with its environment."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment(folder))


async def well(folder: Path) -> None:
    """Ask until all is well: a level such as CPU has data from the second scrape on, a moment after the start."""
    async with asyncio.timeout(WITHIN_S):
        while "All well: " not in (found := await typed(folder, "doctor")).output:
            assert found.exit_code == 1
        assert found.exit_code == 0


async def said(made: Sandbox, words: str) -> None:
    """Wait until somebody says so in the channel."""
    slack = made.around.slack
    async with asyncio.timeout(WITHIN_S):
        while True:
            number = slack.changes.number
            shown = [m.text for room in slack.workspace.rooms.values() for m in room.messages.values()]
            if any(words in plain(text) for text in shown):
                return
            await slack.changes.moved(number)


async def test_a_sandbox_is_well_and_needs_no_more_rights_than_its_role(tmp_path: Path) -> None:
    """All of it, by the environment that the sandbox writes; then its bot releases with what `sluice rbac` prints."""
    async with sandbox(tmp_path) as made:
        await well(tmp_path)
        for role in yaml.safe_load_all((await typed(tmp_path, "rbac")).output):
            if role["kind"] == "Role":
                made.around.cluster.access.bind(role["metadata"]["namespace"], role["rules"])
        await made.around.slack.people.says("ann", "deploys", "/deploy api sha123 staging")
        await said(made, "`sha123` runs in staging")
        assert (await typed(tmp_path, "doctor", "cluster")).exit_code == 0
        made.around.slack.admins.removes_bot("deploys")
        found = await typed(tmp_path, "doctor", "slack", "--json")
        assert found.exit_code == 1
        assert [each["subject"] for each in json.loads(found.output)["findings"] if each["grade"] == "fault"] == [
            "#deploys"
        ]


def test_an_area_that_there_is_not(tmp_path: Path) -> None:
    """With the one that was meant."""
    result = CliRunner().invoke(app, ["doctor", "slak"], env={"SLUICE_CONFIG": str(written(tmp_path))})
    assert result.exit_code == 1
    assert result.stderr == "sluice: There is nothing called 'slak' to look at; did you mean 'slack'?\n"


def test_an_environment_that_is_not_right(tmp_path: Path) -> None:
    """A finding like others, also for scripts."""
    given = {"SLUICE_CONFIG": str(written(tmp_path)), "SLUICE_PORT": "many"}
    result = CliRunner().invoke(app, ["doctor", "--json"], env=given)
    (only,) = json.loads(result.output)["findings"]
    assert (result.exit_code, only["subject"]) == (1, "environment")


def test_a_slip_in_rbac_is_one_line(tmp_path: Path) -> None:
    """No YAML is printed then, that kubectl would take."""
    result = CliRunner().invoke(app, ["rbac", "--namespace", "prd"], env={"SLUICE_CONFIG": str(written(tmp_path))})
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did you mean 'prod'?" in result.stderr


def test_the_help_has_every_area() -> None:
    """Though it does not load them."""
    assert tuple(Area) == AREAS


async def test_only_the_doctor_loads_the_doctor(tmp_path: Path) -> None:
    """The other commands start without it."""
    script = (
        "import sys\nfrom bot.cli import app\n"
        "for command in ('check', 'doctor'):\n"
        "    try:\n        app([command], standalone_mode=False)\n    except BaseException:\n        pass\n"
        "    print(command, 'bot.doctor.finding' in sys.modules, file=sys.stderr)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script,
        env={"SLUICE_CONFIG": str(tmp_path / "none.yaml"), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, told = await process.communicate()
    assert {"check False", "doctor True"} <= set(told.decode().splitlines())
