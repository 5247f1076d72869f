"""`sluice simulate`: a runbook of a catalogue, rehearsed."""

from dataclasses import replace
from typing import Annotated

import typer

from bot import logs
from bot.cli import run
from bot.sandbox.ending import INTERRUPTED, until_ended
from bot.sandbox.rehearsal import paced
from bot.sandbox.scenarios import ABOUT, Scenario
from bot.sandbox.simulate import Asked, unfit, usual
from bot.sandbox.simulate import simulate as simulated
from bot.sandbox.transcript import Format, Rehearsed, verdict, write
from bot.serving import settle_memory
from bot.settings import Settings
from runbooks.configuration import Configuration, load

ALL: tuple[str, ...] = ()
"""No names: every runbook there is."""

RUNBOOK = Annotated[str, typer.Argument(help="The runbook's name; `all` for every one there is.")]
SCENARIOS = " ".join(f"{scenario}: {about}" for scenario, about in ABOUT.items())
SCENARIO = Annotated[
    list[Scenario] | None,
    typer.Option(help=f"What happens to it; several times for several. Without: all of them. {SCENARIOS}"),
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
        settle_memory()
        names, scenarios = ALL if runbook == "all" else (runbook,), tuple(scenario or Scenario)
        found = await until_ended(_rehearsed(names, Asked(runbook, scenarios, service, environment), speed))
        if found is None:
            raise typer.Exit(INTERRUPTED)
        _tell(found, form, quiet=quiet)
        return all(each.is_good for each in found)

    run(work())


async def _rehearsed(names: tuple[str, ...], asked: Asked, speed: float) -> list[Rehearsed]:
    written, found = _written(), list[Rehearsed]()
    for name in names or sorted(written.runbooks):
        one = replace(asked, runbook=name)
        if not names and (why := unfit(written, one)):
            typer.echo(f"sluice: {name} is left out: {why}", err=True)
            continue
        found += await simulated(written, one, pace=paced(speed))
    return found


def _tell(found: list[Rehearsed], form: Format, *, quiet: bool) -> None:
    if form is Format.JSON:
        typer.echo(write([replace(each, lines=()) for each in found] if quiet else found, form))
        return
    verdicts = "\n".join(verdict(each) for each in found)
    typer.echo(verdicts if quiet else write(found, form) + (f"\n\n{verdicts}" if len(found) > 1 else ""))


def _written() -> Configuration:
    """The catalogue; the library on a service of its own where there is none, and nobody has named one."""
    settings = Settings.read()
    if settings.config.exists() or "config" in settings.model_fields_set:
        return load(settings.config)
    return usual()
