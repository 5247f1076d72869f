"""The few forms of PromQL that Sluice writes, read and worked out over samples in memory."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

Labels = tuple[tuple[str, str], ...]
Vector = dict[Labels, float]
Samples = list[tuple[int, float]]
"""Moments in milliseconds and values, oldest first; a NaN says that the series ended."""

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[a-zA-Z_:][\w:]*|\d+[smh]?|=~|!~|!=|[(){}\[\],=])')
LOOK_BACK_MS = 300_000
SIGNS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda wanted, value: wanted == value,
    "!=": lambda wanted, value: wanted != value,
    "=~": lambda wanted, value: re.fullmatch(wanted, value) is not None,
    "!~": lambda wanted, value: re.fullmatch(wanted, value) is None,
}


class PromqlError(Exception):
    """Not a query; the text is what Prometheus would say, more or less."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A metric and its matchers, with the samples so far of every series that fits."""

    series: Mapping[Labels, Samples]

    def newest(self, at: int) -> dict[Labels, tuple[int, float]]:
        """The newest sample of each series, unless it is old or has ended."""
        found = {}
        for labels, samples in self.series.items():
            before = [sample for sample in samples if sample[0] <= at]
            if before and before[-1][0] > at - LOOK_BACK_MS and before[-1][1] == before[-1][1]:
                found[labels] = before[-1]
        return found


class Query:
    """One query over a store of series (labels with `__name__`), worked out at one moment."""

    def __init__(self, text: str, store: Mapping[Labels, Samples]) -> None:
        self._store = store
        self._tokens = _tokens(text)

    def at(self, moment: int) -> Vector:
        """The value of the query at a moment."""
        self._left, self._at = list(self._tokens), moment
        found = self._expression()
        if self._left:
            raise PromqlError(f'parse error: unexpected "{self._left[0]}"')
        return found

    def _take(self, wanted: str = "") -> str:
        if not self._left or (wanted and self._left[0] != wanted):
            raise PromqlError("parse error: unexpected end of input" if not self._left else "parse error: unexpected")
        return self._left.pop(0)

    def _expression(self) -> Vector:
        found = self._term()
        while self._left and self._left[0] == "or":
            self._take()
            found = self._term() | found
        return found

    def _term(self) -> Vector:
        match self._left[0] if self._left else "":
            case "sum" | "max":
                return self._aggregated(sum if self._take() == "sum" else max)
            case "timestamp":
                return {_bare(labels): at / 1000 for labels, (at, _) in self._argument().newest(self._at).items()}
            case "irate":
                return self._ranged(_irate)
            case "increase":
                return self._ranged(_increase)
            case "topk":
                return self._topk()
            case "label_replace":
                return self._label_replaced()
        return {labels: value for labels, (_, value) in self._selected().newest(self._at).items()}

    def _argument(self) -> Selected:
        self._take()
        self._take("(")
        found = self._selected()
        self._take(")")
        return found

    def _aggregated(self, joined: Callable[[list[float]], float]) -> Vector:
        by: set[str] = set()
        if self._left and self._left[0] == "by":
            self._take()
            by = self._listed()
        self._take("(")
        inner = self._expression()
        self._take(")")
        groups: dict[Labels, list[float]] = {}
        for labels, value in inner.items():
            groups.setdefault(tuple(pair for pair in labels if pair[0] in by), []).append(value)
        return {labels: joined(values) for labels, values in groups.items()}

    def _listed(self) -> set[str]:
        self._take("(")
        names = set()
        while (token := self._take()) != ")":
            names.add(token)
        return names - {","}

    def _ranged(self, worked_out: Callable[[Samples, int, int], float | None]) -> Vector:
        """A function of the samples in a window; a series that has too few of them is left out."""
        self._take()
        self._take("(")
        chosen = self._selected()
        self._take("[")
        window_ms = int(self._take().removesuffix("s")) * 1000
        self._take("]")
        self._take(")")
        found = {}
        for labels, samples in chosen.series.items():
            within = [one for one in samples if self._at - window_ms < one[0] <= self._at and one[1] == one[1]]
            value = worked_out(within, self._at - window_ms, self._at) if len(within) > 1 else None
            if value is not None:
                found[_bare(labels)] = value
        return found

    def _topk(self) -> Vector:
        self._take()
        self._take("(")
        most = int(self._take())
        self._take(",")
        inner = self._expression()
        self._take(")")
        return dict(sorted(inner.items(), key=lambda one: -one[1])[:most])

    def _label_replaced(self) -> Vector:
        self._take()
        self._take("(")
        inner = self._expression()
        words = []
        while self._take() == ",":
            words.append(self._take().strip('"'))
        label, value, source, wanted = words
        if (source, wanted) != ("", ""):
            raise PromqlError("label_replace is read for fixed values only")
        return {tuple(sorted((*labels, (label, value)))): amount for labels, amount in inner.items()}

    def _selected(self) -> Selected:
        name = self._take()
        wanted = [("__name__", "=", name)]
        if self._left and self._left[0] == "{":
            self._take()
            while self._left and self._left[0] != "}":
                label, sign, value = self._take(), self._take(), self._take()
                wanted.append((label, sign, value.strip('"').replace("\\\\", "\\").replace('\\"', '"')))
                if self._left and self._left[0] == ",":
                    self._take()
            self._take("}")
        return Selected({labels: samples for labels, samples in self._store.items() if _fits(labels, wanted)})


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        token = TOKEN.match(text, at)
        if token is None:
            raise PromqlError(f'parse error: unexpected character: "{text[at:].strip()[0]}"')
        found.append(token[1])
        at = token.end()
    return found


def _fits(labels: Labels, wanted: list[tuple[str, str, str]]) -> bool:
    values = dict(labels)
    return all(SIGNS[sign](value, values.get(label, "")) for label, sign, value in wanted)


def _bare(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != "__name__")


def _irate(samples: Samples, _begin: int, _end: int) -> float:
    """What grew in each second between the last two samples."""
    (began, before), (ended, now) = samples[-2:]
    return (now - before if now >= before else now) / ((ended - began) / 1000)


def _increase(samples: Samples, begin: int, end: int) -> float:
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
