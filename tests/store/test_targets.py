"""One run holds a target; the others wait in the order in which they lined up."""

from datetime import timedelta

from bot.domain.ids import RunId
from bot.domain.target import Target
from bot.ports.store import Transaction
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, added

PROD = Target("api", "prod")
ONE, TWO, THREE = RunId("api-prod-1"), RunId("api-prod-2"), RunId("api-prod-3")


async def three(tx: Transaction) -> None:
    """Three runs ask for the same target, a minute apart."""
    for number, run_id in enumerate((ONE, TWO, THREE)):
        await added(tx, run_id, at=NOW + number * MINUTE)


async def test_a_target_that_nobody_ever_used_is_free(store: Database) -> None:
    """No row is needed to say so."""
    async with store, store.transaction() as tx:
        state = await tx.target_state(PROD)
        assert (state.holder, state.since, state.waiting) == (None, None, ())


async def test_the_first_in_line_takes_it(store: Database) -> None:
    """The state says who holds it, since when, and who waits."""
    async with store, store.transaction() as tx:
        await three(tx)
        state = await tx.take_target(PROD, ONE, at=NOW)
        assert (state.holder, state.since, state.waiting) == (ONE, NOW, (TWO, THREE))


async def test_nobody_overtakes(store: Database) -> None:
    """Free as it is, the target goes to no one but the first in line."""
    async with store, store.transaction() as tx:
        await three(tx)
        assert (await tx.take_target(PROD, TWO, at=NOW)).holder is None


async def test_taking_what_one_holds_changes_nothing(store: Database) -> None:
    """A repeated pass finds the target its own, since the same time."""
    async with store, store.transaction() as tx:
        await three(tx)
        await tx.take_target(PROD, ONE, at=NOW)
        state = await tx.take_target(PROD, ONE, at=NOW + MINUTE)
        assert (state.holder, state.since) == (ONE, NOW)


async def test_a_held_target_is_not_given_to_the_next(store: Database) -> None:
    """Whoever asks learns who holds it."""
    async with store, store.transaction() as tx:
        await three(tx)
        await tx.take_target(PROD, ONE, at=NOW)
        assert (await tx.take_target(PROD, TWO, at=NOW)).holder == ONE


async def test_freeing_it_names_the_next_in_line(store: Database) -> None:
    """So that it can be woken."""
    async with store, store.transaction() as tx:
        await three(tx)
        await tx.take_target(PROD, ONE, at=NOW)
        assert await tx.free_target(PROD, ONE) == TWO
        assert (await tx.target_state(PROD)).holder is None


async def test_only_the_holder_can_free_it(store: Database) -> None:
    """A run that never held it frees nothing by ending."""
    async with store, store.transaction() as tx:
        await three(tx)
        await tx.take_target(PROD, ONE, at=NOW)
        assert await tx.free_target(PROD, TWO) is None
        assert (await tx.target_state(PROD)).holder == ONE


async def test_a_run_for_later_stands_in_nobodys_way(store: Database) -> None:
    """It gets its place in the line when its time has come, behind those who came meanwhile."""
    later = NOW + timedelta(hours=1)
    async with store, store.transaction() as tx:
        await added(tx, ONE, not_before=later, wake_at=later)
        await added(tx, TWO, at=NOW + MINUTE)
        assert (await tx.target_state(PROD)).waiting == (TWO,)
        assert (await tx.take_target(PROD, TWO, at=NOW + MINUTE)).holder == TWO
        assert (await tx.take_target(PROD, ONE, at=later)).waiting == (ONE,)


async def test_targets_know_nothing_of_each_other(store: Database) -> None:
    """staging is free while prod is held."""
    staging = Target("api", "staging")
    async with store, store.transaction() as tx:
        await added(tx, ONE)
        await added(tx, "api-staging-1", target=staging)
        await tx.take_target(PROD, ONE, at=NOW)
        assert (await tx.take_target(staging, RunId("api-staging-1"), at=NOW)).holder == "api-staging-1"
