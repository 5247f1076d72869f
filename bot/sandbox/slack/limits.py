"""How often Slack may be asked, and faults that somebody wants it to have."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ports.clock import Clock
from bot.sandbox.slack.fault import SlackFaultError

BURST = 5
EVERY = timedelta(seconds=1)
"""About one message a second in a channel; short bursts pass."""

RATE_LIMITED = "ratelimited"


class PostingLimit:
    """The limit on messages in a channel. Switched off: none."""

    def __init__(self, clock: Clock, *, is_on: bool) -> None:
        self.is_on = is_on
        self._clock = clock
        self._full_at: dict[str, datetime] = {}

    def take(self, channel: str) -> None:
        """One message more. Raises SlackFaultError when that is too soon; it does not count then."""
        if not self.is_on:
            return
        now = self._clock.now()
        # The moment at which the whole burst is allowed again: each message puts it off by one interval.
        full_at = max(self._full_at.get(channel, now), now) + EVERY
        if full_at - now > BURST * EVERY:
            raise SlackFaultError(RATE_LIMITED, retry_after_s=1)
        self._full_at[channel] = full_at


@dataclass(slots=True)
class _Fault:
    method: str
    error: str
    times: int
    retry_after_s: int | None = None


class Faults:
    """Answers that are not those of a healthy server, for as many calls as was said."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []

    def busy(self, retry_after: timedelta, *, times: int = 1, method: str = "*") -> None:
        """The next calls are asked to come again later (429); `*`: of any method."""
        self._faults.append(_Fault(method, RATE_LIMITED, times, max(1, int(retry_after.total_seconds()))))

    def fails(self, method: str, error: str, *, times: int = 1) -> None:
        """The next calls of a method are answered with that error."""
        self._faults.append(_Fault(method, error, times))

    def clear(self) -> None:
        """Everything is well again."""
        self._faults.clear()

    def check(self, method: str) -> None:
        """Raises SlackFaultError if this call is one of them."""
        for fault in self._faults:
            if fault.method in ("*", method):
                fault.times -= 1
                if not fault.times:
                    self._faults.remove(fault)
                raise SlackFaultError(fault.error, retry_after_s=fault.retry_after_s)
