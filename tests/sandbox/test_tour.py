"""The tour: told as it happens, with nothing claimed that was not looked at."""

import asyncio
import io
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from bot.sandbox.folder import LOCK
from bot.sandbox.session import sandbox
from bot.sandbox.stage import NotAsToldError
from bot.sandbox.tour import TOUR_RATE, LiveStage, Printed, tour
from bot.sandbox.witness import Witness, png_size
from tests.fakes.clock import FakeClock
from tests.sandbox.started import beginning, ended, first_children, has_ended
from tests.sandbox.test_session import held, linux_only, message, types

QUICK = """\
name: canary
about: The tour's releases, at the pace of a test.
gates: [image]
steps:
  - approval
  - canary: {weight: 20%, judge: {for: 3m, least: 5s}}
  - canary: {weight: 50%, judge: {for: 3m, least: 1s}}
  - promote
  - smoke
  - watch: 3s
on_failure:
  - restore
  - smoke
  - recovery: 3s
"""
SOON = timedelta(milliseconds=50)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is printed where there is no terminal."""
    with io.StringIO() as written:
        yield written


def plain_console(said: io.StringIO) -> Console:
    """A console that writes there."""
    return Console(file=said, width=100, force_terminal=False)


async def test_a_release_is_played_from_the_command_to_the_journal(tmp_path: Path, said: io.StringIO) -> None:
    """The whole tour beside the real process, with a canary runbook of shorter times; every chapter ends well."""
    (tmp_path / LOCK).touch()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "canary.yaml").write_text(QUICK)
    async with sandbox(tmp_path, rate=4 * TOUR_RATE) as made:
        good = await tour(made, plain_console(said), FakeClock())
        assert good, said.getvalue()
        assert made.bot.kills == 1
    told = said.getvalue()
    assert all(f"{number} · " in told for number in range(1, 8))
    assert "chain intact" in told
    assert "@U0" not in told


async def test_what_did_not_happen_is_named(tmp_path: Path, said: io.StringIO) -> None:
    """Slack is down from the start: what was expected, what was seen last, and where to look."""
    async with sandbox(tmp_path) as made:
        made.switches.throw("slack", on=True)
        good = await tour(made, plain_console(said), FakeClock())
    told = said.getvalue()
    assert not good
    assert "Not as told. `/deploy api sha123 staging` was not taken: Slack is down" in told
    assert str(tmp_path / "bot.log") in told


async def test_a_folder_with_a_history_is_refused(tmp_path: Path) -> None:
    """The story begins with versions that run since a while, and would be told wrongly elsewhere."""
    (tmp_path / LOCK).touch()
    (tmp_path / "sluice.db").touch()
    status, wrong = await ended(tmp_path, "--tour", "--folder", str(tmp_path))
    assert status == 1
    assert "has a history already" in wrong


@linux_only
async def test_ctrl_c_ends_it_in_order(tmp_path: Path) -> None:
    """In the middle of the story: the status that a shell expects, no process, no folder."""
    async with beginning(tmp_path, "--tour") as process:
        assert process.stdout is not None
        async for line in process.stdout:
            if b"/deploy api" in line:
                break
        (bot,) = await first_children(process.pid)
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert process.returncode == 130
        assert has_ended(bot, within_s=0)
        assert held(tmp_path) == []


async def test_a_wait_ends_with_what_was_waited_for(tmp_path: Path) -> None:
    """A wait is bounded, and its error names what never came."""
    async with sandbox(tmp_path) as made:
        with pytest.raises(NotAsToldError, match="rain"):
            await LiveStage(made).until(lambda: False, within=SOON, about="rain")


async def test_a_claim_that_does_not_hold_is_told_with_the_world(tmp_path: Path, said: io.StringIO) -> None:
    """What was expected, and what the cluster runs instead."""
    async with sandbox(tmp_path) as made:
        see = Witness(LiveStage(made), Printed(plain_console(said), FakeClock()), service="api")
        with pytest.raises(NotAsToldError, match=r"(?s)expected: pigs fly.*prod/api: sha100, 4 of 4 ready"):
            see.claim(see.runs("prod", "sha123"), "pigs fly")
        see.claim(see.runs("prod", "sha100"), "all is as it was")
    assert "pigs" not in said.getvalue()
    assert "all is as it was" in said.getvalue()


async def test_a_broken_journal_is_no_proof(tmp_path: Path) -> None:
    """An entry that somebody changed in the database is found by the tour's last chapter."""
    async with sandbox(tmp_path) as made:
        stage = LiveStage(made)
        await types(made, "/deploy api sha123 staging")
        await message(made, "`sha123` runs in staging")
        assert "chain intact" in await stage.audited()
        await asyncio.to_thread(forge, tmp_path / "sluice.db")
        with pytest.raises(NotAsToldError, match="broken at entry 2"):
            await stage.audited()


def forge(path: Path) -> None:
    """Change what the journal's second entry says."""
    with closing(sqlite3.connect(path)) as connection, connection:
        changed = connection.execute("UPDATE journal SET entry = replace(entry, 'api', 'web') WHERE number = 2")
        assert changed.rowcount == 1


async def test_a_wait_without_a_terminal_is_told_now_and_then(said: io.StringIO) -> None:
    """Not each look is a line of a log file, but silence is none either."""
    clock = FakeClock()
    printed = Printed(plain_console(said), clock)
    for _ in range(25):
        clock.advance(timedelta(seconds=1))
        printed.waiting("judging")
    assert said.getvalue().count("judging") == 2


async def test_markup_in_a_message_is_text(said: io.StringIO) -> None:
    """A message cannot colour the terminal or lose its brackets."""
    printed = Printed(plain_console(said), FakeClock())
    printed.answered("[red]api[/red] runs", where="#deploys")
    assert "[red]api[/red] runs" in said.getvalue()


@pytest.mark.parametrize("content", [None, b"", b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_has_no_size(content: bytes | None) -> None:
    """A claim about a chart needs a chart."""
    assert png_size(content) is None


def test_a_picture_has_the_size_that_its_header_says() -> None:
    """Width before height."""
    header = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (1200).to_bytes(4) + (700).to_bytes(4)
    assert png_size(header) == (1200, 700)
