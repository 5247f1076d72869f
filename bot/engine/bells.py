"""Bells: what makes a loop of the worker look. Ringing twice is ringing once; nothing is lost by a bell not heard."""

import asyncio
from collections.abc import Callable
from datetime import datetime


class Bells:
    """One bell for each of the worker's loops, and an alarm clock for the time when something will be due."""

    def __init__(self) -> None:
        self.runs = asyncio.Event()
        self.inbox = asyncio.Event()
        self.relay = asyncio.Event()
        self.set_alarm: Callable[[datetime], None] = lambda _: None

    def ring(self) -> None:
        """Something may be due: let every loop look."""
        self.inbox.set()
        self.moved()

    def moved(self) -> None:
        """A run moved: that may have freed room for another one, and made messages. It says nothing by itself."""
        self.runs.set()
        self.relay.set()
