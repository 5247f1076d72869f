"""Area `database`: it answers, has the tables of this version, and a clock like ours."""

from datetime import datetime
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.doctor.case import Case
from bot.doctor.finding import Area, Tell
from bot.doctor.skew import Skew, clock_finding
from bot.domain.errors import SetupError, SluiceError
from bot.ports.clock import Clock
from bot.store import migrations
from bot.store.address import VARIABLE, WRITTEN, problem
from bot.store.readiness import asked, require_tables, revision
from bot.store.sqlite import path_of

AREA = Area.DATABASE
MIGRATE = "copy the database, then `sluice migrate`; `sluice serve` migrates, too, when it starts"


async def examine(case: Case, tell: Tell) -> None:
    """Looks without making or changing anything."""
    wrong = problem(case.settings.database_url)
    if wrong:
        tell(AREA.fault(VARIABLE, wrong, WRITTEN))
        return
    url = make_url(case.settings.database_url)
    is_file = url.get_backend_name() == "sqlite"
    subject = str(path_of(url) or "in memory") if is_file else f"postgresql on {url.host or 'this machine'}"
    try:
        await require_tables(case.settings.database_url)
        present = await revision(case.settings.database_url)
        # A file's clock is ours.
        skew = None if is_file else await _skew(case.settings.database_url, case.clock)
    except SetupError as exc:
        seen, _, fix = str(exc).partition("; ")
        tell(AREA.fault(subject, seen, fix or f"correct {VARIABLE}"))
    except SluiceError as exc:
        tell(AREA.failed(subject, exc, f"let it be reached from here, or correct {VARIABLE}"))
    else:
        _tables(subject, present, tell)
        if skew is not None:
            tell(clock_finding(AREA, f"clock of {url.host or 'the database'}", skew))


def _tables(subject: str, present: str | None, tell: Tell) -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    wanted = scripts.get_current_head()
    if present == wanted:
        tell(AREA.ok(subject, f"has the tables of this version ({present})"))
    elif present in {script.revision for script in scripts.walk_revisions()}:
        tell(AREA.fault(subject, f"its tables ({present}) are older than this version's ({wanted})", MIGRATE))
    else:
        said = f"its tables ({present}) are of a newer version than this one, which does not know them"
        tell(AREA.fault(subject, said, "start the version that wrote them, or restore the copy made before it"))


async def _skew(address: str, clock: Clock) -> Skew:
    """Of PostgreSQL's clock: the present, not the moment at which its transaction began."""
    begun = clock.now()
    told = await asked(address, _present)
    return Skew.between(told, asked=begun, answered=clock.now())


async def _present(connection: AsyncConnection) -> datetime:
    told: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return told
