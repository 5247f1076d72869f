"""The few forms of NRQL that Sluice writes, read and worked out over data points in memory."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

Point = Mapping[str, Any]
"""A data point or an event: `timestamp` in milliseconds, and its attributes. One of a metric has its value under its
name."""

QUERY = re.compile(
    r"SELECT (?P<columns>.+?) FROM (?P<source>\S+)(?: WHERE (?P<where>.+?))?(?: FACET (?P<facet>.+?))??"
    r"(?: LIMIT (?P<limit>\w+))? SINCE (?P<since>\d+) UNTIL (?P<until>\d+)"
    r"(?: FACET (?P<late>.+?) LIMIT (?P<few>\d+))?(?: TIMESERIES (?P<step>\d+) SECONDS)?"
)
ATOM = re.compile(
    r"(?P<name>`[^`]+`|[\w.]+) (?P<sign>NOT RLIKE|RLIKE|LIKE|IS NOT NULL|IS NULL|IS TRUE|<=|!=|=)(?: (?P<value>.+))?"
)
COLUMN = re.compile(r"(?P<expression>.+?)(?: AS '(?P<name>[^']+)')?")
CALL = re.compile(r"(?P<function>\w+)\((?P<inner>.*)\)")
SPLIT = re.compile(r", (?![^(]*\))")


class NrqlError(Exception):
    """Not a query; the text is what New Relic would say, more or less."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query, read."""

    parts: Mapping[str, str | None]

    @staticmethod
    def read(text: str) -> "Query":
        """Raises NrqlError."""
        found = QUERY.fullmatch(text)
        if found is None:
            raise NrqlError(f"NRQL Syntax Error: Error at line 1, unexpected '{text[:20]}'")
        return Query(found.groupdict())

    @property
    def source(self) -> str:
        """The kind of data."""
        return str(self.parts["source"])

    def rows(self, points: Sequence[Point]) -> list[dict[str, Any]]:
        """The answer's rows. A facet must have all its attributes."""
        since, until = int(self.parts["since"] or 0), int(self.parts["until"] or 0)
        fitting = [one for one in points if since <= one["timestamp"] < until and self._fits(one)]
        columns = [COLUMN.fullmatch(piece) for piece in SPLIT.split(str(self.parts["columns"]))]
        facets = [piece.partition(" AS ")[0].strip("`") for piece in (self._facet or "").split(", ") if piece]
        groups: dict[tuple[str, ...], list[Point]] = {} if facets else {(): fitting}
        for one in fitting if facets else ():
            if all(one.get(facet) is not None for facet in facets):
                groups.setdefault(tuple(str(one[facet]) for facet in facets), []).append(one)
        begins = range(since, until, int(self.parts["step"]) * 1000) if self.parts["step"] else None
        rows = []
        for (group, members), begin in product(groups.items(), begins or [since]):
            end = begin + begins.step if begins else until
            here = [one for one in members if begin <= one["timestamp"] < end]
            row = {
                column["name"] or column["expression"]: worked_out(column["expression"], here, end - begin)
                for column in columns
                if column
            }
            rows.append({**row, **self._placed(group, begin, end)})
        return rows

    @property
    def _facet(self) -> str | None:
        return self.parts["facet"] or self.parts["late"]

    def _placed(self, group: tuple[str, ...], begin: int, end: int) -> dict[str, Any]:
        facet = {"facet": group[0] if len(group) == 1 else list(group)} if group else {}
        times = {"beginTimeSeconds": begin // 1000, "endTimeSeconds": end // 1000} if self.parts["step"] else {}
        return {**facet, **times}

    def _fits(self, one: Point) -> bool:
        return holds(self.parts["where"], one) if self.parts["where"] else True


def worked_out(expression: str, points: Sequence[Point], length_ms: int) -> Any:
    """An aggregate over data points; `length_ms` is that of their interval."""
    if " - " in expression and _outside(expression, " - "):
        left, _, right = expression.rpartition(" - ")
        return worked_out(left, points, length_ms) - worked_out(right, points, length_ms)
    call = CALL.fullmatch(expression)
    if call is None:
        raise NrqlError(f"NRQL Syntax Error: unknown function {expression}")
    function, inner = call["function"], call["inner"]
    match function:
        case "count":
            return len(points)
        case "filter":
            aggregate, _, condition = inner.partition(", WHERE ")
            return worked_out(aggregate, [one for one in points if holds(condition, one)], length_ms)
        case "rate":
            return worked_out(inner.partition(", ")[0], points, length_ms) / (length_ms / 1000)
        case "uniques":
            return sorted({str(one[inner.partition(",")[0]]) for one in points})
        case "keyset":
            return sorted({key for one in points for key in one})
    values = [one[inner.strip("`")] for one in points if one.get(inner.strip("`")) is not None]
    return sum(values) if function == "sum" else sum(values) / len(values) if values else None


def holds(condition: str, one: Point) -> bool:
    """Whether a condition of ANDs, or of ORs, is true for a data point."""
    if condition.startswith("(") and condition.endswith(")"):
        condition = condition[1:-1]
    if " AND " in condition:
        return all(holds(piece, one) for piece in condition.split(" AND "))
    if " OR " in condition:
        return any(holds(piece, one) for piece in condition.split(" OR "))
    atom = ATOM.fullmatch(condition)
    if atom is None:
        raise NrqlError(f"NRQL Syntax Error: unexpected '{condition}'")
    value = one.get(atom["name"].strip("`"))
    return SIGNS[atom["sign"]](value, (atom["value"] or "").removeprefix("r").strip("'"))


SIGNS: Mapping[str, Callable[[Any, str], bool]] = {
    "RLIKE": lambda value, wanted: value is not None and re.fullmatch(wanted, str(value)) is not None,
    "NOT RLIKE": lambda value, wanted: value is not None and re.fullmatch(wanted, str(value)) is None,
    "LIKE": lambda value, wanted: value is not None and str(value).startswith(wanted.removesuffix("%")),
    "IS NULL": lambda value, _: value is None,
    "IS NOT NULL": lambda value, _: value is not None,
    "IS TRUE": lambda value, _: value is True,
    "<=": lambda value, wanted: value is not None and value <= float(wanted),
    "=": lambda value, wanted: value is not None and str(value) == wanted,
    "!=": lambda value, wanted: value is None or str(value) != wanted,
}


def _outside(expression: str, sign: str) -> bool:
    """Whether the last of the signs stands between two whole calls."""
    left = expression.rpartition(sign)[0]
    return left.count("(") == left.count(")")
