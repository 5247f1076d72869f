"""Samples in memory, by series."""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Labels = tuple[tuple[str, str], ...]
"""Pairs in the order of their names, `__name__` among them."""

Milliseconds = int
Matcher = tuple[str, str, str]
"""Label, operator, value."""

SIGNS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda wanted, value: wanted == value,
    "!=": lambda wanted, value: wanted != value,
    "=~": lambda wanted, value: re.fullmatch(wanted, value) is not None,
    "!~": lambda wanted, value: re.fullmatch(wanted, value) is None,
}


@dataclass(slots=True)
class Points:
    """The samples of one series, oldest first, in two lists; a NaN says that the series ended."""

    at: list[Milliseconds] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class SeriesStore:
    """All series. `add` takes samples in the order of time."""

    def __init__(self) -> None:
        self._points: dict[Labels, Points] = {}
        self._by_name: dict[str, dict[Labels, Points]] = {}
        self._selected: dict[tuple[Matcher, ...], dict[Labels, Points]] = {}

    def add(self, labels: Labels, at: Milliseconds, value: float) -> None:
        """One sample."""
        points = self._points.get(labels)
        if points is None:
            points = self._points[labels] = Points()
            self._by_name.setdefault(dict(labels)["__name__"], {})[labels] = points
            self._selected.clear()
        points.at.append(at)
        points.values.append(value)

    def scraped(self, at: Milliseconds, shown: Mapping[Labels, float]) -> None:
        """What one scrape of everything has seen. A series that it has not seen ends."""
        for labels, value in shown.items():
            self.add(labels, at, value)
        for labels, points in self._points.items():
            if labels not in shown and not math.isnan(points.values[-1]):
                self.add(labels, at, math.nan)

    def forget(self, before: Milliseconds) -> None:
        """Drop older samples, and series without any left."""
        for labels, points in list(self._points.items()):
            old = bisect_left(points.at, before)
            del points.at[:old], points.values[:old]
            if not points.at:
                del self._points[labels], self._by_name[dict(labels)["__name__"]][labels]
                self._selected.clear()

    def clear(self) -> None:
        """Drop everything."""
        self._points.clear()
        self._by_name.clear()
        self._selected.clear()

    def select(self, matchers: Iterable[Matcher]) -> Mapping[Labels, Points]:
        """The series that fit all matchers."""
        key = tuple(matchers)
        if key not in self._selected:
            names = [value for label, sign, value in key if (label, sign) == ("__name__", "=")]
            among = (self._by_name.get(names[0], {}) if names else self._points).items()
            self._selected[key] = {labels: points for labels, points in among if _fits(labels, key)}
        return self._selected[key]

    def values_of(self, label: str) -> list[str]:
        """All values of a label, sorted."""
        return sorted({value for labels in self._points for name, value in labels if name == label})

    def labels(self) -> list[str]:
        """The names of all labels, sorted."""
        return sorted({name for labels in self._points for name, _ in labels})


def series_labels(metric: str, labels: Mapping[str, str]) -> Labels:
    """The key of a series."""
    return tuple(sorted({**labels, "__name__": metric}.items()))


def _fits(labels: Labels, wanted: Iterable[Matcher]) -> bool:
    values = dict(labels)
    return all(SIGNS[sign](value, values.get(label, "")) for label, sign, value in wanted)
