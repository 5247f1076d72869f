"""The queries of signals for Datadog: counts of each interval, summed for each pod. The length of the interval is put
into `.rollup(sum)` when it is asked. See `bot.adapters.datadog` for what must be set up there.

Datadog's filters know no regular expressions, only `*`: the arms are asked for by what their pods' names begin with.
"""

import re
from collections.abc import Iterator, Sequence

from bot.domain.errors import UsageError
from bot.ports.metrics import CPU, GaugeQuery, LatencyQuery, RequestsQuery
from runbooks.asking import Asked, Wanted, common_beginning, operator_of, read_metric

KUBELET_CPU = "kubernetes.cpu.usage.total"
NANOCORES = 1_000_000_000
BUCKET, COUNT = ".bucket", ".count"
EDGE = "upper_bound"
"""The tag that the Agent makes of a histogram's `le`."""

WORDS = re.compile(r"\b(AND|OR|IN|NOT)\b", re.IGNORECASE)


def asked(wanted: Wanted) -> Asked:
    """The queries for Datadog. Raises UsageError."""
    preset, labels = wanted.preset, wanted.arms.labels
    metric, own = read_metric(preset.requests)
    counted = _sum(metric, _scope(own, wanted), (*labels, *preset.codes))
    return Asked(
        RequestsQuery(counted, metric, preset.codes, preset.errors),
        _latency(wanted) if preset.latency else None,
        (_usage(wanted, preset.cpu),) if preset.cpu else (),
    )


def _latency(wanted: Wanted) -> LatencyQuery:
    """The buckets and, as their infinite edge, the count of all requests."""
    metric, own = read_metric(wanted.preset.latency)
    scope, labels = _scope(own, wanted), wanted.arms.labels
    text = _sum(metric, scope, (*labels, EDGE))
    if metric.endswith(BUCKET):
        text += f", {_sum(metric.removesuffix(BUCKET) + COUNT, scope, labels)}"
    return LatencyQuery(text, metric, wanted.preset.unit_s, wanted.bounds, EDGE)


def _usage(wanted: Wanted, written: str) -> GaugeQuery:
    metric, own = read_metric(written)
    if metric.endswith(COUNT):
        raise UsageError(f"CPU must be a gauge in cores, and '{metric}' is a count; leave it out for '{KUBELET_CPU}'.")
    by = ",".join(wanted.arms.labels)
    text = f"sum:{metric}{{{_scope(own, wanted)}}} by {{{by}}}.rollup(avg)"
    return GaugeQuery(CPU, f"{text} / {NANOCORES}" if metric == KUBELET_CPU else text, metric)


def _sum(metric: str, scope: str, by: Sequence[str]) -> str:
    return f"sum:{metric}{{{scope}}} by {{{','.join(dict.fromkeys(by))}}}.as_count().rollup(sum)"


def _scope(own: str, wanted: Wanted) -> str:
    return " AND ".join(_filters(own, wanted)) or "*"


def _filters(own: str, wanted: Wanted) -> Iterator[str]:
    yield from _own_filters(own)
    for tag, written in wanted.match.items():
        operator, value = operator_of(written)
        if operator in ("=~", "!~"):
            raise UsageError(
                f"Datadog knows no regular expressions: write '{tag}: {value}' with * for any text, such as 'shop-*'."
            )
        yield f"NOT {tag}:{value}" if operator == "!=" else f"{tag}:{value}"
    beginning = common_beginning(wanted.arms)
    if beginning:
        yield f"{wanted.arms.label}:{beginning}*"


def _own_filters(own: str) -> Iterator[str]:
    """Conditions in a service's own words. Datadog knows commas and `!`, or AND, OR, IN and NOT, but never both in one
    filter; ours are of the second sort."""
    if WORDS.search(own):
        yield f"({own})"
        return
    for piece in filter(None, map(str.strip, own.split(","))):
        yield f"NOT {piece.removeprefix('!')}" if piece.startswith("!") else piece
