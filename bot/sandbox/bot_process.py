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
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO

from bot.domain.errors import SetupError
from bot.sandbox.loopback import HOST

COMMAND = (sys.executable, "-P", "-m", "bot")
"""`sluice`, of the same code as this process; `-P`: whatever lies where it is started."""

AGAIN_S = 1.5
"""How long a process that ended stays away before it is started again."""

PATIENCE_S = 10.0
"""How long it may take to end in order."""

OWN_ERROR = "sluice: "
"""What a command's error begins with."""

LINES_KEPT = 400
LONGEST_LINE = 1 << 20
"""Bytes of a line of its log; longer ones would be cut off."""

DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG, prctl(2)
LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec it is too late for anything that takes a lock


class BotState(StrEnum):
    """Where the process stands."""

    STARTING = "starting"
    SERVING = "serving"
    DOWN = "down"


class BotProcess:
    """Keeps one `sluice serve` alive. `on_serving` is told its address each time that it serves; `log` holds the last
    lines that it wrote, and `log_file` in the folder all of them. `kills` counts those that were asked for."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, on_serving: Callable[[str], None]) -> None:
        self.state = BotState.STARTING
        self.kills = 0
        self.log: deque[str] = deque(maxlen=LINES_KEPT)
        self.log_file = folder / "bot.log"
        self.environment = {**_inherited(), **environment}
        self._on_serving = on_serving
        self._serves = asyncio.Event()
        self._has_served = False
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process that there is now; `None` while there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves when the block begins; nothing runs when it has ended.

        Raises SetupError with the process's own last words when it ends before it has served for the first time. Later
        it is started again however often it ends: what keeps it down may be mended meanwhile.
        """
        keeper, serving = asyncio.create_task(self._keep()), asyncio.create_task(self._serves.wait())
        try:
            await asyncio.wait({keeper, serving}, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                await keeper
            yield
        finally:
            self._stopping = True
            serving.cancel()
            await self._stop()
            keeper.cancel()
            await asyncio.wait([keeper])
            if not keeper.cancelled():
                keeper.result()  # what ended it, such as a full disk under the log, is not kept quiet

    async def serves(self) -> None:
        """Wait until it serves."""
        await self._serves.wait()

    def kill(self) -> None:
        """End it at once, wherever it is; it is started again. Nothing happens while it is not there."""
        if self._process is not None and self._process.returncode is None:
            self.kills += 1
            self._gone()
            self._process.kill()

    async def killed(self) -> None:
        """`kill`, and wait until the process has gone."""
        process = self._process
        self.kill()
        if process is not None:
            await process.wait()

    async def _keep(self) -> None:
        with self.log_file.open("ab", buffering=0) as written:
            while not self._stopping:
                self.state, kills = BotState.STARTING, self.kills
                await self._live(written)
                self._gone()
                if not self._has_served and self.kills == kills and not self._stopping:
                    raise SetupError(f"the bot does not come up; it said last: {_last_words(self.log)}")
                await asyncio.sleep(AGAIN_S)

    async def _live(self, written: IO[bytes]) -> None:
        """One life, from start to end."""
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND, "serve",
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is for the sandbox, which ends it in order
            preexec_fn=partial(_die_with_parent, os.getpid()) if sys.platform == "linux" else None,
        )  # fmt: skip
        assert self._process.stderr is not None  # it was asked for above
        async for line in self._process.stderr:
            self._hear(line.decode(errors="replace").rstrip("\n"), written)
        await self._process.wait()

    def _hear(self, line: str, written: IO[bytes]) -> None:
        self.log.append(line)
        try:
            written.write(f"{line}\n".encode())
        except OSError as exc:  # a full disk takes the log's room, not the bot's
            self.log.append(f"(the line above is not in {self.log_file.name}: {exc.strerror})")
        is_there = self._process is not None and self._process.returncode is None
        if (port := _port(line)) is not None and is_there and not self._stopping:
            self._has_served = True
            self.state = BotState.SERVING
            self._on_serving(f"http://{HOST}:{port}")
            self._serves.set()

    def _gone(self) -> None:
        self.state = BotState.DOWN
        self._serves.clear()

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
    """The environment without what names other servers or another installation, and with our own code first."""
    ours = ("SLUICE_", "SLACK_", "KUBECONFIG", "KUBERNETES_")
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours) and key.lower() not in proxies}
    places = [str(Path(__file__).parents[2]), kept.get("PYTHONPATH", "")]
    return kept | {"PYTHONPATH": os.pathsep.join(place for place in places if place)}


def _last_words(log: Sequence[str]) -> str:
    """What it said last: the error that it ended with, which may have several lines, or else its last line."""
    lines = list(log)
    begun = [number for number, line in enumerate(lines) if line.startswith(OWN_ERROR)]
    said = lines[begun[-1] :] if begun else lines[-1:]
    return "\n".join(said).removeprefix(OWN_ERROR) or "nothing"


def _die_with_parent(parent: int) -> None:
    # So that not even a sandbox that was killed leaves a bot behind.
    LIBC.prctl(DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it died before we asked to be told
