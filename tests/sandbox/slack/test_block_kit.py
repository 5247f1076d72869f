"""What Slack takes as blocks: each limit at its edge, and everything that the bot sends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.block_kit import check_message, check_modal
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.numbering import numbered
from bot.slack.blocks import Button, actions, content, context, header, section
from bot.slack.forms import FORM_VERBS, FormChoices, form
from bot.slack.release_message import release_message
from tests.slack.samples import voting

Block = dict[str, Any]

WORDS = st.sampled_from(
    ["type", "text", "section", "actions", "input", "image", "accessory", "element", "elements", "rich_text", "button"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


def plain(text: str) -> Block:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def said(text: str) -> Block:
    """A section."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(**changes: Any) -> Block:
    """A button in its row."""
    element = {"type": "button", "action_id": "abort", "text": plain("Abort"), **changes}
    return {"type": "actions", "elements": [element]}


def menu(count: int, text: str = "one") -> Block:
    """A menu in its row."""
    options = [{"text": plain(text), "value": str(number)} for number in range(count)]
    return {"type": "actions", "elements": [{"type": "static_select", "action_id": "a", "options": options}]}


def field(**changes: Any) -> Block:
    """A field of a form."""
    element = {"type": "plain_text_input", "action_id": "ref"}
    return {"type": "input", "block_id": "ref", "label": plain("Ref"), "element": element, **changes}


def modal(**changes: Any) -> Block:
    """A form."""
    return {"type": "modal", "title": plain("Release"), "submit": plain("Go"), "blocks": [field()], **changes}


def fault(blocks: Any) -> str:
    """What Slack says of these blocks: its word and the first place; empty if it takes them."""
    try:
        check_message(blocks)
    except SlackFaultError as error:
        return " ".join([error.error, *error.more.get("errors", ())[:1]])
    return ""


@pytest.mark.parametrize(
    "block",
    [
        said("x" * 3000),
        {"type": "section", "fields": [plain("x" * 2000), *[plain("x")] * 9]},
        {
            "type": "section",
            "text": plain("x"),
            "accessory": {"type": "image", "image_url": "http://x", "alt_text": ""},
        },
        {"type": "header", "text": plain("x" * 150)},
        {"type": "context", "elements": [plain("x")] * 10},
        {"type": "divider", "block_id": "x" * 255},
        {"type": "image", "image_url": "http://x", "alt_text": "a picture"},
        button(value="x" * 2000, style="danger"),
        button(text=plain("x" * 75)),
        menu(100),
        field(),
    ],
    ids=lambda block: block["type"],
)
def test_a_block_at_its_limits_is_taken(block: Block) -> None:
    """Nothing that Slack takes is refused."""
    assert fault([block]) == ""


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (said("x" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (said(" "), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (said("😀" * 1501), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ({"type": "section"}, "missing required field: text [json-pointer:/blocks/0]"),
        (
            {"type": "section", "fields": [plain("x")] * 11},
            "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
        ),
        (
            {"type": "header", "text": plain("x" * 151)},
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        ({"type": "header", "text": said("x")["text"]}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"),
        ({"type": "context", "elements": []}, "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (
            {"type": "context", "elements": [plain("x")] * 11},
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
        ),
        ({"type": "actions", "elements": []}, "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        ({"type": "divider", "color": "red"}, "additional property: color [json-pointer:/blocks/0]"),
        ({"type": "balloon"}, "unsupported type: balloon [json-pointer:/blocks/0/type]"),
        ({"text": "x"}, "missing required field: type [json-pointer:/blocks/0]"),
        ({"type": "image", "alt_text": "x"}, "must define either image_url or slack_file [json-pointer:/blocks/0]"),
        (button(value="x" * 2001), "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"),
        (button(text=plain("x" * 76)), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"),
        (button(style="loud"), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"),
        (
            button(confirm={"title": plain("Sure?")}),
            "missing required field: text [json-pointer:/blocks/0/elements/0/confirm]",
        ),
        (menu(101), "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]"),
        (menu(1, "x" * 76), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]"),
    ],
)
def test_a_block_beyond_its_limits_is_refused(block: Block, said: str) -> None:
    """With the place and the reason."""
    assert fault([block]) == f"invalid_blocks {said}"


def test_a_message_has_fifty_blocks_at_most() -> None:
    """And no more than Slack has room for."""
    assert fault([{"type": "divider"}] * 50) == ""
    assert fault([{"type": "divider"}] * 51) == "invalid_blocks no more than 50 items allowed [json-pointer:/blocks]"
    assert fault([said("x" * 3000)] * 5) == "msg_blocks_too_long"
    assert fault("[]") == "invalid_blocks must provide an array [json-pointer:/blocks]"


def test_ids_are_unique() -> None:
    """Blocks in a message, elements in a block."""
    twice = [{"type": "divider", "block_id": "a"}] * 2
    assert fault(twice) == "invalid_blocks `block_id` already exists: a [json-pointer:/blocks/1/block_id]"
    row = {"type": "actions", "elements": button()["elements"] * 2}
    at = "[json-pointer:/blocks/0/elements/1/action_id]"
    assert fault([row]) == f"invalid_blocks `action_id` already exists: abort {at}"
    assert fault([button(), button()]) == ""


def test_what_the_bot_builds_is_taken() -> None:
    """At its fullest, too: its pieces keep the limits that are checked here."""
    buttons = [Button(f"{number}" * 80, f"a{number}", "x" * 100) for number in range(30)]
    full = content(header("x" * 400), context(*["y" * 3000] * 12), section("z" * 9000), actions(*buttons))
    many = content(*[section(f"{number}") for number in range(80)])
    assert [fault(list(shown.blocks)) for shown in (full, many, release_message(voting()))] == ["", "", ""]


@pytest.mark.parametrize("verb", sorted(FORM_VERBS))
def test_the_bots_forms_are_taken(verb: str) -> None:
    """Whatever is in the catalogue."""
    for services in ((), ("api",), tuple(f"service-{number}" for number in range(150))):
        check_modal(form(verb, FormChoices(services, ("staging", "x" * 100)), channel="C0DEPLOYS"))


@pytest.mark.parametrize(
    "view",
    [
        modal(title=plain("x" * 25)),
        modal(submit=plain("x" * 25)),
        modal(submit=None),
        modal(blocks=[]),
        modal(blocks=[{"type": "divider"}] * 101),
        modal(blocks=[field(), field()]),
        modal(private_metadata="x" * 3001),
        modal(callback_id="x" * 256),
        modal(blocks=[field(element={"type": "plain_text_input", "max_length": 3001})]),
        modal(blocks=[field(element={"type": "button", "text": plain("x")})]),
        modal(type="home"),
        "a form",
    ],
)
def test_a_form_beyond_its_limits_is_refused(view: Any) -> None:
    """As a bad argument."""
    with pytest.raises(SlackFaultError, match="invalid_arguments"):
        check_modal(view)


def test_a_form_at_its_limits_is_taken() -> None:
    """Nothing that Slack takes is refused."""
    check_modal(
        modal(title=plain("x" * 24), blocks=[field(), *[{"type": "divider"}] * 99], private_metadata="x" * 3000)
    )


def test_ids_are_given_where_none_were_said() -> None:
    """To blocks and to what can be pressed; `null` says nothing."""
    kept = numbered([button(action_id=None) | {"block_id": None}, {"type": "divider", "block_id": "mine"}])
    assert [block["block_id"] for block in kept] == ["b0", "mine"]
    assert kept[0]["elements"][0]["action_id"] == "b0a0"


@given(st.lists(ANYTHING, max_size=3) | ANYTHING)
def test_whatever_is_sent_is_taken_or_refused(blocks: Any) -> None:
    """Never a fault of ours; what is taken can be kept."""
    if not fault(blocks):
        assert len(numbered(blocks)) == len(blocks)


@given(ANYTHING)
def test_whatever_is_sent_as_a_form_is_taken_or_refused(view: Any) -> None:
    """With a reason."""
    with pytest.raises(SlackFaultError, match="invalid_arguments"):
        check_modal(view)
