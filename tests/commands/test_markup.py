"""What Slack and keyboards do to a line, undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.markup import as_keyed, as_typed


@pytest.mark.parametrize(
    ("received", "typed"),
    [
        ("deploy api v1 prod", "deploy api v1 prod"),
        ("<@U0SLUICE> deploy api v1 prod", "deploy api v1 prod"),
        ("  <@U0SLUICE|sluice>  status", "status"),
        ("deploy `api` `v1` prod", "deploy api v1 prod"),
        ("deploy <http://api.example|api.example> v1", "deploy api.example v1"),
        ("see <https://ci.example/1?a=1&amp;b=2>", "see https://ci.example/1?a=1&b=2"),
        ("mail <mailto:ann@example.org|ann@example.org>", "mail ann@example.org"),
        ("told <#C0DEPLOYS|deploys> by <@U0ANN|ann>", "told #deploys by @ann"),
        ("told <#C0DEPLOYS> by <@U0ANN>", "told #C0DEPLOYS by @U0ANN"),
        ("for <!subteam^S1|@on-call> and <!here>", "for @on-call and @here"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("--reason “it’s slow”", '--reason "it’s slow"'),
        ("--reason ‘slow’", "--reason 'slow'"),
        ("don't", "don’t"),
        ("deploy —dry-run –reason x", "deploy --dry-run --reason x"),
        ("a — b", "a — b"),
        ("deploy\u00a0api\u200b\tv1\nprod", "deploy api v1 prod"),
        ("", ""),
    ],
)
def test_a_line_is_as_it_was_typed(received: str, typed: str) -> None:
    """Links, mentions, entities, quotes, dashes, odd spaces and what cannot be seen."""
    assert as_typed(received) == typed


def test_what_was_typed_as_markup_stays_text() -> None:
    """Entities are undone once and last: typed angle brackets do not become a link."""
    assert as_typed("&lt;https://evil|x&gt;") == "<https://evil|x>"


def test_undoing_what_a_keyboard_did_may_be_repeated() -> None:
    """The line is stored as typed and taken apart later: typed angle brackets and entities are left alone by that."""
    once = as_typed("deploy —dry-run --reason ‘List&lt;String&gt; &amp;lt; “b”’ don't")
    assert as_keyed(once) == once
    assert "List<String> &lt;" in once


@given(st.text())
def test_any_line_that_was_undone_stays_as_it_is(text: str) -> None:
    """A second look changes nothing."""
    assert as_keyed(as_keyed(text)) == as_keyed(text)


@pytest.mark.parametrize(
    "line", ["<" * 40_000, "<@" * 20_000, "<a" * 20_000, "<a|" * 13_000, "<@U0ANN|" * 5000, " " * 40_000, "’" * 40_000]
)
def test_any_line_is_undone_at_once(line: str) -> None:
    """It is read before the acknowledgement, in the loop that serves everybody: a reader that goes back over the line
    for each of its characters would take minutes over one five times as long."""
    assert len(as_typed(line * 5)) <= len(line) * 5


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    """No control character, no line break, no backtick is left."""
    typed = as_typed(text)
    assert typed == typed.strip()
    assert "`" not in typed
    assert all(character == " " or not character.isspace() for character in typed)
