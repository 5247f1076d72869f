"""The bot beside the sandbox: `sluice serve` in a process of its own, with nothing but other addresses.

It can be killed as by `kill -9` and is started again, as a cluster would do with its pod.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

from bot.domain.errors import SetupError
from bot.sandbox.loopback import HOST

AGAIN_S = 1.5
"""How long a process that ended stays away before it is started again."""

MOST_FALLS = 5
"""Ends in a row, each before it served, after which there is no point in another try."""

PATIENCE_S = 10.0
LINES_KEPT = 400
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG, prctl(2)


class BotState(StrEnum):
    """Where the process stands."""

    STARTING = "starting"
    SERVING = "serving"
    DOWN = "down"


class BotProcess:
    """Keeps one `sluice serve` alive. `on_serving` is told its address each time that it serves; `log` holds the last
    lines that it wrote, and the file `bot.log` in the folder all of them."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, on_serving: Callable[[str], None]) -> None:
        self.state = BotState.STARTING
        self.kills = 0
        self.log: deque[str] = deque(maxlen=LINES_KEPT)
        self._environment = {**_inherited(), **environment}
        self._log_file = folder / "bot.log"
        self._on_serving = on_serving
        self._serves = asyncio.Event()
        self._stopping = False
        self._falls = 0
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves when the block begins; nothing runs when it has ended. Raises SetupError with the process's own last
        words when it does not come up."""
        keeper = asyncio.create_task(self._keep())
        try:
            await self.serves()
            yield
        finally:
            self._stopping = True
            await self._stop()
            keeper.cancel()
            await asyncio.wait([keeper])

    async def serves(self) -> None:
        """Wait until it serves. Raises SetupError when it never does."""
        await self._serves.wait()
        if self._falls >= MOST_FALLS:
            raise SetupError(f"the bot does not come up; it said last: {self.log[-1] if self.log else 'nothing'}")

    def kill(self) -> None:
        """End it at once, wherever it is; it is started again. Nothing happens while it is not there."""
        if self._process is not None and self._process.returncode is None:
            self.kills += 1
            self.state = BotState.DOWN
            self._serves.clear()
            self._process.kill()

    async def _keep(self) -> None:
        with self._log_file.open("a", encoding="utf-8") as written:
            while not self._stopping and self._falls < MOST_FALLS:
                self.state = BotState.STARTING
                await self._live(written)
                self.state = BotState.DOWN
                self._serves.clear()
                await asyncio.sleep(AGAIN_S)
        self._serves.set()

    async def _live(self, written: IO[str]) -> None:
        """One life, from start to end."""
        self._falls += 1
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve",
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the sandbox, which ends it in order
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )  # fmt: skip
        assert self._process.stderr is not None  # it was asked for above
        async for line in self._process.stderr:
            self._hear(line.decode(errors="replace").rstrip("\n"), written)
        await self._process.wait()

    def _hear(self, line: str, written: IO[str]) -> None:
        self.log.append(line)
        written.write(f"{line}\n")
        written.flush()
        if (port := _port(line)) is not None and not self._stopping:
            self._falls = 0
            self.state = BotState.SERVING
            self._on_serving(f"http://{HOST}:{port}")
            self._serves.set()

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _port(line: str) -> int | None:
    """Where it serves, if that is what a line of its log says."""
    try:
        said = json.loads(line)
    except ValueError:
        return None  # a traceback's line, or a library's
    return int(said["port"]) if isinstance(said, dict) and said.get("event") == "serving" else None


def _inherited() -> dict[str, str]:
    """The environment without what names other servers or another installation."""
    ours = ("SLUICE_", "SLACK_", "KUBECONFIG", "KUBERNETES_")
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    return {key: value for key, value in os.environ.items() if not key.startswith(ours) and key.lower() not in proxies}


def _die_with_parent() -> None:
    # So that not even a sandbox that was killed leaves a bot behind.
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
