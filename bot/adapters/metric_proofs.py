"""Whether a query can judge a canary, from what it gives for the stable pods: pure, whatever the vendor."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from bot.adapters.metric_readings import STALE_SCRAPES, bound_of, edge
from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.ports.metrics import (
    AGE_LABEL,
    LATENCY,
    NEWEST,
    Arms,
    GaugeQuery,
    LatencyQuery,
    Proof,
    RequestsQuery,
    SignalQueries,
)

Query = RequestsQuery | LatencyQuery | GaugeQuery

FEWEST_EDGES = 3
"""With fewer, the infinite one included, a histogram says next to nothing about latency."""

SLOWER = 1.5
"""Scrapes that are further apart than this many intervals are not those of that interval."""


def proof(name: str, query: Query, queries: SignalQueries, answer: Answer) -> Proof | None:
    """The proof of one signal; `None` when nothing came back for stable pods: then ask what there is."""
    stable = [series for series in answer.series if queries.arms.is_stable(series.labels) and series.points]
    if not stable:
        return None
    found = _found(stable, queries.arms)
    if answer.warnings:
        return Proof(name, query.text, found, f"the answer may not be whole: {'; '.join(answer.warnings)}")
    match query:
        case RequestsQuery():
            return Proof(name, query.text, found, _requests_problem(query, queries.interval, stable))
        case LatencyQuery():
            return _latency(query, queries.arms, stable, found)
        case _:
            return Proof(name, query.text, found)


def nothing(name: str, query: Query, arms: Arms, samples: Answer, names: Sequence[str]) -> Proof:
    """The proof that failed because nothing came back. `samples` are a few bare series of the metric, `names` all
    metrics there are, where that is known."""
    if not samples.series:
        near = difflib.get_close_matches(query.metric, names, n=1, cutoff=0.5)
        offer = f"; did you mean '{near[0]}'?" if near else "; check its name and that it is scraped"
        return Proof(name, query.text, "nothing", f"there is no metric '{query.metric}'{offer}")
    return Proof(name, query.text, "nothing", _elsewhere(query.metric, arms, samples.series))


def _elsewhere(metric: str, arms: Arms, samples: Sequence[Series]) -> str:
    labels = sorted({label for series in samples for label in series.labels if label != "__name__"})
    if not any(arms.label in series.labels for series in samples) and arms.stable:
        said = f"the series of '{metric}' have no label '{arms.label}', so nobody can tell the arms apart"
        return f"{said}; they have {', '.join(labels) or 'none at all'}"
    values = sorted({series.labels.get(arms.label, "") for series in samples})
    said = f"'{metric}' has no series whose {arms.label} is like {arms.stable}; there are such as {', '.join(values)}"
    return f"{said}; {arms.hint}" if arms.hint else f"{said}; check the labels that are asked for"


def _found(stable: Sequence[Series], arms: Arms) -> str:
    pods = {series.labels.get(arms.pod or arms.label, "") for series in stable}
    counted = f"{len(stable)} series"
    if arms.pod and not any(pods):
        return f"{counted} without the label '{arms.pod}': the arm counts as one pod"
    return f"{counted} of {len(pods)} pod{'s' if len(pods) > 1 else ''}"


def _requests_problem(query: RequestsQuery, interval: timedelta, stable: Sequence[Series]) -> str:
    counters = [series for series in stable if series.labels.get(AGE_LABEL) != NEWEST]
    ages = [series for series in stable if series.labels.get(AGE_LABEL) == NEWEST]
    coded = [series for series in counters if any(label in series.labels for label in query.code_labels)]
    if not coded:
        wanted = "' or '".join(query.code_labels)
        return f"no series has a label '{wanted}', so failed requests cannot be told; set labels: {{code: …}}"
    return next(_scrape_problems(() if query.sparse else ages, interval), "")


def _scrape_problems(ages: Sequence[Series], interval: timedelta) -> Iterator[str]:
    """What the times of the newest samples say about scraping, for pods that were there all the time."""
    interval_s = interval.total_seconds()
    if not ages:
        return
    last = max(max(series.points) for series in ages)
    age_s = min(last / 1000 - series.points[last] if last in series.points else interval_s for series in ages)
    gap_s = min(_gap_s(series.points) for series in ages)
    if gap_s > SLOWER * interval_s:
        yield f"the pods are scraped every {gap_s:.0f} s, not every {interval_s:g} s; set interval: {gap_s:.0f}s"
    elif age_s > STALE_SCRAPES * interval_s:
        yield f"the newest sample is {age_s:.0f} s old; is the server still scraping?"


def _gap_s(points: Mapping[Milliseconds, float]) -> float:
    """The shortest time between two scrapes; 0 where only one was seen."""
    seen = sorted(set(points.values()))
    return min((later - earlier for earlier, later in pairwise(seen)), default=0.0)


def _latency(query: LatencyQuery, arms: Arms, stable: Sequence[Series], found: str) -> Proof:
    by_pod: dict[str, set[float]] = {}
    for series in stable:
        bound = bound_of(series.labels, query)
        if bound is not None:
            by_pod.setdefault(series.labels.get(arms.pod or arms.label, ""), set()).add(bound)
    if not by_pod:
        problem = f"the series have no label '{query.label}', so this is no histogram; name the metric of its buckets"
        return Proof(LATENCY, query.text, found, problem)
    common = sorted(set.intersection(*by_pod.values()))
    finite = tuple(bound for bound in common if bound != float("inf"))
    told = f"{found}, buckets up to {', '.join(f'{bound:g}' for bound in common)} s"
    return Proof(LATENCY, query.text, told, _bucket_problem(query, common), query.bounds or finite)


def _bucket_problem(query: LatencyQuery, common: Sequence[float]) -> str:
    if not common:
        return "the pods have no bucket in common, so they cannot be compared"
    if common[-1] != float("inf"):
        return 'the histogram has no bucket le="+Inf", so slow requests are not counted'
    if len(common) == 1:
        said = "the histogram has no bucket besides +Inf, which says nothing about latency"
        return f"{said}; have its buckets sent, or leave it out with metrics: {{latency: null}}"
    missing = [bound for bound in query.bounds if edge(bound) not in common]
    if missing:
        there = ", ".join(f"{bound:g}" for bound in common[:-1])
        return f"the histogram has no bucket for {', '.join(f'{bound:g}' for bound in missing)} s; there are {there}"
    if len(common) < FEWEST_EDGES:
        return "the histogram has only one bucket besides +Inf, which says next to nothing about latency"
    return ""
