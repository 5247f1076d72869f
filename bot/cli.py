"""The command line: serve and migrate, check and explain, and the same verbs as in Slack."""

import asyncio
import getpass
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

from bot import logs
from bot.adapters.system_clock import SystemClock
from bot.audit import proven
from bot.domain.errors import SluiceError, UsageError
from bot.domain.ids import TERMINAL, RunId, UserId, terminal_user
from bot.domain.invocation import Invocation, Origin
from bot.evidence import compare
from bot.evidence import evidence as evidence_of
from bot.settings import Settings
from bot.store.database import Database
from bot.store.readiness import require_tables
from bot.terminal import Terminal
from runbooks.configuration import load
from runbooks.explain import explain as explained
from runbooks.lint import lint as linted
from runbooks.loader import load_library
from runbooks.source import Severity

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="A release bot.")
audit = typer.Typer(no_args_is_help=True, help="The hash-chained journal.")
app.add_typer(audit, name="audit")

WORDS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
BAD = 1

AREAS = ("catalogue", "database", "slack", "cluster", "registry", "metrics", "ci", "clock")
"""What `doctor` looks at. Its own list is not loaded for a line of help."""


def run(work: Coroutine[Any, Any, bool]) -> None:
    """Run one command; errors that a person can mend are a line on standard error and exit status 1."""
    try:
        good = asyncio.run(work)
    except SluiceError as exc:
        typer.echo(f"sluice: {exc}", err=True)
        raise typer.Exit(BAD) from exc
    except KeyboardInterrupt as exc:
        raise typer.Exit(130) from exc
    if not good:
        raise typer.Exit(BAD)


@app.command()
def serve() -> None:
    """Serve: listen to Slack, move runs, deliver messages. Ends at SIGTERM."""
    from bot.serving import serve as serve_forever  # the other commands reach no server, and start in half the time

    async def work() -> bool:
        settings = Settings.read()
        logs.setup(settings.log_level, json=settings.log_json)
        await serve_forever(settings)
        return True

    run(work())


@app.command()
def migrate() -> None:
    """Bring the database's tables to this version."""

    async def work() -> bool:
        async with Database(Settings.read().database_url) as database:
            await database.migrate()
        typer.echo("The database is up to date.")
        return True

    run(work())


@app.command()
def check() -> None:
    """Check the catalogue and the runbooks it names; all faults at once, exit status 1 if there are any."""

    async def work() -> bool:
        path = Settings.read().config
        found = load(path)
        services, environments = len(found.catalogue.services), len(found.catalogue.environments)
        typer.echo(
            f"{path}: {services} services, {environments} environments, {len(found.runbooks)} runbooks: no fault."
        )
        return True

    run(work())


@app.command()
def lint(paths: Annotated[list[Path], typer.Argument(help="runbook files, folders, or sluice.yaml")]) -> None:
    """Lint runbooks: faults and warnings with file, line and column; exit status 1 if there is a fault."""

    async def work() -> bool:
        findings = [finding for path in paths for finding in linted(path)]
        for finding in findings:
            typer.echo(str(finding))
        faults = [finding for finding in findings if finding.severity is Severity.ERROR]
        typer.echo(f"{len(faults)} faults, {len(findings) - len(faults)} warnings.", err=True)
        return not faults

    run(work())


@app.command()
def explain(runbook: Annotated[str, typer.Argument(help="a runbook's name")]) -> None:
    """Read a runbook aloud: Markdown with a diagram."""

    async def work() -> bool:
        path = Settings.read().config
        runbooks = load(path).runbooks if path.exists() else load_library()
        if runbook not in runbooks:
            typer.echo(f"sluice: there is no runbook '{runbook}'; there are {', '.join(sorted(runbooks))}", err=True)
            return False
        text = explained(runbooks[runbook])
        if sys.stdout.isatty():
            Console().print(Markdown(text))
        else:
            typer.echo(text)
        return True

    run(work())


@app.command()
def doctor(
    areas: Annotated[list[str] | None, typer.Argument(help=f"what to look at; all of {', '.join(AREAS)}")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - an option of a command
) -> None:
    """Look whether all is set up: tokens, scopes, channels, groups, rights, workloads, queries; each fault is named
    with its fix. Changes nothing. Exit status 1 if there is a fault, or something that could not be looked at."""
    from bot.doctor.consultation import consulted  # it loads every adapter, which the other commands need not wait for

    run(consulted(areas or (), as_json=as_json))


@app.command()
def rbac(
    cluster: Annotated[str | None, typer.Option(help="Of this cluster; needed where there are several.")] = None,
    namespace: Annotated[str | None, typer.Option(help="For this namespace alone.")] = None,
    account: Annotated[
        str, typer.Option(help="The service account of Sluice: its namespace and name.")
    ] = "sluice/sluice",
) -> None:
    """Print the rights that the catalogue needs, for `kubectl apply -f -`: a Role with its binding a namespace."""
    from bot.doctor.roles import Account, roles  # the same

    async def work() -> bool:
        found = load(Settings.read().config)
        typer.echo(roles(found, account=Account.parse(account), cluster=cluster, namespace=namespace), nl=False)
        return True

    run(work())


@audit.command()
def verify(
    evidence: Annotated[Path | None, typer.Argument(help="a file that `sluice audit export` wrote")] = None,
) -> None:
    """Prove that no entry of the journal was changed or dropped, and that evidence says what the journal says."""

    async def work() -> bool:
        async with _journal() as database:
            typer.echo(await proven(database))
            if evidence:
                typer.echo(await compare(database, _text_of(evidence)))
        return True

    run(work())


@audit.command()
def export(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="such as api-prod-42")],
    out: Annotated[Path | None, typer.Option(help="Write it there, and not to standard output.")] = None,
) -> None:
    """Write the evidence of a release, an in-toto statement: image, plan, votes, steps, its part of the journal."""

    async def work() -> bool:
        async with _journal() as database:
            written = json.dumps(await evidence_of(database, RunId(run_id), SystemClock().now()), indent=2)
        if out is None:
            typer.echo(written)
        else:
            _write_new(out, f"{written}\n")
        return True

    run(work())


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}.") from exc


def _write_new(path: Path, text: str) -> None:
    """Evidence that is there is never written over."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as exc:
        raise UsageError(f"{path} is there already.", hint="Name another file, or remove that one.") from exc
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc}.") from exc


@asynccontextmanager
async def _journal() -> AsyncIterator[Database]:
    url = Settings.read().database_url
    await require_tables(url)
    async with Database(url) as database:
        yield database


def asks(verb: str, summary: str) -> None:
    """Add a verb that is asked through the database, with the words as typed."""

    def ask(context: typer.Context) -> None:
        run(_asked([verb, *context.args] if verb != "release" else context.args))

    app.command(verb, help=summary, context_settings=WORDS)(ask)


asks("deploy", "Deploy: sluice deploy <service> <ref> <environment>; follows the run.")
asks(
    "rollback",
    "Roll back: sluice rollback <service> <environment> to <ref>; follows the run. Without to: the last good one.",
)
asks("canary", "Canary: sluice canary <service> <ref> <environment>; follows the run. Without <ref>: how it stands.")
asks("promote", "Promote: sluice promote <service> <from> <to>; follows the run. Without <from>: let a canary go on.")
asks("release", "Everything else: sluice release status | why | history | plan | abort | pause | resume | help …")


async def _asked(words: list[str]) -> bool:
    settings = Settings.read()
    clock = SystemClock()
    here = os.environ.get("SUDO_USER") or getpass.getuser()
    user = UserId(settings.acting_as) if settings.acting_as else terminal_user(here)
    line = " ".join(_quoted(word) for word in words)
    asked = Invocation(
        dedupe_key=f"terminal:{uuid.uuid4()}",
        origin=Origin.TERMINAL,
        user=user,
        text=line,
        channel=TERMINAL,
        received_at=clock.now(),
    )
    await require_tables(settings.database_url)
    async with Database(settings.database_url) as database:
        return await Terminal(store=database, clock=clock, say=typer.echo).ask(asked)


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
