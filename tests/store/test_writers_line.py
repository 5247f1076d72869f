"""The line of SQLite's writers: first come, first served, the hurried before the patient, and nobody lost."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy.exc import DBAPIError

from bot.domain.ids import RunId
from bot.store.database import Database
from bot.store.sqlite import Line
from tests.builders import NOW
from tests.store.stored import added, heard


async def writers(line: Line, *names: str, done: list[str]) -> "list[asyncio.Task[None]]":
    """Writers that line up in this order; those whose names begin with `!` hurry."""

    async def write(name: str) -> None:
        async with line.turn(hurry=name.startswith("!")):
            done.append(name)

    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(write(name)))
        await asyncio.wait(tasks[-1:], timeout=0)
    return tasks


async def test_the_hurried_go_before_the_patient() -> None:
    """What must be kept before an acknowledgement waits for one writer at most."""
    line, done = Line(), list[str]()
    async with line.turn():
        tasks = await writers(line, "a", "b", "!c", "!d", done=done)
    await asyncio.gather(*tasks)
    assert done == ["!c", "!d", "a", "b"]


async def test_one_who_leaves_the_line_holds_up_nobody() -> None:
    """A cancelled writer is passed over."""
    line, done = Line(), list[str]()
    async with line.turn():
        tasks = await writers(line, "a", "b", done=done)
        tasks[0].cancel()
    await asyncio.wait(tasks)
    assert done == ["b"]


async def test_a_turn_that_came_just_when_its_writer_left_is_passed_on() -> None:
    """Otherwise everybody would wait for ever."""
    line, done = Line(), list[str]()
    async with line.turn():
        tasks = await writers(line, "a", "b", done=done)
    tasks[0].cancel()  # its turn has come, but it has not run since
    await asyncio.wait(tasks)
    assert done == ["b"]


async def test_a_writer_that_fails_gives_its_turn_up() -> None:
    """A fault in one transaction is no end of all."""
    line, done = Line(), list[str]()
    with suppress(KeyError):
        async with line.turn():
            raise KeyError("a fault")
    await asyncio.gather(*await writers(line, "a", done=done))
    assert done == ["a"]


async def test_a_cancelled_transaction_leaves_no_lock_behind(store: Database) -> None:
    """Wherever it was cancelled: the next writer writes at once, and nothing of the cancelled one is there."""
    async with store:

        async def write(number: int) -> None:
            async with store.transaction() as tx:
                await added(tx, f"api-prod-{number}")
                await asyncio.Event().wait()

        for number in range(1, 6):
            task = asyncio.create_task(write(number))
            for _ in range(number):
                await asyncio.wait({task}, timeout=0.001)
            task.cancel()
            await asyncio.wait({task})
        async with asyncio.timeout(5):
            assert await store.hear(heard())
            async with store.transaction() as tx:
                assert await tx.run(RunId("api-prod-1")) is None
                await added(tx, "api-prod-9")


async def test_reading_does_not_wait_for_a_writer(store: Database) -> None:
    """It sees what was committed before."""
    async with store, store.transaction() as writing:
        await added(writing)
        async with asyncio.timeout(5), store.reading() as tx:
            assert await tx.next_due(NOW) is None


async def test_what_only_reads_cannot_write(store: Database) -> None:
    """A slip of ours is an error, not a lost write."""
    async with store:
        async with store.reading() as tx:
            with pytest.raises(DBAPIError, match=r"readonly|read-only"):
                await added(tx)
        async with store.reading() as tx:
            assert await tx.run(RunId("api-prod-1")) is None


async def test_what_only_reads_sees_one_moment(store: Database) -> None:
    """What was written since its first look is for the next one."""
    async with store, store.reading() as tx:
        assert await tx.run(RunId("api-prod-1")) is None
        async with store.transaction() as beside:
            await added(beside)
        assert await tx.run(RunId("api-prod-1")) is None
        async with store.reading() as later:
            assert await later.run(RunId("api-prod-1"))
