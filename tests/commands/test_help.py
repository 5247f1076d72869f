"""help, the registry behind it, and the verbs that do nothing yet."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.domain.errors import UsageError
from commands.grammar import FLAGS, VALUES, read_line
from commands.registry import COMMANDS
from commands.spec import CommandSpec, Reading
from commands.wording import slash_line
from deploy.reference.commands import takes
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


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.verb))
def test_every_verb_shows_the_options_that_it_takes(spec: CommandSpec[Any]) -> None:
    """No more and no fewer; a reason that has a place in its line needs no option besides."""
    taken = {name for name in VALUES | FLAGS if takes(spec, name)}
    assert set(spec.options) == (taken - {"reason"} if "reason" in spec.usage else taken)


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


async def test_help_on_a_verb_says_what_each_option_means(tmp_path: Path) -> None:
    """The line itself stays short, and each option is shown as it is typed."""
    async with conversation(tmp_path) as chat:
        assert await chat.says("help rollback") == snapshot("""\
`/rollback &lt;service&gt; &lt;environment&gt; [to &lt;ref&gt;]`
Goes back to the last known good version, or to a named one; stops a release that is under way.
• `/rollback api prod`
• `/rollback api prod to v1.4.1 --reason "slow logins"`
Anywhere in the line:
• `--dry-run` show the plan to the one who asks, and start nothing
• `--reason "what for"` why; shown to those who vote, and kept
• `--at 18:00` begin then: `18:00` (UTC, today) or `2026-01-31T18:00Z`
• `--runbook hotfix` another runbook than the target's own
• `--break-glass` go on without votes, for the group of `break_glass`; needs a reason, and is told to everybody\
""")


async def test_help_on_a_verb_that_is_written_in_two_ways_shows_both(tmp_path: Path) -> None:
    """Each to be copied by itself."""
    async with conversation(tmp_path) as chat:
        first = (await chat.says("help promote")).splitlines()[0]
    assert first.count("`") == 4
    assert "` or `/promote" in first


async def test_help_on_nothing_known_offers_the_near_verb(tmp_path: Path) -> None:
    """Even for help."""
    async with conversation(tmp_path) as chat:
        assert await chat.says("help rolback") == "There is no verb 'rolback'; did you mean 'rollback'?"
