"""`sluice sandbox` and `sluice simulate`: what needs no account."""

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

from bot import logs
from bot.adapters.system_clock import SystemClock
from bot.cli import run
from bot.domain.errors import SetupError
from bot.sandbox.fast_tour import fast_tour
from bot.sandbox.rehearsal import paced
from bot.sandbox.scenarios import Scenario
from bot.sandbox.session import sandbox as sandboxed
from bot.sandbox.simulate import Asked, usual
from bot.sandbox.simulate import simulate as simulated
from bot.sandbox.tour import TOUR_RATE
from bot.sandbox.tour import tour as played
from bot.sandbox.transcript import Format, verdict, write
from bot.settings import Settings
from runbooks.configuration import load

PORT = Annotated[int, typer.Option(help="The page's port; a free one where none is given.", min=0, max=65535)]
FOLDER = Annotated[
    Path | None, typer.Option(help="Keep everything there, to go on from at the next start; else it goes at the end.")
]


TOUR = Annotated[
    bool, typer.Option("--tour", help="Play a release here in the terminal, with everything that can happen to it.")
]
FAST = Annotated[bool, typer.Option("--fast", help="The tour in compressed time: seconds in place of minutes.")]
INTERRUPTED = 130


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
        good = await _until_ended(_toured(folder, fast=fast) if tour else _serve(folder, port))
        if good is None and tour:
            raise typer.Exit(INTERRUPTED)
        return good is not False

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
        path = Settings.read().config
        written = load(path) if path.exists() else usual()
        names = sorted(written.runbooks) if runbook == "all" else [runbook]
        found = []
        for name in names:
            asked = Asked(name, tuple(scenario or Scenario), service, environment)
            found += await simulated(written, asked, pace=paced(speed))
        if not quiet:
            typer.echo(write(found, form))
        if quiet or (form is not Format.JSON and len(found) > 1):
            typer.echo("\n" + "\n".join(verdict(each) for each in found))
        return all(each.is_good for each in found)

    run(work())


async def _serve(folder: Path | None, port: int) -> bool:
    with ExitStack() as stack:
        async with sandboxed(_place(folder, stack), port=port) as made:
            typer.echo(f"\n  The sandbox is ready:  {made.url}\n")
            typer.echo(f"  Its files are in {made.folder}: sluice.yaml, runbooks/, kubeconfig, bot.log.")
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
    app.command()(simulate)
