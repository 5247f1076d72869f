"""The Chat port over Slack's Web API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import logs
from bot.domain.errors import (
    ClosedError,
    NotFoundError,
    PermanentError,
    RefusedError,
    UnreachableError,
    UnreadableError,
)
from bot.domain.ids import ChannelId, MessageKey, UserId
from bot.domain.json import JsonObject
from bot.domain.picture import Picture
from bot.ports.chat import ChannelState, Content, FileId, Place, Reactions
from bot.ports.clock import Clock
from bot.slack.channels import PAGES_LIMIT, Channels
from bot.slack.group_mentions import GroupMentions
from bot.slack.groups import Groups
from bot.slack.mrkdwn import USER_ID, bare_emoji
from bot.slack.uploads import Uploads, file_name, holds_file
from bot.slack.web_api import Identity, calling, cursor_of, fault_of, items_of, text_of

EVENT_TYPE = "sluice_message"
"""The type of our metadata. Everybody in the workspace can read it: it holds a message's key and nothing else."""

log = logs.get(__name__)


class SlackChat:
    """See `bot.ports.chat.Chat`. Mentions of user groups by handle become real mentions here."""

    def __init__(self, client: AsyncWebClient, *, me: Identity, groups: Groups, clock: Clock) -> None:
        self._client = client
        self._me = me
        self._channels = Channels(client, clock=clock)
        self._mentions = GroupMentions(groups)
        self._uploads = Uploads(client)

    async def channel_id(self, name: str) -> ChannelId:
        """The id of a channel."""
        return await self._channels.id(name)

    async def channel_state(self, channel: ChannelId) -> ChannelState:
        """What the channel is now."""
        return await self._channels.state(channel)

    async def upload(self, key: MessageKey, picture: Picture) -> FileId:
        """Draw the picture and hand it over, named after the key."""
        return await self._uploads.upload(key, picture)

    async def post(
        self,
        channel: ChannelId,
        key: MessageKey,
        content: Content,
        *,
        thread_ts: str | None,
        picture: FileId | None = None,
    ) -> Place:
        """Post once; with a picture the file carries the key, as such a message has no metadata of ours."""
        said = await self._mentions.filled(content)
        if picture is not None:
            try:
                return await self._uploads.share(picture, channel, said, thread_ts=thread_ts)
            except PermanentError as exc:  # Slack has said no: nothing was posted
                log.warning("message goes without its picture", key=key, error=str(exc))
        try:
            async with calling(f"post in {channel}"):
                answer = await self._client.chat_postMessage(
                    channel=channel,
                    text=said.text,
                    blocks=list(said.blocks) or None,
                    thread_ts=thread_ts,
                    metadata=_metadata(key),
                    unfurl_links=False,
                    unfurl_media=False,
                )
        except ClosedError:
            self._channels.forget(channel)
            raise
        return Place(ChannelId(text_of(answer, "channel")), text_of(answer, "ts"))

    async def find(
        self, channel: ChannelId, key: MessageKey, *, thread_ts: str | None, since_ts: float
    ) -> Place | None:
        """The bot's own message with that key; somebody else's with the same metadata is not ours."""
        oldest = f"{max(since_ts, 0):.6f}"
        async for message in self._messages(channel, thread_ts=thread_ts, oldest=oldest):
            if self._is_ours(message) and (_key_of(message) == key or holds_file(message, file_name(key))):
                return Place(channel, str(message.get("ts", "")))
        return None

    async def update(self, place: Place, key: MessageKey, content: Content) -> None:
        """Edit in place."""
        said = await self._mentions.filled(content)
        async with self._where_seen(place.channel), calling(f"edit a message in {place.channel}"):
            await self._client.chat_update(
                channel=place.channel,
                ts=place.ts,
                text=said.text,
                blocks=None if said.picture else list(said.blocks),
                metadata=_metadata(key),
            )

    async def whisper(self, channel: ChannelId, user: UserId, content: Content, *, thread_ts: str | None) -> None:
        """Show it to one person; as a direct message where the bot or the person is not in the channel."""
        if not USER_ID.fullmatch(user):
            raise RefusedError(f"{user} is not a Slack user: nothing can be shown to them in Slack")
        blocks = list(content.blocks) or None
        try:
            async with calling(f"show something to {user}"):
                await self._client.chat_postEphemeral(
                    channel=channel, user=user, text=content.text, blocks=blocks, thread_ts=thread_ts
                )
        except (NotFoundError, RefusedError):
            await self._write_to(user, content)

    async def react(self, place: Place, emoji: str) -> None:
        """Add the bot's own reaction."""
        async with calling(f"react to a message in {place.channel}"):
            try:
                await self._client.reactions_add(channel=place.channel, timestamp=place.ts, name=emoji)
            except SlackApiError as exc:
                if fault_of(exc) != "already_reacted":
                    raise

    async def reactions(self, place: Place) -> Reactions:
        """All reactions, with the skin tones of one emoji put together."""
        doing = f"read the reactions to a message in {place.channel}"
        async with self._where_seen(place.channel), calling(doing):
            answer = await self._client.reactions_get(channel=place.channel, timestamp=place.ts, full=True)
        message = answer.get("message")
        if not isinstance(message, dict):
            raise UnreadableError("Slack's answer holds no message")
        if message.get("subtype") == "tombstone":
            raise NotFoundError(f"the message in {place.channel} was deleted")
        return _reactions(message.get("reactions", []))

    @asynccontextmanager
    async def _where_seen(self, channel: ChannelId) -> AsyncIterator[None]:
        """A message that is not found was deleted only where the bot sees the channel. Else ClosedError: unknown."""
        try:
            yield
        except NotFoundError:
            state = await self._channels.state(channel)
            if not state.member and not state.archived:
                raise ClosedError(f"the bot is not in #{state.name}; invite it: /invite @sluice") from None
            raise

    async def _write_to(self, user: UserId, content: Content) -> None:
        async with calling(f"open a conversation with {user}"):
            answer = await self._client.conversations_open(users=user)
        conversation = answer.get("channel")
        if not isinstance(conversation, dict) or not conversation.get("id"):
            raise UnreadableError("Slack's answer holds no conversation")
        async with calling(f"write to {user}"):
            await self._client.chat_postMessage(
                channel=str(conversation["id"]), text=content.text, blocks=list(content.blocks) or None
            )

    async def _messages(
        self, channel: ChannelId, *, thread_ts: str | None, oldest: str
    ) -> AsyncIterator[Mapping[str, object]]:
        cursor: str | None = None
        for _ in range(PAGES_LIMIT):
            async with calling(f"look for a message in {channel}"):
                answer = await self._page(channel, thread_ts, oldest=oldest, cursor=cursor)
            for message in items_of(answer, "messages"):
                yield message
            cursor = cursor_of(answer)
            if not cursor:
                return
        raise UnreachableError(f"the history of {channel} does not end")

    async def _page(
        self, channel: ChannelId, thread_ts: str | None, *, oldest: str, cursor: str | None
    ) -> AsyncSlackResponse:
        if thread_ts is None:
            return await self._client.conversations_history(
                channel=channel, oldest=oldest, inclusive=True, include_all_metadata=True, limit=200, cursor=cursor
            )
        return await self._client.conversations_replies(
            channel=channel,
            ts=thread_ts,
            oldest=oldest,
            inclusive=True,
            include_all_metadata=True,
            limit=200,
            cursor=cursor,
        )

    def _is_ours(self, message: Mapping[str, object]) -> bool:
        by_bot = bool(self._me.bot_id) and message.get("bot_id") == self._me.bot_id
        return by_bot or message.get("user") == self._me.user


def _metadata(key: MessageKey) -> JsonObject:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


def _key_of(message: Mapping[str, object]) -> str | None:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return payload.get("key") if isinstance(payload, dict) else None


def _reactions(given: object) -> Reactions:
    """Slack's list. It is incomplete when a count and its list of users differ: then nobody may be counted."""
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise UnreadableError("Slack's list of reactions cannot be read")
    merged: dict[str, dict[UserId, None]] = {}
    complete = True
    for item in given:
        users = item.get("users")
        users = users if isinstance(users, list) else []
        complete = complete and item.get("count") == len(users)
        merged.setdefault(bare_emoji(str(item.get("name", ""))), {}).update(dict.fromkeys(users))
    return Reactions(tuple((name, tuple(users)) for name, users in merged.items()), complete)
