"""Sums over a window: what counts, what is missing, and how much of the window is known. Pure, whatever the vendor."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from bot.adapters.metric_readings import STALE_SCRAPES
from bot.adapters.metric_series import Answer, Milliseconds
from bot.adapters.metrics_http import short
from bot.domain.errors import UnreadableError
from bot.ports.metrics import AGE_LABEL, ERRORS, Arm, Lack, LackKind, RequestsQuery, Totals

LOOKS = 120
"""Moments of a window at which it is looked whether there are data: six hours apart in 30 days."""

Spell = tuple[Milliseconds, Milliseconds]
"""A stretch of time of which data tell, from its begin to its end."""


def moments_of(window: Milliseconds, until: Milliseconds, interval: Milliseconds) -> range:
    """The moments to look at, the last one `until`: never closer than scrapes are."""
    step = max(interval, window // LOOKS)
    return range(until - window // step * step, until + 1, step)


def spells(moments: range, newest: Mapping[Milliseconds, float], interval: Milliseconds) -> list[Spell]:
    """The stretches that begin and end with fresh data. `newest` says of each moment when its newest sample is from, in
    seconds since the epoch. Less is told than may be there, never more: data at one moment alone are no stretch."""
    oldest = max(STALE_SCRAPES * interval, moments.step)
    fresh = {at for at in moments if at in newest and at - newest[at] * 1000 <= oldest}
    return [(begin, end) for begin, end in pairwise(moments) if {begin, end} <= fresh]


def spells_of_intervals(intervals: Sequence[Spell]) -> list[Spell]:
    """The same for counts of intervals that have any: one whose forerunner has none may have begun late."""
    return [later for earlier, later in pairwise(intervals) if earlier[1] == later[0]]


def length(found: Iterable[Spell]) -> timedelta:
    """How long all are together."""
    return timedelta(milliseconds=sum(end - begin for begin, end in found))


def total(query: RequestsQuery, counted: Answer, known: Sequence[Spell], lacks: Sequence[Lack]) -> Totals:
    """The sums of an answer. A series without any code tells of no outcome, so it counts for neither; with such series
    alone nobody can tell failures. Raises UnreadableError for what no counter can show."""
    requests = failures = untold = 0.0
    for series in (one for one in counted.series if AGE_LABEL not in one.labels):
        grown = sum(_counted(value, query) for value in series.points.values())
        if not any(series.labels.get(label) for label in query.code_labels):
            untold += grown
            continue
        requests += grown
        failures += grown if query.is_bad(series.labels) else 0.0
    told = list(lacks)
    if counted.warnings:
        told.append(warned(counted))
    if untold and not requests:
        wanted = "' or '".join(query.code_labels)
        said = f"no series has a label '{wanted}', so failed requests cannot be told; set labels: {{code: …}}"
        told.append(Lack(LackKind.NO_SERIES, ERRORS, Arm.BASELINE, said))
    return Totals(requests, failures, length(known), tuple(told))


def nothing_known(said: str) -> Totals:
    """Where nobody counts anything; `said` is what is wrong, as a clause."""
    return Totals(0.0, 0.0, timedelta(0), (Lack(LackKind.NO_SERIES, ERRORS, Arm.BASELINE, said),))


def stale(age: Milliseconds, interval: Milliseconds) -> tuple[Lack, ...]:
    """The lack, where the newest sample of all pods is older than a few scrapes."""
    if age <= STALE_SCRAPES * interval:
        return ()
    said = f"the newest sample of all pods is {age / 1000:.0f} s old; is the server still scraping?"
    return (Lack(LackKind.STALE, ERRORS, Arm.BASELINE, said),)


def warned(answer: Answer) -> Lack:
    """What an answer warns of."""
    return Lack(LackKind.PARTIAL, ERRORS, None, f"requests may not be whole: {'; '.join(answer.warnings)}")


def _counted(value: float, query: RequestsQuery) -> float:
    if not math.isfinite(value) or value < 0:
        raise UnreadableError(f"the metrics server counts {value:g} requests; asked for {short(query.text)}")
    return value
