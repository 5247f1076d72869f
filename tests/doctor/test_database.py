"""What is wrong with a database; looking makes none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.doctor.finding import Area, Grade
from tests.doctor.conftest import Opens


def at_revision(path: Path, revision: str) -> None:
    """As another version of Sluice left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


async def test_an_older_schema(opens: Opens) -> None:
    """With the command that brings it up to date."""
    async with opens() as place:
        at_revision(place.folder / "sluice.db", "0001")
        found = await place.only(Area.DATABASE)
    assert found.grade is Grade.FAULT
    assert found.seen == "its tables (0001) are older than this version's (0002)"
    assert "sluice migrate" in found.fix


async def test_a_newer_schema(opens: Opens) -> None:
    """This version must not touch it."""
    async with opens() as place:
        at_revision(place.folder / "sluice.db", "9999")
        found = await place.only(Area.DATABASE)
    assert "(9999) are of a newer version" in found.seen
    assert "restore the copy" in found.fix


async def test_no_database(opens: Opens) -> None:
    """And none is made."""
    async with opens() as place:
        (place.folder / "sluice.db").unlink()
        found = await place.only(Area.DATABASE)
        assert not (place.folder / "sluice.db").exists()
    assert (found.grade, found.seen) == (Grade.FAULT, f"there is no database {place.folder / 'sluice.db'} yet")
    assert found.fix.startswith("run `sluice migrate`")


async def test_a_server_that_is_away(opens: Opens) -> None:
    """Its address is named, its password is not."""
    async with opens() as place:
        place.set(database_url="postgresql://sluice:s3cret@127.0.0.1:9/sluice")
        found = await place.only(Area.DATABASE)
    assert (found.subject, found.grade) == ("postgresql on 127.0.0.1", Grade.UNKNOWN)
    assert "127.0.0.1:9" in found.seen
    assert "s3cret" not in found.seen


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("sluice.db", "it is not the address of a database"),
        ("mysql://host/sluice", "Sluice does not speak with mysql"),
        ("postgresql+psycopg://host/sluice", "Sluice brings no driver psycopg; leave it out"),
        ("postgresql://host:99999/sluice", "there is no port 99999"),
    ],
)
async def test_an_address_of_something_else(opens: Opens, url: str, seen: str) -> None:
    """How it is written comes with it."""
    async with opens() as place:
        place.set(database_url=url)
        found = await place.only(Area.DATABASE)
    assert (found.subject, found.seen) == ("SLUICE_DATABASE_URL", seen)
    assert "sqlite:////" in found.fix


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sluice:pa@s3cret@127.0.0.1:9/sluice",
        "postgresql://sluice:p@ss:s3cret@127.0.0.1/sluice",
        "postgresql://127.0.0.1:9/sluice?password=s3cret",
        "postgresql://sluice@127.0.0.1:s3cret/sluice",
    ],
)
async def test_no_part_of_a_password_is_told(opens: Opens, url: str) -> None:
    """However it was written: also where it could be taken for a host or a port."""
    async with opens() as place:
        place.set(database_url=url)
        found = await place.only(Area.DATABASE)
    assert found.subject in ("SLUICE_DATABASE_URL", "postgresql on 127.0.0.1")
    assert "s3cret" not in repr(found)
