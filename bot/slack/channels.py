"""Channels by name, and what a channel is now."""

import re
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import ClosedError, NotFoundError, UnreachableError, UnreadableError
from bot.domain.ids import ChannelId
from bot.ports.chat import ChannelState
from bot.ports.clock import Clock
from bot.slack.web_api import calling, cursor_of, items_of

CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{2,20}")
ASKED_AGAIN_AFTER = timedelta(seconds=30)
"""How soon an unknown name makes us read the list again: a channel may just have been made."""

JUST_SEEN = timedelta(minutes=1)
"""How long a name is taken to mean the same channel without looking: channels are renamed, and names given anew."""

PAGES_LIMIT = 100
"""A cursor that never ends is a fault of the server."""


class Channels:
    """The channels that the bot can see. Names are remembered, and what a name means is looked at before it is used."""

    def __init__(self, client: AsyncWebClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._ids: dict[str, ChannelId] = {}
        self._seen_at: dict[str, datetime] = {}
        self._read_at: datetime | None = None

    async def id(self, name: str) -> ChannelId:
        """The id of `#name`, `name` or an id. Raises NotFoundError, UnreachableError."""
        if CHANNEL_ID.fullmatch(name):
            return ChannelId(name)
        wanted = name.removeprefix("#")
        known = self._ids.get(wanted)
        stale = self._may_read() if known is None else await self._means_another(wanted, known)
        if stale:
            await self._read()
        if wanted not in self._ids:
            closed = "is it archived? If it is private, invite the bot: /invite @sluice"
            raise NotFoundError(f"the bot sees no channel #{wanted}; {closed}")
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

    def forget(self, channel: ChannelId) -> None:
        """It would not have a message: look what its name means before the next."""
        for name in [name for name, known in self._ids.items() if known == channel]:
            self._seen_at.pop(name, None)

    async def _means_another(self, name: str, known: ChannelId) -> bool:
        """Whether the name may mean another channel than the one that had it. Raises UnreachableError."""
        seen_at, now = self._seen_at.get(name), self._clock.now()
        if seen_at is not None and now - seen_at <= JUST_SEEN:
            return False
        try:
            state = await self.state(known)
        except ClosedError:
            return True
        if state.name != name or state.archived:
            return True
        self._seen_at[name] = now
        return False

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
                now = self._clock.now()
                self._ids, self._read_at, self._seen_at = found, now, dict.fromkeys(found, now)
                return
        raise UnreachableError("Slack's list of channels does not end")
