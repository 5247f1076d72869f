"""What people may do in Slack's client, and what it tells them."""

from typing import Any

import pytest

from bot.domain.ids import ChannelId
from bot.ports.chat import Place
from bot.sandbox.slack.acme import Acme, Channel
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.markup import as_sent
from bot.sandbox.slack.records import Message
from bot.sandbox.slack.stand_in import SlackStandIn
from tests.fakes.clock import FakeClock
from tests.sandbox.slack.apps import scripted, status
from tests.sandbox.slack.form_samples import FORM, GOOD, OPTIONS, plain

DEPLOYS = ChannelId("C0DEPLOYS")
MENTIONS = {"sluice": "<@U0SLUICE>", "release-approvers": "<!subteam^S0APPROVERS>"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@sluice status", "<@U0SLUICE> status"),
        ("ask @release-approvers, please", "ask <!subteam^S0APPROVERS>, please"),
        ("<@U0SLUICE> status", "<@U0SLUICE> status"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("see https://x.example/a?b=1&c=2 now", "see <https://x.example/a?b=1&amp;c=2> now"),
        ("ann@sluice and @nobody", "ann@sluice and @nobody"),
    ],
)
def test_a_typed_line_becomes_what_slack_keeps(typed: str, sent: str) -> None:
    """Mentions are ids, signs are entities, links are marked."""
    assert as_sent(typed, mentions=MENTIONS) == sent


@pytest.mark.parametrize(
    ("user", "channel", "text", "error"),
    [
        ("frank", "deploys", "hi", "account_inactive"),
        ("zoe", "deploys", "hi", "user_not_found"),
        ("sluice", "deploys", "hi", "user_is_bot"),
        ("ann", "nowhere", "hi", "channel_not_found"),
        ("ann", "deploys", "  ", "no_text"),
        ("ann", "deploys", "/balloon up", "unknown_command"),
        ("eve", "deploys", "hi", ""),
        ("ann", "deploys", "half a sign \ud83d", ""),
        ("ann", "deploys", "/deploy \ud83d", ""),
    ],
)
async def test_not_everything_can_be_said(user: str, channel: str, text: str, error: str) -> None:
    """And nothing reaches the app then."""
    async with scripted() as (slack, app, _):
        shown = await slack.people.says(user, channel, text)
        await slack.delivered()
        assert (shown.error, shown.acknowledged, bool(app.requests)) == (error, not error, not error)


async def test_a_command_in_a_thread_is_not_supported() -> None:
    """Slack says so, and sends nothing."""
    async with scripted() as (slack, app, _):
        root = await slack.people.says("ann", "deploys", "root")
        shown = await slack.people.says("ann", "deploys", "/deploy api x prod", root.ts)
        await slack.delivered()
        assert (shown.acknowledged, shown.text) == (False, "/deploy is not supported in threads. Sorry!")
        assert [request.event.get("text") for request in app.requests] == ["root"]


async def test_a_reply_goes_into_the_thread() -> None:
    """Whichever of its messages is answered; none, if there is no such message."""
    slack = SlackStandIn(FakeClock())
    root = await slack.people.says("ann", "deploys", "root")
    reply = await slack.people.says("bob", "deploys", "reply", root.ts)
    await slack.people.says("ann", "deploys", "again", reply.ts)
    assert (await slack.people.says("ann", "deploys", "lost", "1.000000")).error == "thread_not_found"
    messages = slack.snapshot("ann")["channels"][0]["messages"]
    assert [message["thread_ts"] for message in messages] == [root.ts] * 3
    assert messages[0]["reply_count"] == 2


async def test_a_private_channel_is_there_for_its_members() -> None:
    """Neither its name nor what happens in it reaches others."""
    ops = Channel("G0OPS", "ops", is_private=True, members=frozenset({"U0ANN", "U0BOB"}))
    slack = SlackStandIn(FakeClock(), acme=Acme(channels=(ops,)))
    begin = slack.changes.number
    assert (await slack.people.says("ann", "ops", "hi")).acknowledged
    assert (await slack.people.says("dave", "ops", "hi")).error == "channel_not_found"
    assert slack.snapshot("dave")["channels"] == []
    assert slack.changes.after(begin, "U0DAVE") == []
    assert [change.body["message"]["text"] for change in slack.changes.after(begin, "U0BOB")] == ["hi"]


async def test_an_archived_channel_takes_nothing() -> None:
    """Not even a reaction."""
    slack = SlackStandIn(FakeClock())
    place = Place(DEPLOYS, (await slack.people.says("ann", "deploys", "hi")).ts or "")
    slack.admins.archives("#deploys")
    tried = [await slack.people.says("ann", "deploys", "hi"), await slack.people.reacts("ann", place, "eyes")]
    assert [shown.error for shown in tried] == ["is_archived", "is_archived"]


async def test_a_reaction_that_is_not_there_cannot_be_taken_back() -> None:
    """Nor can one be given twice, or to nothing."""
    slack = SlackStandIn(FakeClock())
    place = Place(DEPLOYS, (await slack.people.says("ann", "deploys", "hi")).ts or "")
    tried = [
        await slack.people.takes_back("bob", place, "eyes"),
        await slack.people.reacts("bob", place, ":eyes:"),
        await slack.people.reacts("bob", place, "eyes"),
        await slack.people.takes_back("bob", place, "eyes"),
        await slack.people.reacts("bob", Place(DEPLOYS, "1.000000"), "eyes"),
    ]
    assert [shown.error for shown in tried] == ["no_reaction", "", "already_reacted", "", "message_not_found"]


async def test_a_click_that_is_not_acknowledged_is_told() -> None:
    """With a warning beside the button."""
    async with scripted() as (slack, app, _):
        place = a_message_with_a_button(slack)
        await slack.delivered()
        app.answers.append(status(503))
        shown = await slack.people.presses("bob", place, "go")
        assert (shown.acknowledged, shown.error) == (False, "http_service_error")


async def test_a_button_that_one_person_is_shown_is_theirs() -> None:
    """Its click says that nobody else saw the message."""
    async with scripted() as (slack, app, _):
        place = a_message_with_a_button(slack, only_for="U0ANN")
        assert (await slack.people.presses("bob", place, "go")).error == "message_not_found"
        assert (await slack.people.presses("ann", place, "go")).acknowledged
        (click,) = app.requests
        assert click.body["container"]["is_ephemeral"]
        assert "message" not in click.body


async def test_nothing_can_be_done_while_slack_is_down() -> None:
    """Everybody is told, and nothing goes out."""
    async with scripted() as (slack, app, _):
        place = a_message_with_a_button(slack)
        await slack.delivered()
        app.requests.clear()
        modal = slack.modals.open("U0ANN", FORM, at="1.0")
        slack.outage.down = True
        tried = [
            await slack.people.says("ann", "deploys", "hi"),
            await slack.people.reacts("ann", place, "eyes"),
            await slack.people.presses("ann", place, "go"),
            await slack.people.submits("ann", modal.id, GOOD),
        ]
        await slack.delivered()
        assert {(shown.acknowledged, shown.text) for shown in tried} == {(False, "Slack is down: nothing was sent.")}
        assert app.requests == []


async def test_a_menu_of_a_message_is_chosen_from() -> None:
    """By the value of an option that it has."""
    async with scripted() as (slack, app, _):
        menu = {"type": "static_select", "action_id": "where", "options": OPTIONS}
        place = a_message(slack, {"type": "section", "block_id": "s", "text": plain("Where?"), "accessory": menu})
        await slack.delivered()
        assert (await slack.people.presses("ann", place, "where", option="moon")).error == "option_not_found"
        assert (await slack.people.presses("ann", place, "where", option="prod")).acknowledged
        (action,) = app.requests[-1].body["actions"]
        assert (action["block_id"], action["selected_option"]) == ("s", OPTIONS[1])


async def test_a_group_changes() -> None:
    """People come and go."""
    slack = SlackStandIn(FakeClock())
    slack.admins.regroups("@on-call", ["U0BOB"])
    assert [group.members for group in slack.workspace.groups.values() if group.handle == "on-call"] == [("U0BOB",)]
    with pytest.raises(SlackFaultError, match="no_such_subteam"):
        slack.admins.regroups("@nobody", [])


async def test_channels_are_renamed_shared_and_removed() -> None:
    """Pages see it, and the app hears what it has subscribed to."""
    async with scripted() as (slack, app, _):
        slack.admins.renames("deploys", "releases")
        slack.admins.shares("releases")
        slack.admins.unshares("releases")
        slack.admins.removes_bot("prod")
        slack.admins.invites_bot("prod")
        slack.admins.removes("prod")
        await slack.delivered()
        told = sorted(request.event["type"] for request in app.requests)
        assert told == ["channel_deleted", "channel_left", "channel_shared", "channel_unshared"]
        assert [channel["name"] for channel in slack.snapshot("ann")["channels"]] == ["releases"]
        with pytest.raises(SlackFaultError, match="channel_not_found"):
            slack.admins.archives("prod")


def a_message_with_a_button(slack: SlackStandIn, *, only_for: str | None = None) -> Place:
    """A message of the app."""
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "go"}
    return a_message(slack, {"type": "actions", "block_id": "row", "elements": [button]}, only_for=only_for)


def a_message(slack: SlackStandIn, block: dict[str, Any], *, only_for: str | None = None) -> Place:
    """A message of the app with one block."""
    ts = slack.workspace.next_ts()
    message = Message(ts, DEPLOYS, "U0SLUICE", "hi", blocks=[block], by_app=True, only_for=only_for)
    slack.workspace.post(slack.workspace.rooms[DEPLOYS], message)
    return Place(DEPLOYS, ts)
