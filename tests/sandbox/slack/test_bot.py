"""The bot's real door in the sandbox's workspace: what people do there is heard."""

import asyncio
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.domain.ids import ChannelId, MessageKey
from bot.domain.invocation import Origin
from bot.ports.chat import Content
from bot.sandbox.slack.acme import COMMANDS, EVENTS, SCOPES
from bot.sandbox.slack.stand_in import SlackStandIn
from bot.slack.release_message import release_message
from tests.fakes.clock import FakeClock
from tests.sandbox.slack.apps import sluice
from tests.slack.samples import voting

DEPLOYS = ChannelId("C0DEPLOYS")
KEY = MessageKey("api-prod-42/live/1")
MANIFEST: dict[str, Any] = YAML(typ="safe").load(Path("deploy/slack-manifest.yaml"))


async def opened(slack: SlackStandIn) -> str:
    """The id of the form that comes up."""
    async with asyncio.timeout(5):
        change = await slack.changes.until(lambda change: change.kind == "view_opened")
    return str(change.body["view"]["id"])


def test_the_app_is_installed_as_its_manifest_says() -> None:
    """The sandbox grants and sends what a real workspace would."""
    assert {row["command"] for row in MANIFEST["features"]["slash_commands"]} == COMMANDS
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == EVENTS
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == SCOPES


async def test_the_door_passes_the_challenge() -> None:
    """As it must before Slack sends any event."""
    async with sluice() as (slack, _):
        assert await slack.verify()


async def test_a_command_is_heard_and_answered_in_private() -> None:
    """Its sender reads that it was taken; nobody else does."""
    async with sluice() as (slack, bot):
        shown = await slack.people.says("@ann", "#deploys", "/deploy api sha123 staging")
        heard = await bot.next(Origin.SLASH)
        assert (heard.text, heard.user, heard.channel) == ("deploy api sha123 staging", "U0ANN", DEPLOYS)
        assert (shown.acknowledged, shown.text) == (True, "`/deploy api sha123 staging` – on it.")
        seen = {who: slack.snapshot(who)["channels"][0]["messages"] for who in ("ann", "bob")}
        assert [message["text"] for message in seen["ann"]] == [shown.text]
        assert seen["bob"] == []


async def test_the_door_opens_in_virtual_time_too() -> None:
    """Requests are signed with the time that the bot goes by."""
    async with sluice(FakeClock()) as (slack, bot):
        assert (await slack.people.says("ann", "deploys", "/release status api")).acknowledged
        assert (await bot.next(Origin.SLASH)).text == "status api"


async def test_a_button_of_the_release_message_is_heard() -> None:
    """The message is one that Slack takes, and a click on it is a line."""
    async with sluice() as (slack, bot):
        place = await bot.chat.post(DEPLOYS, KEY, release_message(voting()), thread_ts=None)
        shown = await slack.people.presses("bob", place, "abort")
        heard = await bot.next(Origin.BUTTON)
        assert shown.acknowledged
        assert (heard.text, heard.user, heard.channel) == ("abort api-prod-42", "U0BOB", DEPLOYS)
        assert heard.message_ts == place.ts


async def test_a_vote_is_heard_and_its_withdrawal() -> None:
    """By people, not the bot's own seed."""
    async with sluice() as (slack, bot):
        place = await bot.chat.post(DEPLOYS, KEY, release_message(voting()), thread_ts=None)
        await bot.chat.react(place, "white_check_mark")
        await slack.delivered()
        await slack.people.reacts("carol", place, "white_check_mark")
        given = await bot.next(Origin.REACTION)
        await slack.people.takes_back("carol", place, "white_check_mark")
        taken = await bot.next(Origin.REACTION)
        assert (given.text, given.user, given.channel, given.message_ts) == (
            "+white_check_mark",
            "U0CAROL",
            DEPLOYS,
            place.ts,
        )
        assert (taken.text, taken.user) == ("-white_check_mark", "U0CAROL")
        assert bot.has_heard_all


async def test_a_mention_is_heard_as_it_was_typed() -> None:
    """With its place, so that the answer goes into the thread."""
    async with sluice() as (slack, bot):
        shown = await slack.people.says("dave", "deploys", "@sluice status api")
        heard = await bot.next(Origin.MENTION)
        assert (heard.text, heard.user, heard.message_ts) == ("status api", "U0DAVE", shown.ts)


async def test_a_form_opens_is_filled_in_and_sent() -> None:
    """A bare command leads to the same line as a typed one."""
    async with sluice() as (slack, bot):
        assert (await slack.people.says("ann", "prod", "/deploy")).acknowledged
        values = {"service": "api", "ref": "sha123", "environment": "staging", "reason": "to see"}
        shown = await slack.people.submits("ann", await opened(slack), values)
        heard = await bot.next(Origin.FORM)
        assert shown.acknowledged
        assert heard.text == "deploy api sha123 staging '--reason=to see'"
        assert (heard.user, heard.channel) == ("U0ANN", "C0PROD")
        assert slack.snapshot("ann")["views"] == []


async def test_a_form_that_does_not_open_is_told_in_private() -> None:
    """Through the address that came with the command."""
    async with sluice() as (slack, _):
        slack.faults.fails("views.open", "internal_error")
        await slack.people.says("ann", "prod", "/deploy")
        async with asyncio.timeout(5):
            change = await slack.changes.until(lambda change: change.kind == "message")
        assert change.audience == {"U0ANN"}
        assert "The form could not be opened" in change.body["message"]["text"]


async def test_the_bot_learns_of_what_voids_a_ballot() -> None:
    """A deleted message, a channel that was archived or shared, and that it was taken out."""
    async with sluice() as (slack, bot):
        place = await bot.chat.post(DEPLOYS, KEY, Content("a ballot"), thread_ts=None)
        await slack.people.deletes("ann", place)
        assert (await bot.next(Origin.CHANNEL)).message_ts == place.ts
        for act in (slack.admins.archives, slack.admins.unarchives, slack.admins.shares, slack.admins.removes_bot):
            act("#deploys")
        told = [await bot.next(Origin.CHANNEL) for _ in range(4)]
        expected = ["channel_archive", "channel_left", "channel_shared", "channel_unarchive"]
        assert sorted(heard.text for heard in told) == expected
        assert {heard.channel for heard in told} == {DEPLOYS}


async def test_a_deleted_message_with_replies_leaves_a_tombstone_that_is_heard() -> None:
    """To the bot it is gone all the same."""
    async with sluice() as (slack, bot):
        place = await bot.chat.post(DEPLOYS, KEY, Content("a ballot"), thread_ts=None)
        await bot.chat.post(DEPLOYS, MessageKey("api-prod-42/thread/1"), Content("a reply"), thread_ts=place.ts)
        await slack.people.deletes("ann", place)
        assert (await bot.next(Origin.CHANNEL)).message_ts == place.ts
