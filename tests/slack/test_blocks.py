"""Slack's limits hold for whatever is put in."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ports.chat import Content
from bot.slack.blocks import Button, Confirm, Piece, actions, content, context, header, section
from bot.slack.mrkdwn import size

PATIENT = settings(deadline=None)  # a busy machine is no fault of the message
TEXT = st.one_of(
    st.text(st.characters(), max_size=200),
    st.builds(
        lambda text, times: text * times, st.text(st.sampled_from('a"&<\n😀\x00`'), min_size=1), st.integers(1, 3000)
    ),
)
BUTTON = st.builds(
    Button,
    TEXT,
    st.sampled_from(["abort", "plan"]),
    TEXT,
    style=st.sampled_from([None, "danger"]),
    confirm=st.none() | st.builds(Confirm, TEXT, TEXT, TEXT),
)
PIECE = st.one_of(
    st.builds(section, TEXT),
    st.builds(header, TEXT),
    st.lists(TEXT, max_size=14).map(lambda texts: context(*texts)),
    st.lists(BUTTON, max_size=30).map(lambda buttons: actions(*buttons)),
)


def plain_texts(value: Any) -> list[dict[str, Any]]:
    """All text objects in a block, at any depth."""
    if isinstance(value, dict):
        here = [value] if value.get("type") in ("plain_text", "mrkdwn") else []
        return here + [found for item in value.values() for found in plain_texts(item)]
    return [found for item in value for found in plain_texts(item)] if isinstance(value, list) else []


def within(block: dict[str, Any]) -> bool:
    """Whether one block keeps the documented limits of its kind."""
    match block["type"]:
        case "section":
            return 1 <= size(block["text"]["text"]) <= 3000
        case "header":
            return 1 <= size(block["text"]["text"]) <= 150
        case "context":
            return 1 <= len(block["elements"]) <= 10
        case "actions":
            return 1 <= len(block["elements"]) <= 25 and all(fits(button) for button in block["elements"])
        case _:
            return False


def fits(button: dict[str, Any]) -> bool:
    """Whether a button keeps its limits."""
    confirm = button.get("confirm")
    return (
        size(button["text"]["text"]) <= 75
        and size(button["value"]) <= 2000
        and (
            confirm is None or all(size(confirm[part]["text"]) <= 300 for part in ("title", "text", "confirm", "deny"))
        )
    )


@PATIENT
@given(st.lists(PIECE, max_size=70))
def test_any_message_is_within_slacks_limits(pieces: list[Piece]) -> None:
    """Fifty blocks, thirteen thousand characters, four thousand of text, and every block by its own rule."""
    message = content(*pieces)
    assert len(message.blocks) <= 50
    assert size(json.dumps(message.blocks, ensure_ascii=False)) <= 13_000
    assert size(message.text) <= 4_000
    assert all(within(block) for block in message.blocks)
    assert all(found["text"].strip() for block in message.blocks for found in plain_texts(block))


@PATIENT
@given(st.lists(TEXT, min_size=1, max_size=70))
def test_buttons_survive_any_amount_of_text(texts: list[str]) -> None:
    """However long the evidence is, people can still abort."""
    message = content(*map(section, texts), actions(Button("Abort", "abort", "abort api-prod-42")))
    assert "actions" in [block["type"] for block in message.blocks]


def test_nothing_in_a_text_is_turned_into_a_mention() -> None:
    """Slack parses `@here` and channel names in mrkdwn unless it is told not to."""
    assert [found["verbatim"] for found in plain_texts(content(section("@here"), context("@here")).blocks[0])] == [True]


def test_what_does_not_fit_is_counted() -> None:
    """A reader sees that the message goes on, and by how much."""
    message = content(*(section("x" * 2900) for _ in range(6)))
    assert message.blocks[-1] == context("… (2 more lines)").block


def test_the_text_says_what_the_blocks_say() -> None:
    """Who reads without blocks reads everything, and types instead of clicking."""
    message = content(
        header("A headline"),
        section("*One* thing"),
        context("small", "print"),
        actions(Button("Abort", "abort", "abort api-prod-42"), Button("Roll back", "rollback", "rollback api prod")),
    )
    assert message.text == (
        "A headline\n*One* thing\nsmall · print\nAbort: `/release abort api-prod-42` · Roll back: `/rollback api prod`"
    )


def test_a_button_that_the_words_name_already_is_not_said_again() -> None:
    """It is there to be clicked all the same, and the others beside it are said."""
    rollback = Button("Roll back", "rollback", "rollback api prod", is_said=True)
    alone, beside = actions(rollback), actions(Button("Abort", "abort", "abort api-prod-42"), rollback)
    assert content(section("It runs."), alone).text == "It runs."
    assert beside.text == "Abort: `/release abort api-prod-42`"
    assert len(beside.block["elements"]) == 2  # type: ignore[arg-type]


def test_a_button_whose_command_would_be_cut_is_left_out() -> None:
    """Half a command is another command."""
    assert content(section("x"), actions(Button("Run", "run", "v" * 2001))) == content(section("x"))


def test_too_many_small_prints_are_counted() -> None:
    """The tenth says how many there were besides."""
    block: Any = context(*(str(number) for number in range(12))).block
    assert [element["text"] for element in block["elements"]] == [*"012345678", "… (3 more)"]


def test_a_confirmation_names_its_answers_and_looks_like_its_button() -> None:
    """A click that does harm asks first."""
    confirm = Confirm("Abort?", "Stop api-prod-42?", yes="Abort it")
    message = content(actions(Button("Abort", "abort", "abort api-prod-42", style="danger", confirm=confirm)))
    button: Any = message.blocks[0]["elements"]
    assert button[0]["style"] == "danger"
    assert {part: text if part == "style" else text["text"] for part, text in button[0]["confirm"].items()} == {
        "title": "Abort?",
        "text": "Stop api-prod-42?",
        "confirm": "Abort it",
        "deny": "No",
        "style": "danger",
    }


def test_an_empty_message_is_empty() -> None:
    """Nothing in, nothing out."""
    assert content() == Content("")
