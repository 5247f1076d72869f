"""What changed, by number."""

import asyncio

from bot.sandbox.slack.journal import Journal


def numbers(journal: Journal, after: int, user: str = "U0ANN") -> list[tuple[int, str]]:
    """What somebody is shown."""
    return [(change.number, change.kind) for change in journal.after(after, user)]


def test_numbers_grow_and_nothing_is_missing() -> None:
    """Whoever knows the last number gets exactly what came after it."""
    journal = Journal()
    for kind in ("a", "b", "c"):
        journal.note(kind, {})
    assert numbers(journal, 1) == [(2, "b"), (3, "c")]
    assert numbers(journal, 3) == []


def test_what_is_for_some_is_hidden_from_others() -> None:
    """Its number is missing in their list."""
    journal = Journal()
    journal.note("everybody", {})
    journal.note("ann", {}, audience=frozenset({"U0ANN"}))
    assert numbers(journal, 0, "U0BOB") == [(1, "everybody")]
    assert numbers(journal, 0, "U0ANN") == [(1, "everybody"), (2, "ann")]


def test_who_was_away_for_too_long_is_told() -> None:
    """Rather than shown a gap; so is who comes from another life."""
    journal = Journal(kept=2)
    for kind in ("a", "b", "c"):
        journal.note(kind, {})
    assert numbers(journal, 0) == [(3, "forgotten")]
    assert numbers(journal, 1) == [(2, "b"), (3, "c")]
    assert numbers(journal, 4) == [(3, "forgotten")]


def test_a_page_of_an_earlier_life_is_told_so() -> None:
    """Even before anything has happened in this one."""
    journal = Journal(begin=100)
    assert numbers(journal, 99) == [(100, "forgotten")]
    assert numbers(journal, 100) == []


async def test_a_follower_gets_what_was_and_what_comes() -> None:
    """In one go, in order."""
    journal = Journal()
    journal.note("before", {})
    following = journal.follow("U0ANN", after=0)
    first = await anext(following)
    coming = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)  # the follower waits now
    journal.note("after", {})
    assert (first.kind, (await coming).kind) == ("before", "after")


async def test_something_can_be_waited_for() -> None:
    """Whether it has happened already or is still to come."""
    journal = Journal()
    coming = asyncio.ensure_future(journal.until(lambda change: change.kind == "wanted"))
    await asyncio.sleep(0)  # it waits now
    for kind in ("other", "wanted"):
        journal.note(kind, {})
    assert (await coming).number == 2
    assert (await journal.until(lambda change: change.kind == "wanted")).number == 2
