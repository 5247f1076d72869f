"""The few forms of PromQL that Sluice writes, read once and worked out over samples in memory."""

import math
import operator
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from bot.sandbox.prometheus.series_store import SIGNS, Labels, Matcher, Milliseconds, Points, SeriesStore

Row = list[float | None]
"""The value of a series at each moment; `None`: it has none then."""

Matrix = dict[Labels, Row]
Samples = list[tuple[Milliseconds, float]]

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[a-zA-Z_:][\w:]*|\d+[smhd]?|=~|!~|!=|[(){}\[\],=])')
UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LOOK_BACK_MS = 300_000


class PromqlError(Exception):
    """Not a query; the text is what Prometheus would say, more or less."""


class Query:
    """One query over a store. A form that Sluice does not write is an error, as if it were no PromQL."""

    def __init__(self, text: str, store: SeriesStore) -> None:
        self._store = store
        self._tokens = _tokens(text)
        self._left: list[str] = []
        self._moments: Sequence[Milliseconds] = ()

    def over(self, moments: Sequence[Milliseconds]) -> Matrix:
        """The value of the query at each of the moments, which ascend. Raises PromqlError."""
        self._left, self._moments = list(self._tokens), moments
        found = self._expression()
        if self._left:
            raise PromqlError(f'parse error: unexpected "{self._left[0]}"')
        return {labels: row for labels, row in found.items() if any(value is not None for value in row)}

    def _take(self, wanted: str = "") -> str:
        if not self._left:
            raise PromqlError("parse error: unexpected end of input")
        if wanted and self._left[0] != wanted:
            raise PromqlError(f'parse error: unexpected "{self._left[0]}", expected "{wanted}"')
        return self._left.pop(0)

    def _is_next(self, token: str) -> bool:
        return bool(self._left) and self._left[0] == token

    def _expression(self) -> Matrix:
        found = self._term()
        while self._is_next("or"):
            self._take()
            found = _either(found, self._term())
        return found

    def _term(self) -> Matrix:
        match self._left[0] if self._left else "":
            case "sum" | "max":
                return self._aggregated(operator.add if self._take() == "sum" else max)
            case "timestamp":
                return self._timestamps()
            case "irate":
                return self._ranged(_irate)
            case "increase":
                return self._ranged(_increase)
            case "topk":
                return self._topk()
            case "label_replace":
                return self._label_replaced()
        return {labels: _newest(points, self._moments)[1] for labels, points in self._selected().items()}

    def _timestamps(self) -> Matrix:
        self._take()
        self._take("(")
        chosen = self._selected()
        self._take(")")
        return {_bare(labels): _newest(points, self._moments)[0] for labels, points in chosen.items()}

    def _aggregated(self, joined: Callable[[float, float], float]) -> Matrix:
        by: frozenset[str] = frozenset()
        if self._is_next("by"):
            self._take()
            by = self._listed()
        self._take("(")
        inner = self._expression()
        self._take(")")
        groups: Matrix = {}
        for labels, row in inner.items():
            key = _grouped(labels, by)
            before = groups.get(key)
            groups[key] = list(row) if before is None else _joined(joined, before, row)
        return groups

    def _listed(self) -> frozenset[str]:
        self._take("(")
        names = set()
        while (token := self._take()) != ")":
            names.add(token)
        return frozenset(names - {","})

    def _ranged(self, worked_out: Callable[[Samples, Milliseconds, Milliseconds], float]) -> Matrix:
        """A function of the samples in a window; a series that has too few of them is left out."""
        self._take()
        self._take("(")
        chosen = self._selected()
        self._take("[")
        window_ms = _milliseconds(self._take())
        self._take("]")
        self._take(")")
        return {
            _bare(labels): [_within(points, moment, window_ms, worked_out) for moment in self._moments]
            for labels, points in chosen.items()
        }

    def _topk(self) -> Matrix:
        self._take()
        self._take("(")
        most = self._take()
        if not most.isdigit():
            raise PromqlError(f'parse error: unexpected "{most}", expected a number')
        self._take(",")
        inner = self._expression()
        self._take(")")
        found: Matrix = {labels: [None] * len(self._moments) for labels in inner}
        for place in range(len(self._moments)):
            there = [(value, labels) for labels, row in inner.items() if (value := row[place]) is not None]
            for value, labels in sorted(there, key=lambda one: -one[0])[: int(most)]:
                found[labels][place] = value
        return found

    def _label_replaced(self) -> Matrix:
        self._take()
        self._take("(")
        inner = self._expression()
        words = []
        while self._take() == ",":
            words.append(self._take().strip('"'))
        label, value, *source = words
        if source != ["", ""]:
            raise PromqlError("label_replace is read for fixed values only")
        return {tuple(sorted((*labels, (label, value)))): row for labels, row in inner.items()}

    def _selected(self) -> Mapping[Labels, Points]:
        name = self._take()
        if self._is_next("("):
            raise PromqlError(f'parse error: unknown function with name "{name}"')
        wanted: list[Matcher] = [("__name__", "=", name)]
        if self._is_next("{"):
            self._take()
            while not self._is_next("}"):
                label, sign, value = self._take(), self._take(), self._take()
                wanted.append(_matcher(label, sign, value))
                if not self._is_next("}"):
                    self._take(",")
            self._take("}")
        return self._store.select(wanted)


@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[str, ...]:
    found, at = [], 0
    while text[at:].strip():
        token = TOKEN.match(text, at)
        if token is None:
            raise PromqlError(f'parse error: unexpected character: "{text[at:].strip()[0]}"')
        found.append(token[1])
        at = token.end()
    return tuple(found)


def _matcher(label: str, sign: str, value: str) -> Matcher:
    written = value.strip('"').replace("\\\\", "\\").replace('\\"', '"')
    if sign not in SIGNS:
        raise PromqlError(f'parse error: unexpected "{sign}" in label matching, expected label matching operator')
    if "~" in sign:
        try:
            re.compile(written)
        except re.error as exc:
            raise PromqlError(f"parse error: error parsing regexp: {exc}: `{written}`") from exc
    return label, sign, written


def _milliseconds(duration: str) -> Milliseconds:
    if duration[-1:] not in UNITS_MS or not duration[:-1].isdigit():
        raise PromqlError(f'parse error: not a valid duration string: "{duration}"')
    return int(duration[:-1]) * UNITS_MS[duration[-1]]


@lru_cache(maxsize=4096)
def _grouped(labels: Labels, by: frozenset[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] in by)


@lru_cache(maxsize=4096)
def _bare(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != "__name__")


def _either(first: Matrix, second: Matrix) -> Matrix:
    """What `or` gives: of two values for the same labels, the first."""
    found = dict(first)
    for labels, row in second.items():
        before = found.get(labels)
        found[labels] = row if before is None else [b if a is None else a for a, b in zip(before, row, strict=True)]
    return found


def _joined(joined: Callable[[float, float], float], before: Row, row: Row) -> Row:
    return [
        b if a is None else a if b is None else joined(a, b)  # the values of all who have one
        for a, b in zip(before, row, strict=True)
    ]


def _newest(points: Points, moments: Sequence[Milliseconds]) -> tuple[Row, Row]:
    """When the newest sample was, in seconds, and its value, at each moment; none that is old or has ended."""
    times: Row = []
    values: Row = []
    place = 0
    for moment in moments:
        place = bisect_right(points.at, moment, place)
        at, value = (points.at[place - 1], points.values[place - 1]) if place else (0, 0.0)
        there = place > 0 and at > moment - LOOK_BACK_MS and not math.isnan(value)
        times.append(at / 1000 if there else None)
        values.append(value if there else None)
    return times, values


def _within(
    points: Points,
    moment: Milliseconds,
    window_ms: Milliseconds,
    worked_out: Callable[[Samples, Milliseconds, Milliseconds], float],
) -> float | None:
    begin, end = bisect_right(points.at, moment - window_ms), bisect_right(points.at, moment)
    samples = [
        (points.at[place], value) for place in range(begin, end) if not math.isnan(value := points.values[place])
    ]
    return worked_out(samples, moment - window_ms, moment) if len(samples) > 1 else None


def _irate(samples: Samples, _begin: Milliseconds, _end: Milliseconds) -> float:
    """What grew in each second between the last two samples."""
    (began, before), (ended, now) = samples[-2:]
    return (now - before if now >= before else now) / ((ended - began) / 1000)


def _increase(samples: Samples, begin: Milliseconds, end: Milliseconds) -> float:
    """What grew, extended to the ends of the window: `extrapolatedRate` of Prometheus, promql/functions.go."""
    grown = sum(now - before if now >= before else now for (_, before), (_, now) in pairwise(samples))
    sampled, (first, value) = samples[-1][0] - samples[0][0], samples[0]
    apart = sampled / (len(samples) - 1)
    to_start, to_end = float(first - begin), float(end - samples[-1][0])
    to_start = apart / 2 if to_start >= 1.1 * apart else to_start
    to_end = apart / 2 if to_end >= 1.1 * apart else to_end
    if grown > 0 and value >= 0:
        to_start = min(to_start, sampled * value / grown)
    return grown * (sampled + to_start + to_end) / sampled
