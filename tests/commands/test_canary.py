"""canary: what the words of a line mean, and who may say them."""

from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from bot.domain.plan import Verb
from bot.domain.target import Target
from commands.grammar import read_line
from commands.spec import Reading
from commands.verbs.canary import SPEC, Canary, Look, parse
from runbooks.loader import load_library
from tests.commands.conversation import conversation
from tests.fakes.clock import START
from tests.runbooks.catalogues import a_catalogue

READING = Reading(a_catalogue(), load_library(), START)


@pytest.mark.parametrize("line", ["canary api v2 prod", "canary prod api v2", "canary V2 API prod"])
def test_three_words_start_one(line: str) -> None:
    """In any order."""
    read = parse(read_line(line), READING)
    assert isinstance(read, Canary)
    assert (read.asked.verb, read.asked.target, read.asked.ref.lower()) == (Verb.CANARY, Target("api", "prod"), "v2")
    assert SPEC.starts(read)


@pytest.mark.parametrize("line", ["canary api prod", "canary prod api"])
def test_two_words_ask_how_one_stands(line: str) -> None:
    """Nothing is started."""
    read = parse(read_line(line), READING)
    assert read == Look(Target("api", "prod"))
    assert not SPEC.starts(read)


def test_a_dry_run_starts_nothing() -> None:
    """It is answered by its plan alone."""
    read = parse(read_line("canary api v2 prod --dry-run"), READING)
    assert isinstance(read, Canary)
    assert not SPEC.starts(read)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("canary api latest prod", "`latest` is a name that everybody moves"),
        ("canary api ghcr.io/acme/api:v2 prod", "is no tag, commit or digest"),
        ("canary api v2 prd", "did you mean 'prod'?"),
        ("canary api prod --dry-run", "`canary` has no `--dry-run`"),
        ("canary api", "canary <service> <ref> <environment>"),
        ("canary api v2 prod --runbook carnary", "There is no runbook 'carnary'; did you mean 'canary'?"),
    ],
)
def test_slips_are_answered_with_their_fix(line: str, said: str) -> None:
    """The sentence names what was typed, and what to type."""
    with pytest.raises(UsageError) as caught:
        parse(read_line(line), READING)
    assert said in str(caught.value)


async def test_a_canary_is_asked_for(tmp_path: Path) -> None:
    """The answer names the run and where to follow it; a second one waits in line."""
    async with conversation(tmp_path) as chat:
        told = await chat.says("canary api v2 prod")
        assert told.startswith("`api-prod-1`: canary of *api* in *prod* to `v2` is asked for.")
        assert "It waits at place 1, behind `api-prod-1`" in await chat.says("canary api v3 prod")


async def test_a_release_that_is_no_canary_is_named(tmp_path: Path) -> None:
    """Something is under way there, and there is no canary to tell of."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v2 prod")
        await chat.voting("api-prod-1")
        told = await chat.says("canary api prod")
        assert told.startswith("No canary of api is running in prod. `api-prod-1` is under way there, at no canary.")
