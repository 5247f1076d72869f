"""Escaping, mentions and cutting."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.mrkdwn import (
    clip,
    code,
    escape,
    fenced,
    group_mention,
    mention,
    moment,
    people,
    plain,
    quoted,
    shortened,
    size,
    strike,
)

PATIENT = settings(deadline=None)  # a busy machine is no fault of the text
ANY_TEXT = st.text(st.characters(), max_size=4000)
AWKWARD = st.text(st.sampled_from("a&<>`~*\n😀@!x \ud800\x00"), max_size=600)
AT = datetime(2025, 6, 11, 14, 30, tzinfo=UTC)


@PATIENT
@given(ANY_TEXT)
def test_escaped_text_can_neither_mention_nor_link(text: str) -> None:
    """After escaping no angle bracket is left for Slack to act on."""
    assert not {"<", ">"} & set(escape(text))


@PATIENT
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_terminal_reads_escaped_text_as_it_was(text: str) -> None:
    """Escaping loses nothing: `plain` gives back words that carry no markup of their own."""
    bare = text.translate({ord(sign): None for sign in ":*"})
    assert plain(escape(bare)) == bare


@PATIENT
@given(AWKWARD, st.integers(60, 400))
def test_clipped_text_keeps_its_limit(text: str, limit: int) -> None:
    """Whatever is cut, the note that says so included, stays within the limit as Slack may count it."""
    assert size(clip(escape(text), limit)) <= limit


@PATIENT
@given(AWKWARD, st.integers(2, 100))
def test_shortened_text_keeps_its_limit_on_one_line(text: str, limit: int) -> None:
    """A label or a title never breaks a line nor its limit."""
    short = shortened(escape(text), limit)
    assert size(short) <= limit
    assert "\n" not in short


@PATIENT
@given(st.lists(AWKWARD, max_size=30), st.integers(80, 3000))
def test_preformatted_lines_stay_inside_their_fence(lines: list[str], limit: int) -> None:
    """No log line can end the block it is quoted in."""
    text = fenced(lines, limit=limit)
    assert size(text) <= limit
    assert text.startswith("```\n")
    assert text.endswith("\n```")
    assert text.count("```") == 2


def test_a_cut_says_how_many_lines_are_missing() -> None:
    """People see that there is more, and how much."""
    text = "\n".join(f"line {number}" for number in range(30))
    assert clip(text, 100) == "line 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\n… (22 more lines)"


def test_one_long_line_is_cut_with_an_ellipsis() -> None:
    """A single line has no more lines to count."""
    assert clip("x" * 200, 100) == "x" * 60 + "…"


def test_a_cut_does_not_go_through_an_escape() -> None:
    """Half an `&amp;` would show as garbage."""
    assert clip("x" * 58 + "&amp;" + "y" * 60, 100) == "x" * 58 + "…"


def test_a_cut_does_not_go_through_a_mention() -> None:
    """Half a mention would show as garbage."""
    assert shortened("approved by <@U0ANN> and more", 18) == "approved by …"


def test_a_cut_closes_the_fence_it_goes_through() -> None:
    """Otherwise the rest of the message would be preformatted too."""
    assert clip("```\n" + "log line\n" * 40 + "```", 120).count("```") == 2


def test_only_wellformed_ids_are_mentioned() -> None:
    """Somebody at a terminal has no Slack id; their name stays text."""
    assert mention("U0ANN") == "<@U0ANN>"
    assert mention("terminal:ann") == "terminal:ann"
    assert mention("U0ANN> <!channel") == "U0ANN&gt; &lt;!channel"


def test_our_own_sentences_name_people() -> None:
    """The engine writes people as `<@ID>`; everything around them is escaped."""
    assert people("rejected by <@U0BOB>, <@terminal:ann> <!here>") == (
        "rejected by <@U0BOB>, terminal:ann &lt;!here&gt;"
    )


def test_a_groups_mention_waits_for_its_id() -> None:
    """A handle that could not be one is text."""
    assert group_mention("@release-approvers") == "<!subteam^@release-approvers>"
    assert group_mention("@a>b") == "@a&gt;b"


def test_a_time_is_shown_in_the_readers_zone() -> None:
    """The fallback names UTC; another day than today's names its date."""
    assert moment(AT, seen_from=AT) == "<!date^1749652200^{time}|14:30 UTC>"
    yesterday = AT.replace(day=10)
    assert moment(AT, seen_from=yesterday) == "<!date^1749652200^{date_short} {time}|2025-06-11 14:30 UTC>"


def test_code_stays_on_one_line_and_in_its_ticks() -> None:
    """A reference with a back-tick in it cannot end its own code type."""
    assert code("a`b\nc<d>") == "`a'b c&lt;d&gt;`"


def test_each_line_is_struck_out_by_itself() -> None:
    """Slack's strike does not cross a line break; a tilde inside would end it early."""
    assert strike("one\n\ntwo~") == "~one~\n\n~two-~"


def test_a_quoted_reason_brings_no_second_full_stop() -> None:
    """Our sentence ends it."""
    assert quoted(" it broke. ") == "it broke"


def test_a_terminal_reads_words_instead_of_markup() -> None:
    """Emoji, mentions, dates and bold become what a terminal can show."""
    text = ":white_check_mark: *api* by <@U0ANN> of <!subteam^@ops> at <!date^1^{time}|14:30 UTC> &amp; <!subteam^S1>"
    assert plain(text) == "✓ api by @U0ANN of @ops at 14:30 UTC & @S1"
