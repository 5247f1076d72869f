"""APScheduler only rings: what is due is decided in SQL."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.schedule import Schedule

LONG = timedelta(days=1)


class Listener:
    """Hears rings."""

    def __init__(self) -> None:
        self.rang = asyncio.Event()

    async def watchdog(self) -> None:
        """Not due within a test."""
        raise AssertionError("the watchdog looks once a minute")

    async def ring(self, *, within_s: float) -> bool:
        """Whether there is a ring within some time."""
        try:
            async with asyncio.timeout(within_s):
                await self.rang.wait()
        except TimeoutError:
            return False
        self.rang.clear()
        return True


async def test_an_alarm_rings_at_its_time() -> None:
    """Before the next steady tick."""
    listener = Listener()
    async with Schedule(ring=listener.rang.set, watchdog=listener.watchdog) as schedule:
        begun = datetime.now(UTC)
        schedule.set_alarm(begun + timedelta(milliseconds=100))
        assert await listener.ring(within_s=0.8)
        assert datetime.now(UTC) - begun >= timedelta(milliseconds=100)


async def test_the_earlier_alarm_counts() -> None:
    """A later one does not push it away; its own time is found in SQL after the ring."""
    listener = Listener()
    async with Schedule(ring=listener.rang.set, watchdog=listener.watchdog) as schedule:
        schedule.set_alarm(datetime.now(UTC) + LONG)
        schedule.set_alarm(datetime.now(UTC) + timedelta(milliseconds=50))
        schedule.set_alarm(datetime.now(UTC) + LONG)
        assert await listener.ring(within_s=0.8)


async def test_an_alarm_of_the_past_rings_at_once() -> None:
    """It was set a moment too late."""
    listener = Listener()
    async with Schedule(ring=listener.rang.set, watchdog=listener.watchdog) as schedule:
        schedule.set_alarm(datetime.now(UTC) - timedelta(seconds=2))
        assert await listener.ring(within_s=0.8)


async def test_it_ticks_by_itself() -> None:
    """Whatever hint was lost, somebody looks within a second or so."""
    listener = Listener()
    async with Schedule(ring=listener.rang.set, watchdog=listener.watchdog):
        assert await listener.ring(within_s=5)


async def test_the_watchdog_is_called() -> None:
    """Also where it is handed in as a function that only returns what is to be awaited."""
    called = asyncio.Event()

    async def watchdog() -> None:
        called.set()

    often = timedelta(milliseconds=50)
    async with Schedule(ring=lambda: None, watchdog=lambda: watchdog(), watch_every=often), asyncio.timeout(5):
        await called.wait()


async def test_it_is_silent_after_its_end() -> None:
    """Nothing rings in a process that stops."""
    listener = Listener()
    async with Schedule(ring=listener.rang.set, watchdog=listener.watchdog) as schedule:
        schedule.set_alarm(datetime.now(UTC) + timedelta(milliseconds=300))
    assert not await listener.ring(within_s=0.5)
