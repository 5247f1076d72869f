"""Rows of a NRQL answer become series. A facet is a label of its own name or, written `attribute AS 'label'`, of that;
a column `label=value` is a series with that further label, any other a series without. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.adapters.metric_series import Labels, Milliseconds, Series, labels_key
from bot.ports.metrics import RequestsQuery

Row = Mapping[str, Any]

SEEN = "seen"
"""The column that counts data points: New Relic fills intervals without any data with zeros."""

OWN = ("beginTimeSeconds", "endTimeSeconds", "facet", SEEN)
SOURCE = re.compile(r"\bFROM (\S+)")
FACETS = re.compile(r"\bFACET (.+) LIMIT MAX$")
FACET = re.compile(r"(?P<quote>`?)(?P<attribute>[^`]+?)(?P=quote)(?: AS '(?P<label>[^']+)')?")
COLUMN = re.compile(r" AS '([^']+)'")


def source_of(nrql: str) -> str:
    """The kind of data that a query reads, such as `Metric`."""
    found = SOURCE.search(nrql)
    return found[1] if found else ""


def facets_of(nrql: str) -> Mapping[str, str]:
    """The labels of a query, and the attribute of each."""
    found = FACETS.search(nrql)
    pieces = [FACET.fullmatch(piece) for piece in found[1].split(", ")] if found else []
    return {piece["label"] or piece["attribute"]: piece["attribute"] for piece in pieces if piece}


def series_of(nrql: str, rows: Sequence[Row]) -> tuple[Series, ...]:
    """The series of an answer, by the begin of each interval. Raises KeyError, TypeError or ValueError for rows that
    are no answer to the query."""
    labels, found = list(facets_of(nrql)), defaultdict[Labels, dict[Milliseconds, float]](dict)
    columns = [column for column in COLUMN.findall(nrql.partition(" FROM ")[0]) if column not in OWN]
    for row in rows:
        if not row[SEEN]:
            continue
        named = dict(_faceted(labels, row["facet"]))
        for column in columns:
            label, sign, value = column.partition("=")
            more = {label: value} if sign else {}
            if row[column] is not None:
                found[labels_key(named | more)][int(row["beginTimeSeconds"]) * 1000] = float(row[column])
    return tuple(Series(dict(key), points) for key, points in found.items())


def without_idle(query: RequestsQuery, series: Sequence[Series]) -> tuple[Series, ...]:
    """Without columns of a pod that counted nothing while another did: a filter that nothing fits gives zeros, where
    other servers have no series."""
    busy = {_bare(query, one) for one in series if any(one.points.values())}
    return tuple(one for one in series if any(one.points.values()) or _bare(query, one) not in busy)


def listed(value: object) -> Iterator[str]:
    """The words of a list; nothing of what is none."""
    yield from map(str, value) if isinstance(value, list) else ()


def _bare(query: RequestsQuery, one: Series) -> Labels:
    return labels_key({key: value for key, value in one.labels.items() if key not in query.code_labels})


def _faceted(labels: Sequence[str], facet: object) -> Iterator[tuple[str, str]]:
    values = facet if isinstance(facet, list) else [facet]
    for label, value in zip(labels, values, strict=True):
        if value is not None:
            yield label, str(value)
