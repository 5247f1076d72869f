"""Pictures as files in Slack: taken first, then shown by the message that shares them.

A message that shares a file is made by Slack and carries no metadata of ours; the file's name does instead: it follows
from the message's key. Slack looks through a file before it shows it, so the message may appear a while after the
answer (docs.slack.dev/reference/methods/files.completeUploadExternal).
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import PermanentError, UnreachableError
from bot.domain.ids import ChannelId, MessageKey, run_of_key
from bot.domain.picture import ALT_LIMIT, Picture
from bot.ports.chat import Content, FileId, Place
from bot.slack.mrkdwn import clean, shortened
from bot.slack.web_api import calling, text_of

DIGEST_CHARS = 16
TITLE_LIMIT = 200
TAKEN, TOO_MANY, BROKEN = 200, 429, 500


class Uploads:
    """Draws one picture at a time, in a thread: nothing else waits for it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._drawing = asyncio.Lock()

    async def upload(self, key: MessageKey, picture: Picture) -> FileId:
        """Hand a picture over. Nobody sees it until it is shared; Slack forgets it otherwise.

        Raises PermanentError when Slack takes no file from the bot: no scope, no room, uploads switched off.
        """
        async with self._drawing:
            drawn = await asyncio.to_thread(_drawn, picture)
        alt = shortened(clean(picture.alt), ALT_LIMIT)
        async with calling("take a picture"):
            answer = await self._client.files_getUploadURLExternal(
                filename=file_name(key), length=len(drawn), alt_txt=alt
            )
        url, file = text_of(answer, "upload_url"), FileId(text_of(answer, "file_id"))
        await self._send(url, drawn)
        return file

    async def share(self, file: FileId, channel: ChannelId, content: Content, *, thread_ts: str | None) -> Place:
        """Show a file that was taken, with the text of its message. Raises UnreachableError when it is not known
        whether it is shown, or Slack has yet to show it; PermanentError when it never will."""
        title = shortened(clean(content.picture.title), TITLE_LIMIT) if content.picture else ""
        asked = {
            "files": json.dumps([{"id": file, "title": title} if title else {"id": file}]),
            "channel_id": channel,
            "initial_comment": content.text,
        }
        if thread_ts is not None:
            asked["thread_ts"] = thread_ts
        async with calling(f"show a picture in {channel}"):
            # The SDK's own method puts the text into the URL, where it may be too long.
            answer = await self._client.api_call("files.completeUploadExternal", data=asked)
        ts = next(_shared_at(answer.get("files"), channel, thread_ts), None)
        if ts is None:
            raise UnreachableError(f"Slack has taken a picture for {channel} but does not show it yet")
        return Place(channel, ts)

    async def _send(self, url: str, drawn: bytes) -> None:
        """The bytes go to another host of Slack's, which is told nothing else."""
        session = self._client.session
        if session is None:
            raise RuntimeError("the client was opened without a session of its own")
        async with calling("take a picture's bytes"), session.post(url, data=drawn) as answer:
            status = answer.status
        if status == TOO_MANY or status >= BROKEN:
            raise UnreachableError(f"Slack could not take a picture's bytes now ({status})")
        if status != TAKEN:
            raise PermanentError(f"Slack would not take a picture's bytes ({status})")


def file_name(key: MessageKey) -> str:
    """The name of a message's file: to be recognised by people, and by its digest of the key."""
    return f"{run_of_key(key)}-{hashlib.sha256(key.encode()).hexdigest()[:DIGEST_CHARS]}.png"


def holds_file(message: Mapping[str, object], name: str) -> bool:
    """Whether a message of Slack's shows a file of that name."""
    files = message.get("files")
    return isinstance(files, list) and any(isinstance(file, dict) and file.get("name") == name for file in files)


def _drawn(picture: Picture) -> bytes:
    from bot.slack.drawing import png  # loads the drawing library, which a bot that draws nothing never needs

    return png(picture)


def _shared_at(files: object, channel: str, thread_ts: str | None) -> Iterator[str]:
    """Where the files are shown in a channel or a thread of it, as far as Slack says."""
    for file in files if isinstance(files, list) else ():
        shares = file.get("shares") if isinstance(file, dict) else None
        for kind in shares.values() if isinstance(shares, dict) else ():
            for share in kind.get(channel, ()) if isinstance(kind, dict) else ():
                if share.get("ts") and share.get("thread_ts") == thread_ts:
                    yield str(share["ts"])
