"""Which of the things that happen are told to the app: those it has subscribed to, in the channels that it is in."""

import secrets
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.delivery import Deliveries
from bot.sandbox.slack.payloads import envelope
from bot.sandbox.slack.records import Room
from bot.sandbox.slack.workspace import Workspace

Body = dict[str, Any]

_MESSAGES = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


class Events:
    """Tells the app. `unguessable` makes event ids: never twice the same, even in another life of the workspace."""

    def __init__(
        self,
        workspace: Workspace,
        deliveries: Deliveries,
        *,
        unguessable: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._workspace = workspace
        self._deliveries = deliveries
        self._unguessable = unguessable
        self._app = workspace.acme.app

    def happened(self, room: Room, event: Body) -> None:
        """Something happened in a channel; see `Workspace.on_event`."""
        is_leaving = event["type"].endswith("_left")
        if self._app.user not in room.members and not is_leaving:
            return
        kind = event["type"]
        if (_MESSAGES[room.kind] if kind == "message" else kind) in self._app.events:
            self._tell(room, event)
        if kind == "message" and self._mentions(room, event):
            self._tell(room, _mention(event))

    def _mentions(self, room: Room, event: Body) -> bool:
        is_plain = "subtype" not in event and not room.is_direct and "app_mention" in self._app.events
        return is_plain and f"<@{self._app.user}>" in event["text"] and event["user"] != self._app.user

    def _tell(self, room: Room, event: Body) -> None:
        told = {"event_ts": event.get("ts") or self._workspace.next_ts(), **event}
        sent = envelope(
            self._workspace.acme,
            told,
            event_id=f"Ev{self._unguessable().upper()}",
            at_s=self._workspace.now_s(),
            is_shared=room.is_shared,
        )
        self._deliveries.event(sent)


def _mention(event: Body) -> Body:
    return {name: value for name, value in event.items() if name != "channel_type"} | {"type": "app_mention"}
