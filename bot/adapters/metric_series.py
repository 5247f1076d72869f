"""What any metrics server answers, without its vendor's form: series of points, and what it warns of."""

from collections.abc import Mapping
from dataclasses import dataclass

Milliseconds = int
"""A moment as milliseconds since the epoch: exact, unlike fractions of a second."""


Labels = tuple[tuple[str, str], ...]
"""Labels as a key."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its labels, and its values by moment."""

    labels: Mapping[str, str]
    points: Mapping[Milliseconds, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """All series of one answer. `warnings` say why it may not be whole; empty: it is."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()


def labels_key(labels: Mapping[str, str]) -> Labels:
    """Equal for equal labels, in whatever order."""
    return tuple(sorted(labels.items()))
