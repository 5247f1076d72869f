"""APScheduler wake-ups: a steady tick, an alarm for the next due time, and the watchdog. Holds no state."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

TICK_S = 1
"""Covers every lost hint: whatever SQL calls due is looked at within this time."""

WATCH_EVERY = timedelta(minutes=1)
MOST_ALARMS = 10
GRACE_S = 30
"""An alarm that rings late still rings."""


class Schedule:
    """Rings the bells; what is due is decided in SQL."""

    def __init__(
        self,
        *,
        ring: Callable[[], None],
        watchdog: Callable[[], Awaitable[None]],
        watch_every: timedelta = WATCH_EVERY,
    ) -> None:
        self._ring = ring
        self._watchdog = watchdog
        self._watch_s = watch_every.total_seconds()
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    async def __aenter__(self) -> Self:
        self._scheduler.add_job(self._tick, IntervalTrigger(seconds=TICK_S), id="tick", coalesce=True)
        self._scheduler.add_job(self._watch, IntervalTrigger(seconds=self._watch_s), id="watchdog", coalesce=True)
        self._scheduler.start()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._scheduler.shutdown(wait=False)

    def set_alarm(self, at: datetime) -> None:
        """Ring at `at`, unless an earlier alarm is set; the ring finds the later one in SQL."""
        alarm = self._scheduler.get_job("alarm")
        if alarm is None or alarm.next_run_time is None or alarm.next_run_time > at:
            # An alarm is set anew while the one before it still rings: neither may be left out.
            self._scheduler.add_job(
                self._tick,
                DateTrigger(at),
                id="alarm",
                replace_existing=True,
                misfire_grace_time=GRACE_S,
                max_instances=MOST_ALARMS,
            )

    async def _tick(self) -> None:
        self._ring()

    async def _watch(self) -> None:
        # A function that only returns something to await would be called in a thread, and its answer thrown away.
        await self._watchdog()
