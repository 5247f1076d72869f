"""notify: a message stands in a channel."""

from datetime import timedelta
from pathlib import Path

from bot.domain.ids import ChannelId, MessageKey
from bot.domain.json import Json
from bot.domain.outcome import Pending, Succeeded
from bot.ports.chat import Place as Where
from bot.ports.store import Letter
from bot.store.database import Database
from runbooks.steps.notify import Notify, NotifySpec
from tests.runbooks.passes import Place

KEY = MessageKey("api-prod-1/notify/1/steps.notify")


async def told(
    folder: Path, params: dict[str, Json], *, times: int = 1, stands: bool = True, error: str = ""
) -> tuple[object, list[Letter]]:
    """The last outcome, and the messages in the outbox after so many passes, 10 s apart. After the first the message
    `stands`, or there was an `error`."""
    async with Database(f"sqlite+aiosqlite:///{folder}/sluice.db") as store:
        await store.migrate()
        place = Place()
        outcome: object = None
        for number in range(times):
            outcome = await Notify(store).reconcile(place.context("notify", params))
            place.clock.advance(timedelta(seconds=10))
            async with store.transaction() as tx:
                if number == 0 and stands:
                    await tx.delivered(KEY, Where(ChannelId("C0DEPLOYS"), "1.2"), version=1, seeded=0)
                elif error:
                    await tx.undelivered(KEY, until=place.clock.now(), error=error)
        async with store.transaction() as tx:
            return outcome, [*await tx.letters_under("api-prod-1/")]


async def test_it_tells_the_services_channel(tmp_path: Path) -> None:
    """A message of its own, under a name that the run and the step decide."""
    outcome, [letter] = await told(tmp_path, {"text": "v2 is out"}, times=2)
    assert outcome == Succeeded("told #deploys")
    assert (letter.telling.channel, letter.telling.content.text) == ("#deploys", "v2 is out")
    assert letter.key == KEY


async def test_it_may_tell_another_channel(tmp_path: Path) -> None:
    """One that the runbook names."""
    outcome, [letter] = await told(tmp_path, {"text": "v2 is out", "channel": "#support"}, times=2)
    assert (outcome, letter.telling.channel) == (Succeeded("told #support"), "#support")


async def test_a_second_pass_tells_nothing_twice(tmp_path: Path) -> None:
    """A crash between telling and going on doubles no message."""
    _, letters = await told(tmp_path, {"text": "v2 is out"}, times=2)
    assert [letter.wanted for letter in letters] == [1]


async def test_nobody_was_told_before_the_message_stands(tmp_path: Path) -> None:
    """It is in the outbox, and looked at again soon."""
    outcome, _ = await told(tmp_path, {"text": "out"}, stands=False)
    assert outcome == Pending("the message to #deploys is on its way", requeue_after=timedelta(seconds=2))


async def test_a_channel_that_will_not_have_it_is_named_and_holds_nothing_up(tmp_path: Path) -> None:
    """People read why while it waits; after half a minute the release goes on, and does not say that they were told."""
    wanted: dict[str, Json] = {"text": "out", "channel": "#nowhere"}
    (tmp_path / "a").mkdir()
    outcome, _ = await told(tmp_path / "a", wanted, times=2, stands=False, error="no channel #nowhere")
    assert isinstance(outcome, Pending)
    assert (outcome.why, outcome.blocked) == ("#nowhere cannot be told: no channel #nowhere", True)
    outcome, _ = await told(tmp_path, wanted, times=4, stands=False, error="no channel #nowhere")
    assert outcome == Succeeded("#nowhere is not told yet, the message waits: no channel #nowhere")


def test_it_is_read_aloud() -> None:
    """With its text and where it goes."""
    assert NotifySpec(text="done").read_aloud() == "Tell the service’s channel: “done”"
    assert NotifySpec(text="done", channel="#ops").read_aloud() == "Tell #ops: “done”"
