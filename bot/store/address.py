"""The address of a database: read with its faults named, and shown without its secrets."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.domain.errors import SetupError

VARIABLE = "SLUICE_DATABASE_URL"
WRITTEN = f"write {VARIABLE} like sqlite:////var/lib/sluice/sluice.db or postgresql://user:password@host/sluice"

DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}
"""What we bring, by the kind of database."""

PORTS = range(1, 65536)


def problem(address: str) -> str:
    """What is wrong with how it is written, as a clause that names no part of it that may be secret; empty: nothing."""
    if address.partition("://")[2].partition("?")[0].count("@") > 1:
        # Else what comes after the first one would be taken, and shown, for the host.
        return "there are two @ in it; write one that belongs to the password as %40"
    try:
        url = make_url(address)
    except ArgumentError:
        return "it is not the address of a database"
    except ValueError:
        return "its port is no number; write a : or a / that belongs to the password as %3A or %2F"
    kind, _, driver = url.drivername.partition("+")
    if kind not in DRIVERS:
        return f"Sluice does not speak with {kind}"
    if driver != DRIVERS[kind]:
        return f"Sluice brings no driver {driver}; leave it out"
    if url.port is not None and url.port not in PORTS:
        return f"there is no port {url.port}"
    return ""


def read(address: str) -> URL:
    """Its parts. Raises SetupError."""
    wrong = problem(address)
    if wrong:
        raise SetupError(f"{VARIABLE}: {wrong}; {WRITTEN}")
    return make_url(address)


def shown(url: URL) -> str:
    """For people: a password may be before the host, or among the parameters."""
    return url.set(query={}).render_as_string(hide_password=True)
