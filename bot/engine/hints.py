"""Hints that something may have moved: collected from any callback, turned into wake-ups by the worker.

A lost hint costs time, never truth: every wait has a next look of its own in the database.
"""

from collections.abc import Callable
from dataclasses import replace

from bot.domain.ids import RunId
from bot.domain.target import WorkloadRef


class Hints:
    """Which runs watch which workload, and which of them were hinted at since the last time anybody looked."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._watchers: dict[WorkloadRef, set[RunId]] = {}
        self._hinted: set[RunId] = set()

    def watching(self, ref: WorkloadRef, run: RunId) -> None:
        """The next change of `ref` shall wake `run`, whose passes repeat this: so a process forgets runs that another
        one moved to their end."""
        self._watchers.setdefault(_bare(ref), set()).add(run)

    def forget(self, ref: WorkloadRef, run: RunId) -> None:
        """The run is over."""
        watchers = self._watchers.get(_bare(ref), set())
        watchers.discard(run)
        if not watchers:
            self._watchers.pop(_bare(ref), None)

    def changed(self, ref: WorkloadRef) -> None:
        """The hint that clusters call: something about a workload changed."""
        self._hinted |= self._watchers.pop(_bare(ref), set())
        if self._hinted:
            self._ring()

    def take(self) -> frozenset[RunId]:
        """The runs hinted at; they are forgotten here."""
        taken, self._hinted = frozenset(self._hinted), set()
        return taken


def _bare(ref: WorkloadRef) -> WorkloadRef:
    return replace(ref, container=None)
