"""What was heard is kept once, handled once, in order."""

from datetime import timedelta

import pytest

from bot.domain.errors import FencedError
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, heard


async def test_a_redelivery_is_not_kept_again(store: Database) -> None:
    """The sender's own id decides: the second time nothing is stored."""
    async with store:
        assert await store.hear(heard("k1", text="deploy api v1 prod"))
        assert not await store.hear(heard("k1", text="deploy api v1 prod"))
        async with store.transaction() as tx:
            assert len(await tx.unhandled(NOW, limit=10)) == 1


async def test_a_redelivery_leaves_its_transaction_usable(store: Database) -> None:
    """A refused duplicate undoes nothing else of the same transaction."""
    async with store:
        await store.hear(heard("k1"))
        async with store.transaction() as tx:
            assert await tx.hear(heard("k2"))
            assert not await tx.hear(heard("k1"))
        async with store.transaction() as tx:
            assert [one.invocation.dedupe_key for one in await tx.unhandled(NOW, limit=10)] == ["k1", "k2"]


async def test_a_key_longer_than_an_index_may_be_is_still_known(store: Database) -> None:
    """Two long keys that differ at their ends are two invocations."""
    async with store:
        assert await store.hear(heard("k" * 500 + "1"))
        assert await store.hear(heard("k" * 500 + "2"))
        assert not await store.hear(heard("k" * 500 + "1"))


async def test_what_was_heard_is_read_back_whole(store: Database) -> None:
    """Nothing of an invocation is lost on the way through the database."""
    async with store:
        asked = heard("k1", text='deploy api v1 prod --reason "größer"')
        await store.hear(asked)
        async with store.transaction() as tx:
            [one] = await tx.unhandled(NOW, limit=10)
        assert one.invocation == asked
        assert one.attempts == 0


async def test_the_oldest_comes_first_and_no_more_than_asked_for(store: Database) -> None:
    """People are answered in the order in which they asked."""
    async with store:
        for number in range(3):
            await store.hear(heard(f"k{number}"))
        async with store.transaction() as tx:
            assert [one.invocation.dedupe_key for one in await tx.unhandled(NOW, limit=2)] == ["k0", "k1"]


async def test_a_postponed_one_waits_and_counts_its_attempt(store: Database) -> None:
    """It is not due before its time, and then says how often it was tried."""
    async with store:
        await store.hear(heard())
        async with store.transaction() as tx:
            [one] = await tx.unhandled(NOW, limit=10)
            await tx.postpone(one.number, until=NOW + MINUTE)
            assert await tx.unhandled(NOW + timedelta(seconds=59), limit=10) == []
            [again] = await tx.unhandled(NOW + MINUTE, limit=10)
        assert again.attempts == 1


async def test_a_handled_one_is_gone_but_stays_known(store: Database) -> None:
    """It is not handled again, and a redelivery of it is still recognised."""
    async with store:
        await store.hear(heard("k1"))
        async with store.transaction() as tx:
            [one] = await tx.unhandled(NOW, limit=10)
            await tx.handled(one.number, at=NOW)
        async with store.transaction() as tx:
            assert await tx.unhandled(NOW + timedelta(days=1), limit=10) == []
            assert await tx.answered("k1") == (one.number, True)
        assert not await store.hear(heard("k1"))


async def test_only_one_of_two_may_handle_it(store: Database) -> None:
    """The second who says it is done learns that nothing of what it did may count."""
    async with store:
        await store.hear(heard())
        async with store.transaction() as tx:
            [one] = await tx.unhandled(NOW, limit=10)
            await tx.handled(one.number, at=NOW)
        with pytest.raises(FencedError, match="handled by somebody else"):
            async with store.transaction() as tx:
                await tx.handled(one.number, at=NOW)


async def test_somebody_who_waits_can_see_whether_it_was_answered(store: Database) -> None:
    """Unknown, waiting and handled are three different answers."""
    async with store:
        await store.hear(heard("k1"))
        async with store.transaction() as tx:
            assert await tx.answered("k2") is None
            known = await tx.answered("k1")
        assert known is not None
        assert known[1] is False
