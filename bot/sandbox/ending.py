"""How work ends that somebody may interrupt: in order, with everything put away."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

Done = TypeVar("Done")

INTERRUPTED = 130
"""The exit status of what was interrupted."""


async def until_ended(work: Coroutine[Any, Any, Done]) -> Done | None:
    """Do the work until it is done or somebody wants it to end, which is `None`; it has put everything away then."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    asked = asyncio.Event()

    def end() -> None:
        if not asked.is_set():  # once: what is put away must not be interrupted
            asked.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await asyncio.wait({task})
    if task.cancelled():
        return None
    return task.result()
