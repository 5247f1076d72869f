"""When things happen: one agenda for everything, worked off in the order of its own moments."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.ports.clock import Clock

Act = Callable[[], None]


class Timeline:
    """`now` is the moment of what happens at present; it begins `age` before the clock's time and catches up at the
    first `advance`. `changed` is set whenever something is planned: who sleeps until the next moment looks again."""

    def __init__(self, clock: Clock, *, age: timedelta = timedelta()) -> None:
        self._clock = clock
        self.now = clock.now() - age
        self.changed = asyncio.Event()
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._numbers = itertools.count()
        self._running = False

    def after(self, delay: timedelta, act: Act) -> None:
        """Plan it for `delay` from now; things of one moment happen in the order in which they were planned."""
        heapq.heappush(self._agenda, (self.now + delay, next(self._numbers), act))
        self.changed.set()

    def advance(self) -> datetime | None:
        """Let all happen that is due by the clock; when the next thing is. `None`: nothing is planned. Asked from
        within something that happens, it lets nothing else happen before that is over."""
        if not self._running:
            self._running = True
            try:
                self._work_off(self._clock.now())
            finally:
                self._running = False
        return self._agenda[0][0] if self._agenda else None

    def _work_off(self, present: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= present:
            moment, _, act = heapq.heappop(self._agenda)
            self.now = max(self.now, moment)
            act()
        self.now = max(self.now, present)

    @property
    def stamp(self) -> str:
        """Now as API objects have it: in whole seconds."""
        return stamped(self.now)


def stamped(moment: datetime) -> str:
    """A moment as `metav1.Time` writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(stamp: str) -> datetime:
    """The moment that a stamp means. Raises ValueError."""
    return datetime.fromisoformat(stamp)
