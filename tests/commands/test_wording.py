"""Small pieces of text, safe in a channel."""

from datetime import timedelta

import pytest

from bot.domain.ids import UserId
from commands.wording import LONGEST_REPLY, ago, clipped, clock_time, code, people, person, safe, version
from tests.fakes.clock import START


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<!channel> look", "&lt;!channel&gt; look"),
        ("<https://evil|prod>", "&lt;https://evil|prod&gt;"),
        ("rejected by <@U0BOB>: <b>", "rejected by <@U0BOB>: &lt;b&gt;"),
        ("<@U0BOB|boss>", "&lt;@U0BOB|boss&gt;"),
    ],
)
def test_text_from_elsewhere_cannot_shout(text: str, shown: str) -> None:
    """No link and no group mention; a single person stays a person."""
    assert safe(text) == shown


def test_code_cannot_be_broken_out_of() -> None:
    """A backtick in a reference does not end it."""
    assert code("v1`<x>") == "`v1'&lt;x&gt;`"


def test_versions_are_short() -> None:
    """Twelve digits of a digest, everything of a tag."""
    assert version(f"sha256:{'a' * 64}") == "`sha256:aaaaaaaaaaaa`"
    assert version("v1.4.2") == "`v1.4.2`"


def test_people_are_named_as_they_are_known() -> None:
    """By Slack, by the terminal, or not at all."""
    assert people((UserId("U0ANN"), UserId("terminal:bob"))) == "<@U0ANN>, bob"
    assert person(None) == "Sluice"
    assert person(UserId("terminal:<b>")) == "&lt;b&gt;"


def test_times_have_a_day_only_when_it_is_another() -> None:
    """In UTC, always."""
    assert clock_time(START, START) == "09:00 UTC"
    assert clock_time(START + timedelta(days=1), START) == "2026-03-03 09:00 UTC"
    assert ago(START, START + timedelta(minutes=3)) == "3m ago"


def test_a_long_list_is_cut_at_a_line() -> None:
    """What is left out is counted."""
    said = clipped(["x" * 99] * 100, more="Ask for less.")
    assert len(said) <= LONGEST_REPLY
    kept = said.count("\n")
    assert said.endswith(f"… and {100 - kept} lines more. Ask for less.")
    assert clipped(["a", "b"], more="never") == "a\nb"
