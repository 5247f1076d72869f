"""Slack's payloads become invocations, and what is not for us becomes nothing."""

from typing import Any

import pytest

from bot.domain.ids import UserId
from bot.domain.invocation import Invocation, Origin
from bot.slack import payloads
from commands.grammar import read_line
from tests.slack.samples import NOW

BOT = UserId("U0SLUICE")


def slash(command: str, text: str, **more: str) -> dict[str, str]:
    """A slash command as Slack posts it."""
    body = {"trigger_id": "13.37.abc", "user_id": "U0ANN", "channel_id": "C0DEPLOYS", "team_id": "T1"}
    return body | {"command": command, "text": text} | more


def an_event(**event: Any) -> dict[str, Any]:
    """An Events API envelope."""
    return {"event_id": "Ev1", "team_id": "T1", "event": event}


def heard(body: dict[str, Any]) -> Invocation | None:
    """What the bot makes of an event."""
    return payloads.event(body, at=NOW, bot_user=BOT)


@pytest.mark.parametrize(
    ("command", "text", "line"),
    [
        ("/deploy", "api x staging", "deploy api x staging"),
        ("/rollback", "api prod", "rollback api prod"),
        ("/canary", "", "canary"),
        ("/promote", " api  prod ", "promote api  prod"),
        ("/release", "status api", "status api"),
        ("/release", "", "help"),
    ],
)
def test_a_slash_command_is_a_line(command: str, text: str, line: str) -> None:
    """The verb comes first, whichever command it was typed behind."""
    assert payloads.slash(slash(command, text), at=NOW).text == line


def test_a_slash_command_knows_who_and_where() -> None:
    """Everything that the dispatcher needs, and nothing of Slack."""
    invocation = payloads.slash(slash("/deploy", "api x staging"), at=NOW)
    assert (invocation.origin, invocation.user, invocation.channel) == (Origin.SLASH, "U0ANN", "C0DEPLOYS")
    assert (invocation.team_id, invocation.received_at) == ("T1", NOW)


def test_the_same_command_again_is_another_one() -> None:
    """Slack gives every command a trigger id of its own; a redelivery repeats it."""
    one, again = slash("/deploy", "api x staging"), slash("/deploy", "api x staging", trigger_id="13.38.abc")
    assert payloads.slash(one, at=NOW).dedupe_key == payloads.slash(dict(one), at=NOW).dedupe_key
    assert payloads.slash(one, at=NOW).dedupe_key != payloads.slash(again, at=NOW).dedupe_key


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("api x prod \u2014reason \u201cit is late\u201d", 'api x prod --reason "it is late"'),
        ("api x prod \u2013reason don\u2019t", "api x prod --reason don\u2019t"),
        ("api `sha123` staging", "api sha123 staging"),
        ("api a &amp;&amp; b", "api a && b"),
        ("why <http://ci.example/1|ci.example/1>", "why ci.example/1"),
        ("why <https://ci.example/1>", "why https://ci.example/1"),
        ("api <@U0BOB|bob>", "api @bob"),
        ("a\u00a0b \u2014 c", "a b \u2014 c"),
    ],
)
def test_a_line_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    """Phones make other quotes and dashes of it, and Slack makes links."""
    assert payloads.slash(slash("/deploy", typed), at=NOW).text == f"deploy {meant}"


@pytest.mark.parametrize(
    ("command", "text", "verb"),
    [("/deploy", "", "deploy"), ("/rollback", "  ", "rollback"), ("/deploy", "api", None), ("/release", "", None)],
)
def test_a_bare_command_asks_for_its_form(command: str, text: str, verb: str | None) -> None:
    """Only where there is one."""
    assert payloads.form_verb(slash(command, text)) == verb


def test_a_form_knows_where_it_was_asked_for() -> None:
    """A submission does not say so itself."""
    assert payloads.form_trigger(slash("/deploy", "")) == ("13.37.abc", "C0DEPLOYS")


def click(**changes: Any) -> dict[str, Any]:
    """A click on Abort."""
    body: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": "U0BOB", "team_id": "T2"},
        "channel": {"id": "C0DEPLOYS"},
        "container": {"message_ts": "1.2"},
        "message": {"thread_ts": "1.1"},
        "actions": [{"action_id": "abort", "value": "abort api-prod-42", "action_ts": "1.3"}],
    }
    return body | changes


def test_a_click_is_the_line_on_the_button() -> None:
    """Whoever clicks asks for it, and is judged as if they had typed it."""
    invocation = payloads.button(click(), at=NOW)
    assert invocation is not None
    assert (invocation.origin, invocation.text, invocation.user) == (Origin.BUTTON, "abort api-prod-42", "U0BOB")
    assert (invocation.channel, invocation.message_ts, invocation.thread_ts) == ("C0DEPLOYS", "1.2", "1.1")
    assert invocation.team_id == "T2"


def test_two_people_clicking_at_once_are_two_clicks() -> None:
    """The dedupe key holds the person."""
    keys = {payloads.button(click(user={"id": user}), at=NOW) for user in ("U0ANN", "U0BOB")}
    assert len({invocation.dedupe_key for invocation in keys if invocation}) == 2


def test_a_click_on_something_without_a_value_is_nothing() -> None:
    """A link or a menu is not a command."""
    assert payloads.button(click(actions=[{"action_id": "link"}]), at=NOW) is None
    assert payloads.button(click(actions=[]), at=NOW) is None


def sent(verb: str, **values: Any) -> dict[str, Any]:
    """A form that was sent."""
    answers = {
        name: {name: answer if isinstance(answer, dict) else {"value": answer}} for name, answer in values.items()
    }
    view = {"id": "V1", "hash": "h1", "callback_id": f"sluice.{verb}", "private_metadata": "C0DEPLOYS"}
    return {"user": {"id": "U0ANN", "team_id": "T1"}, "view": view | {"state": {"values": answers}}}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            sent(
                "deploy", service={"selected_option": {"value": "api"}}, ref="sha123", environment="prod", reason="it's"
            ),
            """deploy api sha123 prod '--reason=it'"'"'s'""",
        ),
        (sent("deploy", service="api", ref="a b; c", environment="prod", reason=None), "deploy api 'a b; c' prod"),
        (sent("canary", service="api", ref="v2", environment="prod"), "canary api v2 prod"),
        (sent("promote", service="api", **{"from": "staging"}, environment="prod"), "promote api staging prod"),
        (sent("rollback", service="api", environment="prod", ref=" ", reason=None), "rollback api prod"),
        (sent("rollback", service="api", environment="prod", ref="v1"), "rollback api prod to v1"),
    ],
)
def test_a_form_is_the_line_it_stands_for(body: dict[str, Any], line: str) -> None:
    """Every answer is one word, whatever is in it."""
    invocation = payloads.submission(body, at=NOW)
    assert invocation is not None
    assert (invocation.text, invocation.origin, invocation.channel) == (line, Origin.FORM, "C0DEPLOYS")
    assert invocation.dedupe_key == "view:V1:h1"


def test_somebody_elses_view_is_nothing() -> None:
    """Only our own forms are commands."""
    assert payloads.submission(sent("approve"), at=NOW) is None


def test_a_mention_is_what_comes_behind_it() -> None:
    """In a thread it stays there."""
    body = an_event(
        type="app_mention",
        user="U0ANN",
        text="hey <@U0SLUICE> deploy api x prod",
        channel="C1",
        ts="1.2",
        thread_ts="1.1",
    )
    invocation = heard(body)
    assert invocation is not None
    assert (invocation.origin, invocation.text) == (Origin.MENTION, "deploy api x prod")
    assert (invocation.message_ts, invocation.thread_ts, invocation.dedupe_key) == ("1.2", "1.1", "event:Ev1")


def test_any_mention_is_read_at_once() -> None:
    """A line of mentions that never end is read before the acknowledgement, in the loop that serves everybody: a reader
    that tries every pair of them would take minutes over this one."""
    text = "<@U0SLUICE|" * 100_000
    invocation = heard(an_event(type="app_mention", user="U0ANN", text=text, channel="C1"))
    assert invocation is not None
    assert invocation.origin is Origin.MENTION


def test_a_reason_keeps_its_angle_brackets() -> None:
    """Slack sends what was typed as entities; it is text on its whole way to the verb."""
    body = slash("/deploy", 'api v2 prod --reason "List&lt;String&gt; when a &lt; b and c &gt; d"')
    options = read_line(payloads.slash(body, at=NOW).text).options
    assert options == {"reason": "List<String> when a < b and c > d"}


def test_a_bare_mention_asks_for_help() -> None:
    """Whoever only says the name wants to know what it can do."""
    invocation = heard(an_event(type="app_mention", user="U0ANN", text="<@U0SLUICE|sluice>", channel="C1"))
    assert invocation is not None
    assert invocation.text == "help"


def test_other_bots_cannot_command() -> None:
    """A message that quotes a command is not one; nor is our own."""
    text = "<@U0SLUICE> deploy api x prod"
    assert heard(an_event(type="app_mention", user="U0X", bot_id="B1", text=text, channel="C1")) is None
    assert heard(an_event(type="app_mention", user=BOT, text=text, channel="C1")) is None


def reaction(kind: str = "reaction_added", **changes: Any) -> dict[str, Any]:
    """Bob reacts to one of our messages."""
    event = {
        "type": kind,
        "user": "U0BOB",
        "reaction": "white_check_mark::skin-tone-3",
        "item": {"type": "message", "channel": "C0DEPLOYS", "ts": "1.2"},
        "item_user": BOT,
    }
    return an_event(**(event | changes))


@pytest.mark.parametrize(
    ("kind", "text"), [("reaction_added", "+white_check_mark"), ("reaction_removed", "-white_check_mark")]
)
def test_a_reaction_has_a_sign_and_no_skin_tone(kind: str, text: str) -> None:
    """All hands are equal."""
    invocation = heard(reaction(kind))
    assert invocation is not None
    assert (invocation.origin, invocation.text, invocation.message_ts) == (Origin.REACTION, text, "1.2")
    assert invocation.channel == "C0DEPLOYS"


@pytest.mark.parametrize(
    "changes", [{"user": BOT}, {"item_user": "U0ANN"}, {"item": {"type": "file"}}], ids=["own", "other's", "file"]
)
def test_reactions_that_are_no_votes_are_dropped(changes: dict[str, Any]) -> None:
    """Our own seeds, and whatever people think of each other's messages."""
    assert heard(reaction(**changes)) is None


def test_a_reaction_without_an_author_is_kept() -> None:
    """Slack leaves `item_user` out at times: unknown is not a reason to lose a vote."""
    assert heard(reaction(item_user=None)) is not None


def test_an_outsider_is_known_by_their_workspace() -> None:
    """In a shared channel the envelope's team is ours, not theirs."""
    invocation = heard(reaction(user_team="T9"))
    assert invocation is not None
    assert invocation.team_id == "T9"


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "message_deleted", "deleted_ts": "1.2", "previous_message": {"user": BOT, "ts": "1.2"}},
        {
            "subtype": "message_changed",
            "message": {"subtype": "tombstone", "ts": "1.2"},
            "previous_message": {"user": BOT},
        },
    ],
    ids=["deleted", "tombstone"],
)
def test_our_message_was_deleted(event: dict[str, Any]) -> None:
    """With replies under it, it turns into a tombstone instead; a ballot is void either way."""
    invocation = heard(an_event(type="message", channel="C0DEPLOYS", **event))
    assert invocation is not None
    assert (invocation.origin, invocation.text, invocation.message_ts) == (Origin.CHANNEL, "message_deleted", "1.2")


@pytest.mark.parametrize(
    "event",
    [
        {"text": "hello", "user": "U0ANN"},
        {"subtype": "message_changed", "message": {"text": "edited", "user": BOT}},
        {"subtype": "message_deleted", "deleted_ts": "1.2", "previous_message": {"user": "U0ANN"}},
    ],
    ids=["chat", "edit", "other's"],
)
def test_other_messages_are_nothing(event: dict[str, Any]) -> None:
    """The bot reads along for deletions alone."""
    assert heard(an_event(type="message", channel="C0DEPLOYS", **event)) is None


@pytest.mark.parametrize("kind", sorted(payloads.CHANNEL_EVENTS))
def test_a_change_of_the_channel_is_told_by_its_kind(kind: str) -> None:
    """An open ballot in it must be looked at again."""
    invocation = heard(an_event(type=kind, channel="C0DEPLOYS", user="U0ANN"))
    assert invocation is not None
    assert (invocation.origin, invocation.text, invocation.channel) == (Origin.CHANNEL, kind, "C0DEPLOYS")


def test_events_that_nobody_asked_for_are_nothing() -> None:
    """Acknowledged and forgotten."""
    assert heard(an_event(type="team_join")) is None
    assert heard({}) is None
