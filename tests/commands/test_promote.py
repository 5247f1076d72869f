"""promote: three words carry a version, two let a canary go on."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from bot.domain.ids import StepKey
from bot.domain.outcome import Pending, Question
from bot.domain.plan import Verb
from bot.domain.run import Run
from bot.domain.target import Target
from commands.grammar import read_line
from commands.spec import Reading
from commands.verbs.promote import SPEC, GoOn, Promote, parse
from runbooks.loader import load_library
from tests.commands.conversation import conversation
from tests.fakes.clock import START
from tests.fakes.people import BOB
from tests.runbooks.catalogues import a_catalogue

READING = Reading(a_catalogue(), load_library(), START)


@pytest.mark.parametrize("line", ["promote api staging prod", "promote staging api prod", "promote Staging PROD api"])
def test_the_environments_stand_in_the_order_of_the_way(line: str) -> None:
    """The service may stand anywhere."""
    read = parse(read_line(line), READING)
    assert isinstance(read, Promote)
    assert (read.asked.verb, read.asked.target, read.asked.origin) == (Verb.PROMOTE, Target("api", "prod"), "staging")
    assert read.asked.ref == ""
    assert SPEC.starts(read)


def test_the_way_back_is_a_promotion_as_well() -> None:
    """From prod to staging, as after a hotfix."""
    read = parse(read_line("promote api prod staging"), READING)
    assert isinstance(read, Promote)
    assert (read.asked.target.environment, read.asked.origin) == ("staging", "prod")


@pytest.mark.parametrize("line", ["promote api prod", "promote prod api"])
def test_two_words_let_a_canary_go_on(line: str) -> None:
    """Nothing is started."""
    read = parse(read_line(line), READING)
    assert read == GoOn(Target("api", "prod"))
    assert not SPEC.starts(read)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("promote api prod prod", "`prod` is named twice. Write `/promote <service> <from> <to>`."),
        ("promote staging apo prod", "There is no service 'apo'; did you mean 'api'?"),
        ("promote api staging prd", "api has no environment 'prd'; did you mean 'prod'?"),
        ("promote api", "Write `/promote <service> <from> <to> | /promote <service> <environment>`."),
        ("promote api staging to prod", "Write `/promote <service> <from> <to> | /promote <service> <environment>`."),
        ("promote api prod --reason go", "`promote` has no `--reason`"),
        ("promote api staging prod --break-glass", "Breaking the glass needs a reason"),
    ],
)
def test_slips_are_answered_with_their_fix(line: str, said: str) -> None:
    """The sentence names what was typed, and what to type."""
    with pytest.raises(UsageError) as caught:
        parse(read_line(line), READING)
    assert said in str(caught.value)


async def test_a_promotion_is_asked_for(tmp_path: Path) -> None:
    """The answer says what is carried, as nobody has typed a version."""
    async with conversation(tmp_path) as chat:
        told = await chat.says("promote api staging prod")
        assert told.startswith("`api-prod-1`: promote of *api* in *prod* to what runs in *staging* is asked for.")
        assert (await chat.run("api-prod-1")).request.origin == "staging"


async def test_who_lets_go_on_is_noted_once(tmp_path: Path) -> None:
    """Whether that suffices is for the next pass to count, like votes."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v2 prod")
        await chat.voting("api-prod-1")

        def asks(run: Run) -> Run:
            wait = Pending("too little to tell", timedelta(seconds=5), asks=Question.UNDECIDED)
            return run.step_waits(StepKey("steps.approval"), wait, at=run.created_at)[0]

        await chat.moves("api-prod-1", asks)
        for _ in range(2):
            told = await chat.says("promote api prod", by=BOB)
            assert told.startswith("Noted: your yes to what `api-prod-1` asks at `approval`.")
            assert "2 of @release-approvers have said so, other than <@U0ANN>" in told
        consent = (await chat.run("api-prod-1")).consent
        assert consent is not None
        assert (consent.step, consent.by) == ("steps.approval", (BOB,))


async def test_a_run_that_asks_nobody_cannot_be_let_go_on(tmp_path: Path) -> None:
    """The answer tells how to learn what it waits for."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v2 prod")
        await chat.voting("api-prod-1")
        told = await chat.says("promote api prod", by=BOB)
        assert told.startswith("`api-prod-1` does not wait for people now.")
        assert "`/release why api-prod-1` what a release waits for" in told
