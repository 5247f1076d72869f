"""The query API of Prometheus (prometheus.io/docs/prometheus/latest/querying/api), as far as Sluice and people who look
ask it: a request's path and form give a status and a body. No server, no waiting."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from bot.sandbox.prometheus.promql_reader import PromqlError, Query
from bot.sandbox.prometheus.series_store import Labels, Milliseconds, SeriesStore

MOST_POINTS = 11_000
"""Beyond it Prometheus refuses (web/api/v1/api.go)."""

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
LABEL_VALUES = re.compile(r"/api/v1/label/(?P<label>[a-zA-Z_]\w*)/values")


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back. `body` is JSON."""

    status: HTTPStatus
    body: Mapping[str, Any]


class _BadDataError(Exception):
    """The text is what Prometheus says."""


def answered(store: SeriesStore, path: str, form: Mapping[str, str], now: datetime, warnings: list[str]) -> Reply:
    """The answer to a request for `path`, from `/api/v1` on. Other paths are 404. `warnings` come with each success."""
    try:
        data = _data(store, path, form, now.timestamp())
    except _BadDataError as exc:
        return Reply(HTTPStatus.BAD_REQUEST, {"status": "error", "errorType": "bad_data", "error": str(exc)})
    if data is None:
        return Reply(HTTPStatus.NOT_FOUND, {})
    return Reply(HTTPStatus.OK, {"status": "success", "data": data, **({"warnings": warnings} if warnings else {})})


def _data(store: SeriesStore, path: str, form: Mapping[str, str], now_s: float) -> Any:
    match path:
        case "/api/v1/query":
            moment = _milliseconds("time", form.get("time", str(now_s)))
            return _result(store, form, range(moment, moment + 1), instant=True)
        case "/api/v1/query_range":
            return _result(store, form, _moments(form), instant=False)
        case "/api/v1/labels":
            return store.labels()
    named = LABEL_VALUES.fullmatch(path)
    return store.values_of(named["label"]) if named else None


def _moments(form: Mapping[str, str]) -> range:
    start, end = (_milliseconds(name, form.get(name, "")) for name in ("start", "end"))
    step = round(_step_s(form.get("step", "")) * 1000)
    if end < start:
        raise _BadDataError('invalid parameter "end": end timestamp must not be before start time')
    if step <= 0:
        raise _BadDataError(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer"
        )
    if (end - start) / step > MOST_POINTS:
        raise _BadDataError(
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
    return range(start, end + 1, step)


def _result(store: SeriesStore, form: Mapping[str, str], moments: range, *, instant: bool) -> Any:
    try:
        matrix = Query(form.get("query", ""), store).over(moments)
    except PromqlError as exc:
        raise _BadDataError(f'invalid parameter "query": {exc}') from exc
    times = [moment / 1000 for moment in moments]
    result = []
    for labels, row in matrix.items():
        points = [[at, f"{value:.17g}"] for at, value in zip(times, row, strict=True) if value is not None]
        result.append(_series(labels, points, instant=instant))
    return {"resultType": "vector" if instant else "matrix", "result": result}


def _series(labels: Labels, points: list[list[Any]], *, instant: bool) -> dict[str, Any]:
    return {"metric": dict(labels), **({"value": points[0]} if instant else {"values": points})}


def _milliseconds(name: str, written: str) -> Milliseconds:
    try:
        seconds = float(written)
    except ValueError:
        seconds = _rfc3339_s(written)
    if not math.isfinite(seconds):
        raise _BadDataError(f'invalid parameter "{name}": cannot parse "{written}" to a valid timestamp')
    return round(seconds * 1000)


def _rfc3339_s(written: str) -> float:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return math.nan
    return moment.timestamp() if moment.tzinfo else math.nan


def _step_s(written: str) -> float:
    """A number of seconds or a duration such as `1m30s`."""
    if re.fullmatch(r"-?\d+(\.\d+)?", written):
        return float(written)
    parts = re.findall(r"(\d+)(ms|[smhdwy])", written)
    if not parts or "".join(map("".join, parts)) != written:
        raise _BadDataError(f'invalid parameter "step": cannot parse "{written}" to a valid duration')
    return sum(int(count) * UNITS_S[unit] for count, unit in parts)
