"""Messages: what shall stand in a channel, and what is known to stand there."""

from datetime import timedelta

from bot.domain.ids import ChannelId, MessageKey
from bot.ports.chat import Place
from bot.ports.store import Letter, Transaction
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, telling

DEPLOYS = ChannelId("C0DEPLOYS")
LIVE = MessageKey("api-prod-1/live/1")
PLACE = Place(DEPLOYS, "1700000000.000001")


async def due(tx: Transaction, *, after: timedelta = timedelta(0)) -> list[str]:
    """The keys of the messages that are due."""
    return [letter.key for letter in await tx.letters_due(NOW + after, limit=100)]


async def one(tx: Transaction, key: MessageKey = LIVE) -> Letter:
    """A message that must be there."""
    letter = await tx.letter(key)
    assert letter is not None
    return letter


async def test_a_new_message_is_due_until_it_is_delivered(store: Database) -> None:
    """Then its place is known and nothing is left to do."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE)], at=NOW)
        assert await due(tx) == [LIVE]
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        assert await due(tx) == []
        assert (await one(tx)).place == PLACE


async def test_a_message_is_read_back_whole(store: Database) -> None:
    """Thread, addressee, seeds and urgency are what they were."""
    wanted = telling("k", under=LIVE, seeds=("a", "b"), urgent=True, thread_ts="1.2")
    async with store, store.transaction() as tx:
        await tx.tell([wanted], at=NOW)
        assert (await one(tx, MessageKey("k"))).telling == wanted


async def test_edits_of_one_message_are_coalesced(store: Database) -> None:
    """Only what is wanted last is delivered, once."""
    async with store, store.transaction() as tx:
        for percent in range(5):
            await tx.tell([telling(LIVE, f"{percent} %")], at=NOW)
        [letter] = await tx.letters_due(NOW, limit=100)
        assert (letter.wanted, letter.telling.content.text) == (5, "4 %")


async def test_the_same_again_is_no_edit(store: Database) -> None:
    """A message that would not change is not sent."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE)], at=NOW)
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        await tx.tell([telling(LIVE)], at=NOW)
        assert await due(tx) == []


async def test_an_edit_during_a_delivery_is_delivered_after_it(store: Database) -> None:
    """The channel shows version 1 while version 2 is wanted."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE, "first")], at=NOW)
        await tx.tell([telling(LIVE, "second")], at=NOW)
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        assert await due(tx) == [LIVE]


async def test_messages_are_due_in_the_order_of_their_first_telling(store: Database) -> None:
    """An edit gives nobody another place, and no more than asked for are taken."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("a"), telling("b"), telling("c")], at=NOW)
        await tx.tell([telling("a", "newer")], at=NOW)
        assert await due(tx) == ["a", "b", "c"]
        assert [letter.key for letter in await tx.letters_due(NOW, limit=2)] == ["a", "b"]


async def test_a_reply_waits_until_its_thread_has_a_place(store: Database) -> None:
    """Then it knows where that is."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("reply", under=LIVE), telling(LIVE)], at=NOW)
        assert await due(tx) == [LIVE]
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        assert await due(tx) == ["reply"]
        assert (await one(tx, MessageKey("reply"))).under == PLACE


async def test_a_message_whose_seeds_are_missing_is_still_due(store: Database) -> None:
    """It is posted already, but nobody can vote by one tap yet."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE, seeds=("yes", "no"))], at=NOW)
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        assert await due(tx) == [LIVE]
        await tx.delivered(LIVE, PLACE, version=1, seeded=2)
        assert await due(tx) == []


async def test_an_attempt_is_on_record_before_its_answer(store: Database) -> None:
    """Whoever finds it without a place must look before posting again."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE)], at=NOW)
        await tx.attempt(LIVE, DEPLOYS, at=NOW + MINUTE)
        letter = await one(tx)
        assert (letter.attempted_at, letter.channel, letter.place) == (NOW + MINUTE, DEPLOYS, None)


async def test_a_failed_delivery_waits_and_is_counted(store: Database) -> None:
    """The error is kept for whoever asks why; a delivery forgets it."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE)], at=NOW)
        await tx.undelivered(LIVE, until=NOW + MINUTE, error="Slack does not answer")
        assert await due(tx) == []
        assert await due(tx, after=MINUTE) == [LIVE]
        letter = await one(tx)
        assert (letter.failures, letter.error) == (1, "Slack does not answer")
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        letter = await one(tx)
        assert (letter.failures, letter.error) == (0, "")


async def test_a_dropped_message_is_never_due_again(store: Database) -> None:
    """The channel will not have it; the reason stays readable."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE)], at=NOW)
        await tx.undelivered(LIVE, until=NOW, error="archived", drop=True)
        assert await due(tx, after=timedelta(days=9)) == []
        assert (await one(tx)).error == "archived"


async def test_a_dropped_message_is_tried_again_when_it_has_news(store: Database) -> None:
    """Somebody may have let the bot in meanwhile."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE, "first")], at=NOW)
        await tx.undelivered(LIVE, until=NOW, error="not in the channel", drop=True)
        await tx.tell([telling(LIVE, "second")], at=NOW + MINUTE)
        assert await due(tx, after=MINUTE) == [LIVE]


async def test_a_misplaced_message_is_posted_anew(store: Database) -> None:
    """It has no place, no attempt and no seeds any more."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE, seeds=("yes",))], at=NOW)
        await tx.attempt(LIVE, DEPLOYS, at=NOW)
        await tx.delivered(LIVE, PLACE, version=1, seeded=1)
        await tx.misplaced(LIVE, until=NOW + MINUTE, error="cannot be edited")
        assert await due(tx) == []
        [letter] = await tx.letters_due(NOW + MINUTE, limit=9)
        assert (letter.place, letter.attempted_at, letter.delivered, letter.seeded) == (None, None, 0, 0)


async def test_a_message_is_found_by_its_place(store: Database) -> None:
    """Reactions name a place, not a key."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(LIVE)], at=NOW)
        await tx.delivered(LIVE, PLACE, version=1, seeded=0)
        found = await tx.letter_at(PLACE)
        assert found is not None
        assert found.key == LIVE
        assert await tx.letter_at(Place(DEPLOYS, "1.2")) is None
        assert await tx.letter_at(Place(ChannelId("C0OTHER"), PLACE.ts)) is None


async def test_messages_are_found_by_their_run(store: Database) -> None:
    """A percent sign or an underscore in a key is only a character."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("api_prod-1/b"), telling("api_prod-1/a"), telling("api-prod-1/x"), telling("%")], at=NOW)
        assert [letter.key for letter in await tx.letters_under("api_prod-1/")] == ["api_prod-1/b", "api_prod-1/a"]
        assert [letter.key for letter in await tx.letters_under("%")] == ["%"]


async def test_a_private_message_has_no_place(store: Database) -> None:
    """It was shown once and cannot be edited."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("whisper", to="U0ANN")], at=NOW)
        await tx.delivered(MessageKey("whisper"), None, version=1, seeded=0)
        assert await due(tx) == []
        assert (await one(tx, MessageKey("whisper"))).place is None
