"""What every query language makes its queries of, and what it makes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile

from bot.domain.errors import UsageError
from bot.ports.metrics import Arms, GaugeQuery, LatencyQuery, RequestsQuery
from runbooks.signal_presets import Preset

METRIC = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:.]*)(?:\{((?:[^{}"]|"[^"]*")*)\})?')
"""A metric's name, perhaps with conditions of its own in braces, in the words of its server."""

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
OPERATORS = ("=~", "!~", "!=")
PIECE = re.compile(r"\[([^\]^\\])\]|([\w/ -])")
"""A piece of a regular expression that stands for one character alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be asked. `preset` holds the names with everything that the service calls otherwise; `match` the
    labels that every series must have, and `namespace` where the pods are."""

    preset: Preset
    arms: Arms
    match: Mapping[str, str]
    namespace: str
    interval: timedelta
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The queries."""

    requests: RequestsQuery
    latency: LatencyQuery | None = None
    gauges: tuple[GaugeQuery, ...] = ()


def read_metric(written: str) -> tuple[str, str]:
    """The name of a metric, and its own conditions, perhaps none. Raises UsageError."""
    read = METRIC.fullmatch(written)
    if read is None:
        raise UsageError(f"'{written}' is not the name of a metric.")
    return read[1], (read[2] or "").strip()


def operator_of(wanted: str) -> tuple[str, str]:
    """The operator that stands before a wanted value (`=` where none does), and the value."""
    operator = next((sign for sign in OPERATORS if wanted.startswith(sign)), "=")
    return operator, wanted.removeprefix(operator) if operator != "=" else wanted


def common_beginning(arms: Arms) -> str:
    """What the values of the label begin with on every arm, as far as the regular expressions say it; for languages
    that know no better. The series of others that begin alike are sorted out when they are read."""
    patterns = [arms.canary, arms.stable, *([arms.baseline] if arms.baseline else [])]
    texts = ["".join(_beginning(pattern)) for pattern in patterns]
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(min(texts), max(texts), strict=False))
    return "".join(char for char, _ in alike)


def _beginning(pattern: str) -> Iterator[str]:
    at = 0
    while "|" not in pattern:  # nobody knows where an alternative begins
        piece = PIECE.match(pattern, at)
        if piece is None or pattern[piece.end() : piece.end() + 1] in ("*", "?", "{"):
            return
        yield piece[1] or piece[2]
        at = piece.end()
