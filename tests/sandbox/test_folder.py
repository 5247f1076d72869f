"""What stands in the way of a sandbox's folder is named before anything is started, and left as it is."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import SetupError
from bot.sandbox import folder as own_folder
from tests.sandbox.started import ended


@pytest.mark.parametrize("name", ["runbooks", "kubeconfig", "sluice.yaml", "sluice.db", "bot.log", "cluster.json"])
def test_a_name_that_stands_for_something_else_is_named_with_the_fix(tmp_path: Path, name: str) -> None:
    """A file where a folder was, or the other way: nothing is written, and what is there stays."""
    (tmp_path / own_folder.LOCK).touch()  # a sandbox was here
    there = tmp_path / name
    if name in own_folder.FOLDERS:
        there.write_text("theirs")
    else:
        (there / "theirs").mkdir(parents=True)
    wrong = "is a (file|folder), and the sandbox keeps a (file|folder) of that name; move it away"
    with pytest.raises(SetupError, match=rf"{name} {wrong}"), own_folder.claimed(tmp_path):
        pytest.fail("it was used")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([own_folder.LOCK, name])


async def test_a_start_that_fails_at_a_name_ends_with_status_1(tmp_path: Path) -> None:
    """In the terminal it is one line, without a traceback."""
    (tmp_path / own_folder.LOCK).touch()
    (tmp_path / "runbooks").touch()
    status, said = await ended(tmp_path, "--folder", str(tmp_path))
    assert status == 1
    assert said.startswith(f"sluice: {tmp_path}/runbooks is a file")
    assert "Traceback" not in said


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Such as on a full disk."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "kubeconfig"))
    wrong = r"kubeconfig cannot be written .*choose another --folder"
    with pytest.raises(SetupError, match=wrong), own_folder.written(tmp_path):
        raise full


async def test_the_database_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    """With what to do, and nothing in it is touched."""
    (tmp_path / own_folder.LOCK).touch()
    with closing(sqlite3.connect(tmp_path / "sluice.db")) as database:
        database.execute("create table alembic_version (version_num text)")
        database.execute("insert into alembic_version values ('9999')")
        database.commit()
        before = list(database.iterdump())
    status, said = await ended(tmp_path, "--folder", str(tmp_path))
    assert status == 1
    assert "written by a newer one. Start that version, or restore the copy" in said
    assert "Traceback" not in said
    with closing(sqlite3.connect(tmp_path / "sluice.db")) as database:
        assert list(database.iterdump()) == before
