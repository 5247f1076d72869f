"""`sluice sandbox` and `sluice simulate`: what needs no account."""

import asyncio
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bot import logs
from bot.cli import run
from bot.domain.errors import SetupError
from bot.sandbox.rehearsal import paced
from bot.sandbox.scenarios import Scenario
from bot.sandbox.session import sandbox as sandboxed
from bot.sandbox.simulate import Asked, unfit, usual
from bot.sandbox.simulate import simulate as simulated
from bot.sandbox.transcript import Format, verdict, write
from bot.settings import Settings
from runbooks.configuration import Configuration, load

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


RUNBOOK = Annotated[str, typer.Argument(help="The runbook's name; `all` for every one there is.")]
SCENARIO = Annotated[
    list[Scenario] | None, typer.Option(help="What happens to it; several times for several. Without: all of them.")
]
SERVICE = Annotated[str, typer.Option(help="Of the catalogue; its first one where none is given.")]
ENVIRONMENT = Annotated[str, typer.Option(help="Of the catalogue; its first protected one where none is given.")]
SPEED = Annotated[float, typer.Option(help="So many times as fast as real time; 0: as fast as it goes.", min=0.0)]
FORMAT = Annotated[Format, typer.Option("--format", help="How the transcript is written.")]
QUIET = Annotated[bool, typer.Option("--quiet", help="Only how each rehearsal ended.")]


def simulate(  # noqa: PLR0917 - the options of a command line, never called by position
    runbook: RUNBOOK,
    scenario: SCENARIO = None,
    service: SERVICE = "",
    environment: ENVIRONMENT = "",
    speed: SPEED = 0.0,
    form: FORMAT = Format.TEXT,
    quiet: QUIET = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Rehearse a runbook of the catalogue against stand-ins, in compressed time; exit status 1 if it does not end as a
    scenario demands. Without a catalogue the library's runbooks are rehearsed on a service of their own."""

    async def work() -> bool:
        logs.setup("CRITICAL", json=False)
        written = _written()
        names = sorted(written.runbooks) if runbook == "all" else [runbook]
        found = []
        for name in names:
            asked = Asked(name, tuple(scenario or Scenario), service, environment)
            if runbook == "all" and (why := unfit(written, asked)):
                typer.echo(f"sluice: {name} is left out: {why}", err=True)
                continue
            found += await simulated(written, asked, pace=paced(speed))
        if form is Format.JSON:
            typer.echo(write([replace(each, lines=()) for each in found] if quiet else found, form))
        else:
            verdicts = "\n".join(verdict(each) for each in found)
            typer.echo(verdicts if quiet else write(found, form) + (f"\n\n{verdicts}" if len(found) > 1 else ""))
        return all(each.is_good for each in found)

    run(work())


def _written() -> Configuration:
    """The catalogue; the library on a service of its own where there is none, and nobody has named one."""
    settings = Settings.read()
    if settings.config.exists() or "config" in settings.model_fields_set:
        return load(settings.config)
    return usual()


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
    app.command()(simulate)
