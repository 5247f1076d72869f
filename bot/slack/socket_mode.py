"""Socket Mode with a watchdog: a connection that says nothing is taken for dead, however healthy it looks.

The SDK's client can lose its connection without noticing; whatever happened meanwhile is not sent again. So each new
connection after the first leads to `on_reconnect`, upon which the open ballots are read anew.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.domain.errors import TemporaryError, UnreachableError
from bot.ports.clock import Clock
from bot.slack.web_api import calling

SILENCE_LIMIT = timedelta(seconds=60)
"""Without a message or an answered ping for so long, the connection counts as dead."""

LOOK_EVERY_S = 5
PING_EVERY_S = 10
CONNECT_DEADLINE_S = 30

log = logs.get(__name__)


class SocketMode:
    """A connection for as long as the block lasts. `on_reconnect` is awaited after every connection but the first."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        client: AsyncWebClient,
        *,
        clock: Clock,
        on_reconnect: Callable[[], Awaitable[None]],
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._web_client = client
        self._clock = clock
        self._on_reconnect = on_reconnect
        self._socket: SocketModeClient | None = None
        self._stack = AsyncExitStack()
        self._greetings = 0
        self._heard_at = clock.now()
        self._missed = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the connection is open and has been heard of lately."""
        session = self._socket.current_session if self._socket else None
        return session is not None and not session.closed and not self._silent()

    async def __aenter__(self) -> Self:
        """Connect. Slack being away is no reason not to start: the watchdog goes on trying.

        Raises RefusedError when the app token is not good.
        """
        async with AsyncExitStack() as stack:
            self._socket = self._new_socket(stack)
            await self._connect(self._socket)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(tasks.create_task(self._watch(), name="socket-watchdog").cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watchdog and close the connection."""
        await self._stack.__aexit__(kind, error, trace)

    async def look(self) -> None:
        """One look of the watchdog: connect anew if the connection is closed or silent; tell if something was missed.

        A telling that fails for the moment is repeated at the next look.
        """
        if self._socket is not None and not self.connected:
            log.warning("socket is closed or silent, connecting anew", silent=self._silent())
            await self._connect(self._socket)
        if not self._missed.is_set():
            return
        try:
            await self._on_reconnect()
        except TemporaryError as exc:
            log.warning("what the socket missed could not be read", error=str(exc))
            return
        self._missed.clear()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    def _new_socket(self, stack: AsyncExitStack) -> SocketModeClient:
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, logger=_silent_logger(), web_client=self._web_client, ping_interval=PING_EVERY_S
        )
        stack.push_async_callback(handler.client.close)
        handler.client.on_message_listeners.append(self._hear)
        return handler.client

    async def _connect(self, socket: SocketModeClient) -> None:
        try:
            async with calling("open a socket", deadline_s=CONNECT_DEADLINE_S):
                await socket.connect_to_new_endpoint(force=True)
        except UnreachableError as exc:
            log.warning("socket not connected, trying again", error=str(exc))
            return
        self._heard_at = self._clock.now()

    async def _hear(self, message: WSMessage) -> None:
        self._heard_at = self._clock.now()
        if not message.data.startswith("{") or json.loads(message.data).get("type") != "hello":
            return
        self._greetings += 1
        if self._greetings > 1:
            log.info("socket connected anew", connections=self._greetings)
            self._missed.set()

    def _silent(self) -> bool:
        answered = self._socket.last_ping_pong_time if self._socket else None
        answered_at = datetime.fromtimestamp(answered, UTC) if answered else self._heard_at
        return self._clock.now() - max(self._heard_at, answered_at) > SILENCE_LIMIT


def _silent_logger() -> logging.Logger:
    """The SDK logs connection faults with the socket's URL, which holds a ticket; the watchdog logs them instead."""
    logger = logging.getLogger("slack_bolt.socket")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
