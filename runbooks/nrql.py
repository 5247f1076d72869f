"""The queries of signals in NRQL: counts of each interval, summed for each pod. What interval is put behind when it is
asked. See `bot.adapters.newrelic` for what must be set up there.

A column is called `label=value` for a series with that label; `seen` counts data points. Failed requests are told by a
filter, and not by a facet for each code: the code may stand in one of several attributes, and a facet must have it.
A metric that is written like an event (`Transaction`, `K8sContainerSample.cpuUsedCores`) is read from those events.
"""

import re
from collections.abc import Iterator, Sequence

from bot.domain.errors import UsageError
from bot.ports.metrics import CPU, GaugeQuery, LatencyQuery, RequestsQuery
from runbooks.asking import Asked, Wanted, common_beginning, operator_of, read_metric

SEEN = "count(*) AS 'seen'"
FAILED, ANSWERED = "failed", "answered"
EVENT = re.compile(r"([A-Z][A-Za-z0-9]*)(?:\.(\w+))?")
WORD = re.compile(r"[A-Za-z_]\w*")
SAMPLE = "K8sContainerSample"
DURATION = "duration"
"""Of a Transaction, in seconds."""

USUAL_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Edges at which events are counted where the service has chosen none; the usual ones of Prometheus's libraries."""


def asked(wanted: Wanted) -> Asked:
    """The queries for New Relic. Raises UsageError."""
    preset = wanted.preset
    return Asked(
        _requests(wanted),
        _latency(wanted) if preset.latency else None,
        (_usage(wanted, preset.cpu),) if preset.cpu else (),
    )


def _requests(wanted: Wanted) -> RequestsQuery:
    metric, own = read_metric(wanted.preset.requests)
    codes, bad = wanted.preset.codes, wanted.preset.errors
    failed = " OR ".join(f"{_word(code)} RLIKE {_regex(bad)}" for code in codes)
    if EVENT.fullmatch(metric):
        all_of, coded = "count(*)", "count(*)"
        columns = [SEEN]
        failed = f"error IS TRUE OR {failed}"
    else:
        all_of = f"sum(`{metric}`)"
        coded = f"filter({all_of}, WHERE {' OR '.join(f'{_word(code)} IS NOT NULL' for code in codes)})"
        uncoded = " AND ".join(f"{_word(code)} IS NULL" for code in codes)
        columns = [SEEN, f"filter({all_of}, WHERE {uncoded}) AS 'uncoded'"]
    refused = f"filter({all_of}, WHERE {failed})"
    columns += [f"{refused} AS '{codes[0]}={FAILED}'", f"{coded} - {refused} AS '{codes[0]}={ANSWERED}'"]
    text = _select(columns, metric, _conditions(metric, own, wanted), wanted.arms.labels)
    return RequestsQuery(text, metric, codes, FAILED, sparse=EVENT.fullmatch(metric) is not None)


def _latency(wanted: Wanted) -> LatencyQuery:
    metric, own = read_metric(wanted.preset.latency)
    labels, unit_s = wanted.arms.labels, wanted.preset.unit_s
    conditions = _conditions(metric, own, wanted)
    if not EVENT.fullmatch(metric):
        text = _select([SEEN, f"sum(`{metric}`) AS 'count'"], metric, [*conditions, "le IS NOT NULL"], (*labels, "le"))
        return LatencyQuery(text, metric, unit_s, wanted.bounds)
    bounds = wanted.bounds or USUAL_BOUNDS
    edges = [f"filter(count(*), WHERE {DURATION} <= {bound:g}) AS 'le={bound:g}'" for bound in bounds]
    text = _select([SEEN, *edges, "count(*) AS 'le=+Inf'"], metric, conditions, labels)
    return LatencyQuery(text, metric, 1.0, bounds)


def _usage(wanted: Wanted, written: str) -> GaugeQuery:
    """A level, or how fast a counter of seconds grows; that of the Kubernetes integration is of each container."""
    metric, own = read_metric(written)
    event = EVENT.fullmatch(metric)
    if event is None:
        level = f"rate(sum(`{metric}`), 1 SECOND)" if metric.endswith("_total") else f"average(`{metric}`)"
        conditions = _conditions(metric, own, wanted)
        return GaugeQuery(CPU, _select([SEEN, f"{level} AS 'level'"], metric, conditions, wanted.arms.labels), metric)
    if event[2] is None or event[1] != SAMPLE:
        raise UsageError(f"'{metric}' is no level of CPU; leave it out for {SAMPLE}.cpuUsedCores, or name a metric.")
    if wanted.arms.pod:
        raise UsageError(f"The samples of containers have no label '{wanted.arms.label}'; name a metric, or cpu: null.")
    conditions = [f"namespaceName = {_text(wanted.namespace)}", *_beginning("podName", wanted)]
    pods = [f"podName AS '{wanted.arms.label}'", "containerName"]
    return GaugeQuery(CPU, _facetted([SEEN, f"average({event[2]}) AS 'level'"], SAMPLE, conditions, pods), metric)


def _select(columns: Sequence[str], metric: str, conditions: Sequence[str], labels: Sequence[str]) -> str:
    source = metric if EVENT.fullmatch(metric) else "Metric"
    return _facetted(columns, source, conditions, [_word(label) for label in dict.fromkeys(labels)])


def _facetted(columns: Sequence[str], source: str, conditions: Sequence[str], facets: Sequence[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns)} FROM {source}{where} FACET {', '.join(facets)} LIMIT MAX"


def _conditions(metric: str, own: str, wanted: Wanted) -> list[str]:
    named = [] if EVENT.fullmatch(metric) else [f"metricName = {_text(metric)}"]
    labels = [_condition(label, written) for label, written in wanted.match.items()]
    return [*named, *([f"({own})"] if own else []), *labels, *_beginning(wanted.arms.label, wanted)]


def _condition(label: str, written: str) -> str:
    operator, value = operator_of(written)
    match operator:
        case "=~":
            return f"{_word(label)} RLIKE {_regex(value)}"
        case "!~":
            return f"{_word(label)} NOT RLIKE {_regex(value)}"
    return f"{_word(label)} {operator} {_text(value)}"


def _beginning(attribute: str, wanted: Wanted) -> Iterator[str]:
    beginning = common_beginning(wanted.arms)
    if beginning:
        yield f"{_word(attribute)} LIKE {_text(f'{beginning}%')}"


def _word(name: str) -> str:
    return name if WORD.fullmatch(name) else f"`{name}`"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _regex(pattern: str) -> str:
    """A raw text, whose backslashes stay as they are; it cannot hold a quote."""
    return f"r'{pattern.replace(chr(39), '.')}'"
