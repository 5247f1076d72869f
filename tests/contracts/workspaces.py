"""The workspaces that the Chat and Directory contracts are run on: the fake, the sandbox's stand-in over loopback HTTP,
and a Slack emulator where there is one.

The emulator is named by `SLACK_API_URL` (ends in `/api/`), `SLACK_BOT_TOKEN` and `RIG_SLACK_URL`; it is reset for each
test, and its people have tokens of their own (`xoxp-NAME`).
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol

import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.ids import ChannelId, UserId
from bot.ports.chat import Chat, Place
from bot.ports.directory import Directory
from bot.sandbox.slack.stand_in import SlackStandIn, Timing
from bot.slack.chat import SlackChat
from bot.slack.directory import SlackDirectory
from bot.slack.groups import Groups
from bot.slack.web_api import identify, open_client
from tests.fakes.clock import FakeClock
from tests.fakes.people import ANN, BOB, BOT, CID, EVE, FRANK
from tests.fakes.workspace import APPROVERS, DEPLOYS, PROD, FakeWorkspace

APPROVERS_GROUP = APPROVERS
DEPLOYS_NAME, PROD_NAME = "deploys", "prod"


class Workspace(Protocol):
    """A workspace with two channels, a group of three approvers, a guest, and somebody who has left."""

    chat: Chat
    directory: Directory
    deploys: ChannelId
    prod: ChannelId
    approvers: tuple[UserId, UserId, UserId]
    guest: UserId
    former: UserId
    bot: UserId

    async def reacts(self, user: UserId, place: Place, emoji: str) -> None:
        """Somebody gives a reaction."""
        ...

    async def takes_back(self, user: UserId, place: Place, emoji: str) -> None:
        """Somebody removes a reaction."""
        ...

    async def deletes(self, place: Place) -> None:
        """A message is deleted."""
        ...

    async def archives(self, channel: ChannelId) -> None:
        """A channel is archived."""
        ...

    async def busy_once(self, retry_after: timedelta) -> None:
        """The next call is asked to come again later."""
        ...

    async def takes_no_files(self) -> None:
        """From now on the bot may not upload."""
        ...

    async def shows_no_files(self) -> None:
        """From now on the bot may upload, but not share what it has uploaded."""
        ...

    async def pictures(self, place: Place, thread_ts: str) -> list[str]:
        """The titles of the pictures that a reply shows."""
        ...

    async def text(self, place: Place, thread_ts: str) -> str:
        """What a reply says."""
        ...


OpenWorkspace = Callable[[], AbstractAsyncContextManager[Workspace]]


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        fake = FakeWorkspace(FakeClock())
        self._fake = fake
        self.chat: Chat = fake
        self.directory: Directory = fake
        self.deploys, self.prod = DEPLOYS, PROD
        self.approvers = (ANN, BOB, CID)
        self.guest, self.former, self.bot = EVE, FRANK, BOT

    async def reacts(self, user: UserId, place: Place, emoji: str) -> None:
        self._fake.reacts(user, place, emoji)

    async def takes_back(self, user: UserId, place: Place, emoji: str) -> None:
        self._fake.takes_back(user, place, emoji)

    async def deletes(self, place: Place) -> None:
        self._fake.deletes(place)

    async def archives(self, channel: ChannelId) -> None:
        self._fake.archives(channel)

    async def busy_once(self, retry_after: timedelta) -> None:
        self._fake.busy_once(retry_after)

    async def takes_no_files(self) -> None:
        self._fake.takes_files = False

    async def shows_no_files(self) -> None:
        self._fake.shows_files = False

    async def pictures(self, place: Place, thread_ts: str) -> list[str]:
        message = self._fake.at(place)
        assert message.thread_ts == thread_ts
        return [message.picture.title] if message.picture else []

    async def text(self, place: Place, thread_ts: str) -> str:
        assert self._fake.at(place).thread_ts == thread_ts
        return self._fake.at(place).text


class StoodIn:
    """The sandbox's stand-in, behind the real adapters."""

    def __init__(self, slack: SlackStandIn, chat: Chat, directory: Directory) -> None:
        self._slack = slack
        self.chat, self.directory = chat, directory
        self.deploys, self.prod = ChannelId("C0DEPLOYS"), ChannelId("C0PROD")
        self.approvers = (UserId("U0ANN"), UserId("U0BOB"), UserId("U0CAROL"))
        self.guest, self.former, self.bot = UserId("U0EVE"), UserId("U0FRANK"), UserId("U0SLUICE")

    async def reacts(self, user: UserId, place: Place, emoji: str) -> None:
        assert (await self._slack.people.reacts(user, place, emoji)).acknowledged

    async def takes_back(self, user: UserId, place: Place, emoji: str) -> None:
        assert (await self._slack.people.takes_back(user, place, emoji)).acknowledged

    async def deletes(self, place: Place) -> None:
        assert (await self._slack.people.deletes("ann", place)).acknowledged

    async def archives(self, channel: ChannelId) -> None:
        self._slack.admins.archives(channel)

    async def busy_once(self, retry_after: timedelta) -> None:
        self._slack.faults.busy(retry_after)

    async def takes_no_files(self) -> None:
        self._slack.web_api.scopes.remove("files:write")

    async def shows_no_files(self) -> None:
        self._slack.faults.fails("files.completeUploadExternal", "file_not_found", times=100)

    async def pictures(self, place: Place, thread_ts: str) -> list[str]:
        files = (await self._reply(place, thread_ts)).get("files", [])
        for file in files:
            assert await _is_png(file["url_private"], token="xoxp-ann")
        return [file["title"] for file in files]

    async def text(self, place: Place, thread_ts: str) -> str:
        return str((await self._reply(place, thread_ts))["text"])

    async def _reply(self, place: Place, thread_ts: str) -> dict[str, Any]:
        return await _reply(AsyncWebClient("xoxp-ann", base_url=self._slack.api_url), place, thread_ts)


class Emulated:
    """Slack's Web API on a loopback emulator."""

    def __init__(self, chat: Chat, directory: Directory) -> None:
        self.chat, self.directory = chat, directory
        self.deploys, self.prod = ChannelId("C0DEPLOYS"), ChannelId("C0PROD")
        self.approvers = (UserId("U0ALICE"), UserId("U0BOB"), UserId("U0CAROL"))
        self.guest, self.former, self.bot = UserId("U0EVE"), UserId("U0FRANK"), UserId("U0RELBOT")

    async def reacts(self, user: UserId, place: Place, emoji: str) -> None:
        await _as(user).reactions_add(channel=place.channel, timestamp=place.ts, name=emoji)

    async def takes_back(self, user: UserId, place: Place, emoji: str) -> None:
        await _as(user).reactions_remove(channel=place.channel, timestamp=place.ts, name=emoji)

    async def deletes(self, place: Place) -> None:
        await _bot().chat_delete(channel=place.channel, ts=place.ts)

    async def archives(self, channel: ChannelId) -> None:
        await _bot().conversations_archive(channel=channel)

    async def busy_once(self, retry_after: timedelta) -> None:
        await _rig("fault", {"method": "*", "status": 429, "retry_after": int(retry_after.total_seconds())})

    async def takes_no_files(self) -> None:
        await _rig("fault", {"method": "files.getUploadURLExternal", "error": "missing_scope", "times": 100})

    async def shows_no_files(self) -> None:
        await _rig("fault", {"method": "files.completeUploadExternal", "error": "file_not_found", "times": 100})

    async def pictures(self, place: Place, thread_ts: str) -> list[str]:
        files = (await _reply(_bot(), place, thread_ts)).get("files", [])
        for file in files:
            assert await _is_png(file["url_private"], token=os.environ["SLACK_BOT_TOKEN"])
        return [file["title"] for file in files]

    async def text(self, place: Place, thread_ts: str) -> str:
        return str((await _reply(_bot(), place, thread_ts))["text"])


@asynccontextmanager
async def in_memory() -> AsyncIterator[Workspace]:
    """A fresh fake."""
    yield InMemory()


@asynccontextmanager
async def stood_in() -> AsyncIterator[Workspace]:
    """A fresh stand-in. The limit on posts is off: the clock stands still."""
    clock = FakeClock()
    slack = SlackStandIn(clock, timing=Timing(limits_posts=False))
    async with slack.serving() as url, open_client(slack.acme.app.token, base_url=url) as client:
        me, groups = await identify(client), Groups(client, clock=clock)
        chat = SlackChat(client, me=me, groups=groups, clock=clock)
        yield StoodIn(slack, chat, SlackDirectory(client, me=me, groups=groups))


@asynccontextmanager
async def emulated() -> AsyncIterator[Workspace]:
    """The emulator, as new."""
    await _rig("reset", {})
    clock = FakeClock()
    async with open_client(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]) as client:
        me, groups = await identify(client), Groups(client, clock=clock)
        chat = SlackChat(client, me=me, groups=groups, clock=clock)
        yield Emulated(chat, SlackDirectory(client, me=me, groups=groups))


def opened(kind: str) -> OpenWorkspace:
    """How to open a workspace of a kind; skips where there is no emulator."""
    if kind == "fake":
        return in_memory
    if kind == "sandbox":
        return stood_in
    if "RIG_SLACK_URL" not in os.environ:
        pytest.skip("no Slack emulator is named by SLACK_API_URL, SLACK_BOT_TOKEN and RIG_SLACK_URL")
    return emulated


def _as(user: UserId) -> AsyncWebClient:
    return AsyncWebClient(f"xoxp-{user.removeprefix('U0').lower()}", base_url=os.environ["SLACK_API_URL"])


def _bot() -> AsyncWebClient:
    return AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])


async def _reply(client: AsyncWebClient, place: Place, thread_ts: str) -> dict[str, Any]:
    answer = await client.conversations_replies(channel=place.channel, ts=thread_ts)
    return next(message for message in answer["messages"] if message["ts"] == place.ts)


async def _is_png(url: str, *, token: str) -> bool:
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.get(url, headers={"Authorization": f"Bearer {token}"})
        return answer.content.startswith(b"\x89PNG\r\n")


async def _rig(verb: str, args: dict[str, object]) -> None:
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.post(f"{os.environ['RIG_SLACK_URL']}/rig/{verb}", json=args)
        answer.raise_for_status()
