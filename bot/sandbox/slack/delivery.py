"""Requests to the app: signed, with three seconds for an answer; events are sent again when there was none."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.loopback import Outage

ACKNOWLEDGED_WITHIN = timedelta(seconds=3)
RETRIES_AFTER = (timedelta(), timedelta(minutes=1), timedelta(minutes=5))
"""When an event is sent again: at once, then after a minute, then after five."""

GOOD, REDIRECTS, BROKEN = 200, 300, 500
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json; charset=utf-8"

Sleep = Callable[[timedelta], Awaitable[None]]


async def sleep(wait: timedelta) -> None:
    """Waiting in real time."""
    await asyncio.sleep(wait.total_seconds())


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `fault`: Slack's word for why it does not count as acknowledged; empty if it does."""

    fault: str = ""
    text: str = ""
    content_type: str = ""
    is_final: bool = False

    def body(self) -> dict[str, Any]:
        """Its JSON; plain text as the `text` of one; nothing for neither."""
        if not self.text.strip():
            return {}
        try:
            parsed = json.loads(self.text)
        except ValueError:
            return {"text": self.text}
        return parsed if isinstance(parsed, dict) else {"text": self.text}


class Deliveries:
    """Sends to `request_url`, which may be set and changed at any time; `None`: nobody is there.

    `stamp` is the time that requests are signed with, in seconds since the epoch: the app compares it with its own
    clock. `sleep` waits between the tries of an event. What runs in the background ends with the block.
    """

    def __init__(
        self,
        *,
        secret: str,
        outage: Outage,
        stamp: Callable[[], float] = time.time,
        sleep: Sleep = sleep,
        within: timedelta = ACKNOWLEDGED_WITHIN,
    ) -> None:
        self.request_url: str | None = None
        self._secret = secret
        self._outage = outage
        self._stamp = stamp
        self._sleep = sleep
        self._within = within
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        # A new connection each time: an old one may lead to an app that was killed and has come back.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        for task in self._tasks:
            task.cancel()
        # The group must know that it was cancelled by one of its own; any other error passes as it is.
        is_cancelled = kind is not None and issubclass(kind, asyncio.CancelledError)
        try:
            if group is not None:
                await group.__aexit__(*((kind, error, trace) if is_cancelled else (None, None, None)))
        finally:
            if self._session is not None:
                await self._session.close()

    async def interact(self, form: dict[str, Any]) -> Answer:
        """A command, a click or a form that was sent, to be answered while a person waits. It is never sent again."""
        text = urlencode(form, errors="replace")
        return await self._send(text, _FORM, {})

    async def verify(self) -> bool:
        """Whether the app answers a challenge as Slack wants it before it sends events there."""
        challenge = hashlib.sha256(self._secret.encode()).hexdigest()
        answer = await self._send(json.dumps({"type": "url_verification", "challenge": challenge}), _JSON, {})
        return not answer.fault and challenge in (answer.text.strip(), answer.body().get("challenge"))

    def event(self, envelope: dict[str, Any]) -> None:
        """Send an event, in the background, until it is acknowledged or was tried often enough. Where the workspace is
        not served, nothing is sent."""
        if self._group is not None:
            self._begin()  # at once: it is under way before its task runs
            self._spawn(self._group, self._event(json.dumps(envelope)))

    async def settled(self) -> None:
        """Until no request is under way. An event that waits to be sent again is not."""
        await self._idle.wait()

    async def _event(self, text: str) -> None:
        """All tries of an event. It is under way but for the waits between them."""
        try:
            answer = await self._send(text, _JSON, {})
            for number, wait in enumerate(RETRIES_AFTER, start=1):
                if not answer.fault or answer.is_final:
                    return
                await self._wait(wait)
                reason = _RETRY_REASONS.get(answer.fault, "http_error")
                headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
                answer = await self._send(text, _JSON, headers)
        finally:
            self._end()

    async def _wait(self, wait: timedelta) -> None:
        if not wait:
            return
        self._end()
        try:
            await self._sleep(wait)
        finally:
            self._begin()

    async def _send(self, text: str, kind: str, headers: dict[str, str]) -> Answer:
        if self._outage.down or self.request_url is None or self._session is None:
            return Answer("dispatch_failed")
        signed = {"Content-Type": kind, "User-Agent": "Slackbot 1.0 (stand-in)", **self._signature(text), **headers}
        self._begin()
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                async with self._session.post(
                    self.request_url, data=text.encode(), headers=signed, allow_redirects=False
                ) as got:
                    return _answer(got.status, await got.text(), got.headers)
        except TimeoutError:
            return Answer("operation_timeout")
        except (aiohttp.ClientError, OSError, UnicodeDecodeError):
            return Answer("dispatch_failed")
        finally:
            self._end()

    def _signature(self, text: str) -> dict[str, str]:
        stamp = str(int(self._stamp()))
        digest = hmac.new(self._secret.encode(), f"v0:{stamp}:{text}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    def _spawn(self, group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
        task = group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin(self) -> None:
        self._under_way += 1
        self._idle.clear()

    def _end(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()


_RETRY_REASONS = {
    "operation_timeout": "http_timeout",
    "dispatch_failed": "connection_failed",
}


def _answer(status: int, text: str, headers: Any) -> Answer:
    if GOOD <= status < REDIRECTS:
        return Answer("", text, str(headers.get("Content-Type", "")))
    fault = "http_service_error" if status >= BROKEN else "http_client_error"
    return Answer(fault, text, is_final=headers.get("X-Slack-No-Retry") == "1")
