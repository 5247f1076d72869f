"""What the app answers through the `response_url` of a command or a click, or with its acknowledgement."""

from typing import Any

from bot.sandbox.slack.block_kit import check_message
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.numbering import numbered
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.triggers import Address
from bot.sandbox.slack.workspace import Workspace

Body = dict[str, Any]


class Answers:
    """Puts such an answer where it belongs."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def give(self, address: Address, body: Body) -> Message | None:
        """Show it: to one person unless it says `in_channel`; `None` if it took a message away.

        Raises SlackFaultError: `no_text`, blocks that cannot be, or a channel that is gone.
        """
        room = self._workspace.room(address.channel, seen_by=address.user)
        shown = room.messages.get(address.ts or "")
        if body.get("delete_original") and shown is not None:
            self._workspace.delete(room, shown)
            return None
        text, blocks = _said(body)
        if body.get("replace_original") and shown is not None:
            shown.text, shown.blocks = text, blocks
            self._workspace.edit(room, shown)
            return shown
        return self._post(room, address, body, text=text, blocks=blocks)

    def _post(self, room: Room, address: Address, body: Body, *, text: str, blocks: list[Body]) -> Message:
        everybody = body.get("response_type") == "in_channel"
        message = Message(
            self._workspace.next_ts(),
            room.id,
            self._workspace.acme.app.user,
            text,
            blocks=blocks,
            thread_ts=str(body["thread_ts"]) if body.get("thread_ts") else address.thread_ts,
            by_app=True,
            only_for=None if everybody else address.user,
        )
        return self._workspace.post(room, message)


def _said(body: Body) -> tuple[str, list[Body]]:
    text, blocks = str(body.get("text") or ""), body.get("blocks") or []
    if not text and not blocks:
        raise SlackFaultError("no_text")
    check_message(blocks)
    return text, numbered(blocks)
