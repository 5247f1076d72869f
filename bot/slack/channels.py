"""Channels by name, and what a channel is now."""

import re
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotFoundError, UnreachableError, UnreadableError
from bot.domain.ids import ChannelId
from bot.ports.chat import ChannelState
from bot.ports.clock import Clock
from bot.slack.web_api import calling, cursor_of, items_of

CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{2,20}")
ASKED_AGAIN_AFTER = timedelta(seconds=30)
"""How soon an unknown name makes us read the list again: a channel may just have been made."""

PAGES_LIMIT = 100
"""A cursor that never ends is a fault of the server."""


class Channels:
    """The channels that the bot can see. Names are remembered until one is asked for that is not among them."""

    def __init__(self, client: AsyncWebClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._ids: dict[str, ChannelId] = {}
        self._read_at: datetime | None = None

    async def id(self, name: str) -> ChannelId:
        """The id of `#name`, `name` or an id. Raises NotFoundError, UnreachableError."""
        if CHANNEL_ID.fullmatch(name):
            return ChannelId(name)
        wanted = name.removeprefix("#")
        if wanted not in self._ids and self._may_read():
            await self._read()
        if wanted not in self._ids:
            raise NotFoundError(f"the bot sees no channel #{wanted}; if it is private, invite the bot: /invite @sluice")
        return self._ids[wanted]

    async def state(self, channel: ChannelId) -> ChannelState:
        """What the channel is now; read each time, as people decide upon it."""
        async with calling(f"look up the channel {channel}"):
            answer = await self._client.conversations_info(channel=channel)
        seen = answer.get("channel")
        if not isinstance(seen, dict) or seen.get("id") != channel:
            raise UnreadableError(f"Slack's answer does not describe the channel {channel}")
        return ChannelState(
            id=channel,
            name=str(seen.get("name") or channel),
            archived=bool(seen.get("is_archived")),
            shared=bool(seen.get("is_ext_shared")),
            member=bool(seen.get("is_member") or seen.get("is_im")),
        )

    def _may_read(self) -> bool:
        return self._read_at is None or self._clock.now() - self._read_at > ASKED_AGAIN_AFTER

    async def _read(self) -> None:
        found: dict[str, ChannelId] = {}
        cursor: str | None = None
        for _ in range(PAGES_LIMIT):
            async with calling("list the channels"):
                answer = await self._client.conversations_list(
                    cursor=cursor, limit=1000, exclude_archived=True, types="public_channel,private_channel"
                )
            found |= {str(seen.get("name", "")): ChannelId(str(seen["id"])) for seen in items_of(answer, "channels")}
            cursor = cursor_of(answer)
            if not cursor:
                self._ids, self._read_at = found, self._clock.now()
                return
        raise UnreachableError("Slack's list of channels does not end")
