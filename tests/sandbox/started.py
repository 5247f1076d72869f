"""`sluice sandbox` as a person starts it: a process of its own, and what is left of it."""

import asyncio
import os
import select
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

READY = "is ready:"
WITHIN_S = 40


@dataclass(slots=True)
class Started:
    """The process; `url` is the page's, `bot` the pid of the bot beside it."""

    process: asyncio.subprocess.Process
    url: str
    bot: int


@asynccontextmanager
async def started(temporary: Path, *options: str) -> AsyncIterator[Started]:
    """A sandbox that is ready. Its temporary folder is made in `temporary`."""
    async with beginning(temporary, *options) as process:
        assert process.stdout is not None
        async for line in process.stdout:
            if READY in (said := line.decode()):
                break
        else:
            raise AssertionError("it was never ready")
        (bot,) = await first_children(process.pid)
        yield Started(process, said.split(READY)[1].strip(), bot)


@asynccontextmanager
async def beginning(temporary: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A sandbox that begins; it has ended when the block has."""
    async with asyncio.timeout(WITHIN_S):
        process = await _begun(temporary, options)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def ended(temporary: Path, *options: str) -> tuple[int, str]:
    """The exit status of a sandbox that ends by itself, and what it said about it."""
    async with asyncio.timeout(WITHIN_S):
        process = await _begun(temporary, options)
        _, wrong = await process.communicate()
    assert process.returncode is not None
    return process.returncode, wrong.decode()


async def first_children(pid: int) -> Sequence[int]:
    """The processes that a process started, once there are some: the kernel tells nobody, so it is asked again."""
    place = Path(f"/proc/{pid}/task/{pid}/children")
    while not (found := await asyncio.to_thread(place.read_text)):
        continue
    return [int(each) for each in found.split()]


def has_ended(pid: int, *, within_s: float) -> bool:
    """Whether a process ends within that time, or has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within_s)[0])
    finally:
        os.close(handle)


async def _begun(temporary: Path, options: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "sandbox", *options,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
