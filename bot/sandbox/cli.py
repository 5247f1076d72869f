"""`sluice sandbox`: the one command that needs no account."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.adapters.system_clock import SystemClock
from bot.cli import run
from bot.domain.errors import SetupError
from bot.sandbox.session import sandbox as sandboxed
from bot.sandbox.tour import TOUR_RATE
from bot.sandbox.tour import tour as played

PORT = Annotated[int, typer.Option(help="The page's port; a free one where none is given.", min=0, max=65535)]
FOLDER = Annotated[
    Path | None, typer.Option(help="Keep everything there, to go on from at the next start; else it goes at the end.")
]


TOUR = Annotated[
    bool, typer.Option("--tour", help="Play a release here in the terminal, with everything that can happen to it.")
]
INTERRUPTED = 130


def sandbox(port: PORT = 0, folder: FOLDER = None, tour: TOUR = False) -> None:  # noqa: FBT002 - an option of a command
    """A channel, a cluster and the bot on this machine, in a page: no Slack, no cluster, no token. Ctrl-C ends it."""

    async def work() -> bool:
        good = await _until_ended(_toured(folder) if tour else _serve(folder, port))
        if good is None and tour:
            raise typer.Exit(INTERRUPTED)
        return good is not False

    run(work())


async def _serve(folder: Path | None, port: int) -> bool:
    with ExitStack() as stack:
        async with sandboxed(_place(folder, stack), port=port) as made:
            typer.echo(f"\n  The sandbox is ready:  {made.url}\n")
            typer.echo(f"  Its files are in {made.folder}: sluice.yaml, runbooks/, kubeconfig, bot.log.")
            typer.echo("  Ctrl-C ends it.")
            await asyncio.Event().wait()
    return True


async def _toured(folder: Path | None) -> bool:
    console = Console()
    with ExitStack() as stack:
        place = _place(folder, stack)
        if (place / "sluice.db").exists():
            raise SetupError(f"{place} has a history already, and the tour begins with none; choose an empty --folder")
        async with AsyncExitStack() as inside:
            with console.status("The bot and what is around it are starting."):
                made = await inside.enter_async_context(sandboxed(place, rate=TOUR_RATE))
            good = await played(made, console, SystemClock())
        if not good:
            stack.pop_all()  # whoever looks for the reason needs the log
        if folder or not good:
            console.print(Text(f"Its files are in {place}."), soft_wrap=True)
    return good


def _place(folder: Path | None, stack: ExitStack) -> Path:
    """The folder that was asked for, or one that goes with the stack."""
    if folder is not None:
        return _made(folder)
    made = Path(mkdtemp(prefix="sluice-sandbox-")).resolve()
    stack.callback(rmtree, made)
    return made


async def _until_ended(work: Coroutine[Any, Any, bool]) -> bool | None:
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


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(f"{folder} cannot be used as a folder: {exc.strerror}") from exc
    return folder.resolve()


def add(app: typer.Typer) -> None:
    """Add the commands of this layer to those of the house."""
    app.command()(sandbox)
