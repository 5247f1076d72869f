"""Commands that come late, come from forms, come from terminals, or carry reasons that want to be more than reasons."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import UserId
from bot.domain.invocation import Origin
from bot.slack.payloads import submission
from commands.grammar import LONGEST_LINE, Line, read_line
from commands.wording import safe, tame
from tests.builders import NOW
from tests.commands.conversation import conversation
from tests.fakes.people import ANN, DAN
from tests.runbooks.catalogues import CATALOGUE, a_catalogue

AT_TERMINAL = UserId("terminal:ann")
ASKS_IN_STAGING = CATALOGUE.replace(
    "staging: {cluster: main, namespace: staging}",
    'staging: {cluster: main, namespace: staging, approval: {from: "@release-approvers"}}',
)


# --- too late ---


@pytest.mark.parametrize("line", ["deploy api v1 staging", "rollback api staging"])
async def test_an_old_command_starts_nothing(tmp_path: Path, line: str) -> None:
    """Whoever typed it has given up on it; the answer says how late, why, and what to do."""
    async with conversation(tmp_path) as chat:
        heard = await chat.hears(line, by=ANN)
        chat.clock.advance(timedelta(minutes=35))
        await chat.dispatcher.handle(heard)
        assert await chat.runs() == []
        said = await chat.answer(heard)
        assert said.startswith(f"`{line}` was asked for 35m ago and could not be handled until now")
        assert said.endswith("nothing was done. Type it again if you still want it.")


async def test_ten_minutes_are_not_too_late(tmp_path: Path) -> None:
    """A short outage loses no command."""
    async with conversation(tmp_path) as chat:
        heard = await chat.hears("deploy api v1 staging", by=ANN)
        chat.clock.advance(timedelta(minutes=10))
        await chat.dispatcher.handle(heard)
        assert len(await chat.runs()) == 1


@pytest.mark.parametrize("line", ["abort api-staging-1", "status", "deploy api v1 staging --dry-run"])
async def test_what_starts_nothing_is_never_too_late(tmp_path: Path, line: str) -> None:
    """Above all the wish to stop."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 staging")
        heard = await chat.hears(line, by=ANN)
        chat.clock.advance(timedelta(hours=2))
        await chat.dispatcher.handle(heard)
        assert "Type it again" not in await chat.answer(heard)


# --- from a terminal ---


async def test_a_terminal_starts_nothing_that_people_vote_on(tmp_path: Path) -> None:
    """Also where the environment is not protected: nobody could tell who votes for their own request."""
    async with conversation(tmp_path, a_catalogue(ASKS_IN_STAGING)) as chat:
        for line in ("deploy api v1 staging", "rollback api staging"):
            said = await chat.says(line, by=AT_TERMINAL, origin=Origin.TERMINAL)
            assert said.startswith("People vote on what changes in staging")
        assert await chat.runs() == []


async def test_no_glass_is_broken_from_a_terminal(tmp_path: Path) -> None:
    """Whatever name it gives: nothing proves it."""
    async with conversation(tmp_path) as chat:
        line = 'deploy api v1 prod --break-glass --reason "down"'
        said = await chat.says(line, by=DAN, origin=Origin.TERMINAL)
        assert said.startswith("The glass is broken in Slack only")
        assert await chat.runs() == []
        assert "is asked for" in await chat.says(line, by=DAN)


# --- from a form ---


def sent(reason: str) -> Line:
    """What the form's line means when that is the reason."""
    answers = {"service": "api", "ref": "v2", "environment": "prod", "reason": reason}
    values = {block: {block: {"value": value}} for block, value in answers.items()}
    view = {"id": "V1", "hash": "h", "callback_id": "sluice.deploy", "state": {"values": values}}
    invocation = submission({"user": {"id": "U0ANN"}, "view": view}, at=NOW)
    assert invocation is not None
    return read_line(invocation.text, verbatim=True)


@pytest.mark.parametrize(
    "reason",
    [
        "x‘ --break-glass ‘y",
        "x‘ --break-glass --runbook hotfix ‘y",
        "-- see ticket",
        "--break-glass",
        "don't “panic” now",
        "it's `x y` here",
        "a – b –c",
        "a & b <c> d",
        "“",
        "'",
    ],
)
def test_a_forms_reason_is_nothing_but_a_reason(reason: str) -> None:
    """Quotes and dashes in it are meant; none of it is an option."""
    assert sent(reason) == Line("deploy", ("api", "v2", "prod"), {"reason": reason})


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=LONGEST_LINE // 8))
def test_any_reason_of_a_form_stays_one(reason: str) -> None:
    """Whatever people write into a field."""
    assert sent(reason) == Line("deploy", ("api", "v2", "prod"), {"reason": reason})


async def test_a_form_reaches_the_dispatcher_as_it_was_built(tmp_path: Path) -> None:
    """The same line typed by a person would be another command."""
    async with conversation(tmp_path) as chat:
        line = "deploy api v2 prod '--reason=x‘ --break-glass ‘y'"
        await chat.says(line, origin=Origin.FORM)
        [run] = await chat.runs()
        assert (run.request.reason, run.request.break_glass) == ("x‘ --break-glass ‘y", False)


# --- reasons ---


def test_a_reason_cannot_pass_for_our_own_lines() -> None:
    """No bold, no struck out, no code, no emoji, no second line."""
    forged = "typo *Vote*\n:white_check_mark: *signature* ok ~x~ `3f9a-c21e` _so_"
    assert tame(forged) == "typo ∗Vote∗ ∶white_check_mark: ∗signature∗ ok ∼x∼ '3f9a-c21e' ˍsoˍ"


@pytest.mark.parametrize("reason", ["fix_login at 18:00", "see https://example.com/a", "a: b", "it's 2 < 3", "v1.2.3"])
def test_an_ordinary_reason_stays_as_it_is(reason: str) -> None:
    """Nobody is corrected."""
    assert tame(reason) == reason


@pytest.mark.parametrize("verb", ["deploy", "abort", "pause"])
async def test_every_reason_is_tamed(tmp_path: Path, verb: str) -> None:
    """Wherever one is given."""
    async with conversation(tmp_path) as chat:
        first = ' --reason "*a*"' if verb == "deploy" else ""
        await chat.says(f"deploy api v1 staging{first}")
        if verb != "deploy":
            await chat.says(f'{verb} api-staging-1 --reason "*a*"')
        [run] = await chat.runs()
        given_reasons = [run.request.reason, run.wish.reason if run.wish else "", run.pause.reason if run.pause else ""]
        assert "∗a∗" in given_reasons
        assert "*a*" not in given_reasons


def test_people_at_a_terminal_are_plain_text() -> None:
    """A mention of them would be a broken one."""
    assert safe("aborted by <@terminal:ann>: x") == "aborted by ann: x"
    assert safe("rejected by <@U0BOB> & <!channel>") == "rejected by <@U0BOB> &amp; &lt;!channel&gt;"
