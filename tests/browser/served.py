"""`sluice sandbox` in a process of its own, as somebody at a terminal would start it."""

import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_S = 60.0
END_S = 20.0
ADDRESS = re.compile(rb"ready:\s+(http://\S+)")
ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path, *, port: int = 0) -> Iterator[str]:
    """The page's address; the process has ended when the block has. `port` 0: a free one. Raises TimeoutExpired when it
    did not end in order."""
    command = [sys.executable, "-m", "bot", "sandbox", "--folder", str(folder), "--port", str(port)]
    with (
        (folder / "sandbox.log").open("wb") as faults,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=faults) as process,
    ):
        try:
            yield _address(process, folder)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    """What it prints when it is ready. Raises AssertionError with its own words when it does not come up in time."""
    assert process.stdout is not None  # it was asked for
    until, said = time.monotonic() + READY_S, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not (found := ADDRESS.search(said)):
            assert selector.select(until - time.monotonic()), f"not ready after {READY_S:.0f} s: {said.decode()}"
            piece = process.stdout.read1(4096)  # type: ignore[union-attr]
            assert piece, f"it ended: {said.decode()} {(folder / 'sandbox.log').read_text()}"
            said += piece
    return found.group(1).decode()
