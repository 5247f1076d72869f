"""`sluice sandbox` and `sluice simulate`: what needs no account."""

import asyncio
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bot import logs
from bot.adapters.system_clock import SystemClock
from bot.cli import run
from bot.domain.errors import SetupError
from bot.sandbox.ending import INTERRUPTED, until_ended
from bot.sandbox.fast_tour import fast_tour
from bot.sandbox.session import sandbox as sandboxed
from bot.sandbox.simulate_cli import simulate
from bot.sandbox.tour import TOUR_RATE
from bot.sandbox.tour import tour as played

PORT = Annotated[int, typer.Option(help="The page's port; a free one where none is given.", min=0, max=65535)]
FOLDER = Annotated[
    Path | None, typer.Option(help="Keep everything there, to go on from at the next start; else it goes at the end.")
]


TOUR = Annotated[
    bool, typer.Option("--tour", help="Play a release here in the terminal, with everything that can happen to it.")
]
FAST = Annotated[bool, typer.Option("--fast", help="The tour in compressed time: seconds in place of minutes.")]


def sandbox(
    port: PORT = 0,
    folder: FOLDER = None,
    tour: TOUR = False,  # noqa: FBT002 - an option of a command
    fast: FAST = False,  # noqa: FBT002 - the same
) -> None:
    """A channel, a cluster and the bot on this machine, in a page: no Slack, no cluster, no token. Ctrl-C ends it."""

    async def work() -> bool:
        if fast and not tour:
            raise SetupError("--fast is for the tour: sluice sandbox --tour --fast")
        good = await until_ended(_toured(folder, fast=fast) if tour else _serve(folder, port))
        if good is None and tour:
            raise typer.Exit(INTERRUPTED)
        return good is not False

    run(work())


async def _serve(folder: Path | None, port: int) -> bool:
    with ExitStack() as stack:
        async with sandboxed(_place(folder, stack), port=port) as made:
            typer.echo(f"\n  The sandbox is ready:  {made.url}\n")
            typer.echo(f"  Its files are in {made.folder}: sluice.yaml, runbooks/, kubeconfig, bot.env, bot.log.")
            typer.echo("  Ctrl-C ends it.")
            await asyncio.Event().wait()
    return True


async def _toured(folder: Path | None, *, fast: bool) -> bool:
    console = Console()
    with ExitStack() as stack:
        place = _place(folder, stack)
        if (place / "sluice.db").exists():
            raise SetupError(f"{place} has a history already, and the tour begins with none; choose an empty --folder")
        good = await (_fast(place, console) if fast else _live(place, console))
        if not good:
            stack.pop_all()  # whoever looks for the reason needs the log
        if folder or not good:
            console.print(Text(f"Its files are in {place}."), soft_wrap=True)
    return good


async def _live(place: Path, console: Console) -> bool:
    async with AsyncExitStack() as inside:
        with console.status("The bot and what is around it are starting."):
            made = await inside.enter_async_context(sandboxed(place, rate=TOUR_RATE))
        return await played(made, console, SystemClock())


async def _fast(place: Path, console: Console) -> bool:
    logs.setup("CRITICAL", json=False)
    return await fast_tour(place, console)


def _place(folder: Path | None, stack: ExitStack) -> Path:
    """The folder that was asked for, or one that goes with the stack."""
    if folder is not None:
        return _made(folder)
    made = Path(mkdtemp(prefix="sluice-sandbox-")).resolve()
    stack.callback(rmtree, made)
    return made


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(f"{folder} cannot be used as a folder: {exc.strerror}") from exc
    return folder.resolve()


def add(app: typer.Typer) -> None:
    """Add the commands of this layer to those of the house."""
    app.command()(sandbox)
    app.command()(simulate)
