"""notify: a message stands in a channel."""

from pathlib import Path

from bot.domain.ids import MessageKey
from bot.domain.json import Json
from bot.domain.outcome import Succeeded
from bot.ports.store import Letter
from bot.store.database import Database
from runbooks.steps.notify import Notify, NotifySpec
from tests.runbooks.passes import Place


async def told(folder: Path, params: dict[str, Json], *, times: int = 1) -> tuple[object, list[Letter]]:
    """The last outcome, and the messages that stand in the outbox after so many passes."""
    async with Database(f"sqlite+aiosqlite:///{folder}/sluice.db") as store:
        await store.migrate()
        place = Place()
        outcome: object = None
        for _ in range(times):
            outcome = await Notify(store).reconcile(place.context("notify", params))
        async with store.transaction() as tx:
            return outcome, [*await tx.letters_under("api-prod-1/")]


async def test_it_tells_the_services_channel(tmp_path: Path) -> None:
    """A message of its own, under a name that the run and the step decide."""
    outcome, [letter] = await told(tmp_path, {"text": "v2 is out"})
    assert outcome == Succeeded("told #deploys")
    assert (letter.telling.channel, letter.telling.content.text) == ("#deploys", "v2 is out")
    assert letter.key == MessageKey("api-prod-1/notify/1/steps.notify")


async def test_it_may_tell_another_channel(tmp_path: Path) -> None:
    """One that the runbook names."""
    outcome, [letter] = await told(tmp_path, {"text": "v2 is out", "channel": "#support"})
    assert (outcome, letter.telling.channel) == (Succeeded("told #support"), "#support")


async def test_a_second_pass_tells_nothing_twice(tmp_path: Path) -> None:
    """A crash between telling and going on doubles no message."""
    _, letters = await told(tmp_path, {"text": "v2 is out"}, times=2)
    assert [letter.wanted for letter in letters] == [1]


def test_it_is_read_aloud() -> None:
    """With its text and where it goes."""
    assert NotifySpec(text="done").read_aloud() == "Tell the service’s channel: “done”"
    assert NotifySpec(text="done", channel="#ops").read_aloud() == "Tell #ops: “done”"
