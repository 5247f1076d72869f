"""The bot beside the sandbox: a real process that serves, dies, comes back, and never stays behind.

Nothing here sleeps: each wait is for an event of the process, and bounded.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.adapters.system_clock import SystemClock
from bot.domain.errors import SetupError
from bot.sandbox.bot_process import BotProcess, BotState
from bot.sandbox.slack.stand_in import SlackStandIn
from bot.store.database import Database
from tests.test_serving import CATALOGUE, KUBECONFIG

WITHIN_S = 30


class Log(deque[str]):
    """Lines, and who waits for one is woken."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = asyncio.Event()

    def append(self, line: str) -> None:
        """A line came."""
        super().append(line)
        self.rung.set()


@dataclass(slots=True)
class Beside:
    """A bot process next to a Slack, and where it was found, life by life."""

    bot: BotProcess
    found: list[str]
    log: Log

    async def said(self, word: str) -> None:
        """Wait until a line of its log has the word."""
        while not any(word in line for line in self.log):
            self.log.rung.clear()
            await self.log.rung.wait()


@asynccontextmanager
async def beside(folder: Path, catalogue: str = CATALOGUE) -> AsyncIterator[Beside]:
    """A bot that is not started yet."""
    slack = SlackStandIn(SystemClock())
    (folder / "kubeconfig").write_text(KUBECONFIG)
    (folder / "sluice.yaml").write_text(catalogue % (folder / "kubeconfig"))
    found: list[str] = []
    async with slack.serving() as api_url, asyncio.timeout(WITHIN_S):
        environment = {
            "SLACK_API_URL": api_url,
            "SLACK_BOT_TOKEN": slack.acme.app.token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLUICE_CONFIG": str(folder / "sluice.yaml"),
            "SLUICE_DATABASE_URL": f"sqlite:///{folder}/sluice.db",
            "SLUICE_HOST": "127.0.0.1",
            "SLUICE_PORT": "0",
        }
        bot = BotProcess(environment, folder, on_serving=found.append)
        bot.log = log = Log()
        yield Beside(bot, found, log)


def is_there(pid: int) -> bool:
    """Whether a process lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def is_healthy(url: str) -> bool:
    """Whether a server there says that it is well."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{url}/healthz")).text == "ok\n"


async def test_it_serves_inside_the_block_and_is_gone_after_it(tmp_path: Path) -> None:
    """It answers when the block begins; when the block has ended there is no such process."""
    async with beside(tmp_path) as scene:
        async with scene.bot.running():
            pid = scene.bot.pid
            assert pid is not None
            assert scene.bot.state is BotState.SERVING
            assert await is_healthy(scene.found[0])
        assert not is_there(pid)


async def test_a_full_disk_takes_the_logs_room_and_not_the_bots(tmp_path: Path) -> None:
    """It serves, is read on, and says what is missing in the file."""
    (tmp_path / "bot.log").symlink_to("/dev/full")
    async with beside(tmp_path) as scene, scene.bot.running():
        assert scene.bot.state is BotState.SERVING
        assert "(the line above is not in bot.log: No space left on device)" in scene.log


async def test_killed_it_comes_back_somewhere_else(tmp_path: Path) -> None:
    """After a kill it is another process, and says where it serves now; the file has the lines of both lives."""
    async with beside(tmp_path) as scene, scene.bot.running():
        before = scene.bot.pid
        await scene.bot.killed()
        assert before is not None
        assert not is_there(before)
        assert (scene.bot.state, scene.bot.pid) == (BotState.DOWN, None)
        await scene.bot.serves()
        assert scene.bot.pid != before
        assert scene.bot.kills == 1
        assert len(scene.found) == 2
        assert await is_healthy(scene.found[1])
        assert scene.bot.log_file.read_text().count('"event": "serving"') == 2


async def test_a_broken_catalogue_is_said_in_its_own_words(tmp_path: Path) -> None:
    """What the process says about it, whole; no second try, and no process left."""
    async with beside(tmp_path, f"{CATALOGUE}servces: {{}}\n") as scene:
        with pytest.raises(SetupError, match=r"(?s)the bot does not come up; it said last: .*servces"):
            async with scene.bot.running():
                pytest.fail("it serves though its catalogue is broken")
        assert scene.bot.pid is None
        assert scene.found == []


async def test_a_database_that_is_taken_is_said_in_its_own_words(tmp_path: Path) -> None:
    """Somebody else serves that database."""
    async with beside(tmp_path) as scene, Database(f"sqlite+aiosqlite:///{tmp_path}/sluice.db") as database:
        database.claim()
        with pytest.raises(SetupError, match=r"another `sluice serve` uses .*sluice\.db"):
            async with scene.bot.running():
                pytest.fail("it serves though its database is taken")
        assert scene.bot.pid is None


async def test_what_broke_it_later_can_be_mended(tmp_path: Path) -> None:
    """Once it has served it is started again until it comes up."""
    async with beside(tmp_path) as scene, scene.bot.running():
        good = (tmp_path / "sluice.yaml").read_text()
        (tmp_path / "sluice.yaml").write_text("broken: [\n")
        await scene.bot.killed()
        await scene.said("sluice: ")
        (tmp_path / "sluice.yaml").write_text(good)
        await scene.bot.serves()
        assert await is_healthy(scene.found[-1])


async def test_a_kill_while_it_starts_is_no_failure(tmp_path: Path) -> None:
    """Killed before it ever served, it is started again."""
    async with beside(tmp_path) as scene:
        up = asyncio.create_task(_served_once(scene.bot))
        await scene.said("recovered")
        scene.bot.kill()
        await up
        assert scene.bot.kills == 1
        assert len(scene.found) == 1


async def _served_once(bot: BotProcess) -> None:
    async with bot.running():
        assert bot.state is BotState.SERVING
