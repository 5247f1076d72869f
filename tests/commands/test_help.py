"""help, the registry behind it, and the verbs that do nothing yet."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import UsageError
from commands.grammar import read_line
from commands.registry import COMMANDS
from commands.spec import CommandSpec, Reading
from commands.wording import slash_line
from runbooks.loader import load_library
from tests.commands.conversation import conversation
from tests.fakes.clock import START
from tests.runbooks.catalogues import a_catalogue


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.verb))
def test_every_example_can_be_typed(spec: CommandSpec[Any]) -> None:
    """What the help shows is understood by the grammar."""
    reading = Reading(a_catalogue(), load_library(), START)
    for example in spec.examples:
        line = read_line(example)
        assert line.verb == spec.verb
        assert spec.parse(line, reading) == spec.parse(line, reading)


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.verb))
def test_every_verb_explains_itself(spec: CommandSpec[Any]) -> None:
    """Its usage begins with it, its summary is a clause."""
    assert spec.usage.split()[0] == spec.verb
    assert spec.summary[0].islower()
    assert not spec.summary.endswith(".")
    assert spec.examples


def test_every_verb_is_there_once() -> None:
    """A second one of the same name would never be reached."""
    verbs = [spec.verb for spec in COMMANDS]
    assert len(verbs) == len(set(verbs))


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.verb))
@pytest.mark.parametrize(
    "rest", ["", "x", "api prod", "api v1 prod", "a b c d e", "to", "--at 18:00", "sha256: prod api"]
)
def test_no_line_breaks_a_verb(spec: CommandSpec[Any], rest: str) -> None:
    """It is understood, or answered by a UsageError with words in it."""
    try:
        spec.parse(read_line(f"{spec.verb} {rest}"), Reading(a_catalogue(), load_library(), START))
    except UsageError as slip:
        answered = bool(str(slip))
    else:
        answered = True
    assert answered


async def test_help_lists_every_verb(tmp_path: Path) -> None:
    """Generated from the registry, so that none is forgotten."""
    async with conversation(tmp_path) as chat:
        said = await chat.says("help")
        assert all(f"`{slash_line(spec.verb)}" in said for spec in COMMANDS)


async def test_help_on_a_verb_shows_examples(tmp_path: Path) -> None:
    """Lines that can be typed as they are."""
    async with conversation(tmp_path) as chat:
        assert "• `/rollback api prod`" in await chat.says("help /rollback")


async def test_help_on_nothing_known_offers_the_near_verb(tmp_path: Path) -> None:
    """Even for help."""
    async with conversation(tmp_path) as chat:
        assert await chat.says("help rolback") == "There is no verb 'rolback'; did you mean 'rollback'?"
