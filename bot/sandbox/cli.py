"""`sluice sandbox`: the one command that needs no account."""

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bot.cli import run
from bot.domain.errors import SetupError
from bot.sandbox.session import sandbox as sandboxed

PORT = Annotated[int, typer.Option(help="The page's port; a free one where none is given.", min=0, max=65535)]
FOLDER = Annotated[
    Path | None, typer.Option(help="Keep the database, the catalogue and the bot's log there; else they go at the end.")
]


def sandbox(port: PORT = 0, folder: FOLDER = None) -> None:
    """A channel, a cluster and the bot on this machine, in a page: no Slack, no cluster, no token. Ctrl-C ends it."""

    async def work() -> bool:
        with ExitStack() as stack:
            place = folder or Path(stack.enter_context(TemporaryDirectory(prefix="sluice-sandbox-")))
            await _serve(_made(place), port)
        return True

    run(work())


async def _serve(folder: Path, port: int) -> None:
    async with sandboxed(folder, port=port) as made:
        typer.echo(f"\n  The sandbox is ready:  {made.url}\n")
        typer.echo(f"  Its files are in {made.folder}: sluice.yaml, runbooks/, kubeconfig, bot.log.")
        typer.echo("  Ctrl-C ends it.")
        await _until_ended()


async def _until_ended() -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(f"{folder} cannot be used as a folder: {exc.strerror}") from exc
    return folder.resolve()


def add(app: typer.Typer) -> None:
    """Add the commands of this layer to those of the house."""
    app.command()(sandbox)
