"""Short-lived permissions that go out with what people do: to open a modal, and to answer later."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ports.clock import Clock
from bot.sandbox.slack.fault import SlackFaultError

TRIGGER_LASTS = timedelta(seconds=3)
ANSWERS_LAST = timedelta(minutes=30)
ANSWERS_MOST = 5
KEPT = 1000
"""Of each kind: the oldest are forgotten."""


@dataclass(slots=True)
class _Trigger:
    user: str
    at: datetime
    spent: bool = False


@dataclass(slots=True)
class Address:
    """Where an answer goes: to whom, in which channel, and in place of which message, if any."""

    channel: str
    user: str
    at: datetime
    ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class Triggers:
    """What was given out. `unguessable` makes the last part of an id."""

    def __init__(self, clock: Clock, *, unguessable: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
        self._clock = clock
        self._unguessable = unguessable
        self._triggers: dict[str, _Trigger] = {}
        self._addresses: dict[str, Address] = {}
        self._issued = 0

    def issue(self, user: str) -> str:
        """A trigger id; it opens one modal, within three seconds."""
        self._issued += 1
        trigger = f"{int(self._clock.now().timestamp())}.{self._issued}.{self._unguessable()}"
        self._triggers[trigger] = _Trigger(user, self._clock.now())
        _trim(self._triggers)
        return trigger

    def spend(self, trigger_id: str) -> str:
        """Whose modal it opens. Raises SlackFaultError."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackFaultError("invalid_trigger_id")
        if trigger.spent:
            raise SlackFaultError("exchanged_trigger_id")
        if self._clock.now() - trigger.at > TRIGGER_LASTS:
            raise SlackFaultError("expired_trigger_id")
        trigger.spent = True
        return trigger.user

    def address(self, channel: str, user: str, *, ts: str | None = None, thread_ts: str | None = None) -> str:
        """The last part of a `response_url`."""
        key = self._unguessable()
        self._addresses[key] = Address(channel, user, self._clock.now(), ts, thread_ts)
        _trim(self._addresses)
        return key

    def peek(self, key: str) -> Address:
        """The same without using it up: for the answer that comes with the acknowledgement."""
        return self._addresses[key]

    def use(self, key: str) -> Address:
        """Where the answer goes; five times, within thirty minutes. Raises SlackFaultError."""
        address = self._addresses.get(key)
        if address is None or self._clock.now() - address.at > ANSWERS_LAST:
            raise SlackFaultError("expired_url")
        if address.uses >= ANSWERS_MOST:
            raise SlackFaultError("used_url")
        address.uses += 1
        return address


def _trim(kept: dict[str, _Trigger] | dict[str, Address]) -> None:
    while len(kept) > KEPT:
        del kept[next(iter(kept))]
