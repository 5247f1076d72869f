"""The queries of signals in PromQL: counters as they stand, summed for each pod by the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import UsageError
from bot.ports.metrics import AGE_LABEL, CPU, NEWEST, GaugeQuery, LatencyQuery, RequestsQuery
from runbooks.asking import Asked, Wanted, operator_of, read_metric

IRATE_INTERVALS = 4
"""`irate` takes the last two samples of its window; a window of four intervals bears two missed scrapes."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and what its labels must be. `matchers` are PromQL, one each."""

    metric: str
    matchers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.metric}{{{', '.join(self.matchers)}}}"


def asked(wanted: Wanted) -> Asked:
    """The queries for Prometheus and its kin. Raises UsageError."""
    preset, arms = wanted.preset, wanted.arms
    for name in (arms.label, arms.pod, *preset.codes, *wanted.match):
        if "." in name:
            raise UsageError(f"'{name}' is not the name of a label of Prometheus; write it with _ instead of a dot.")
    counted = _selector(preset.requests, wanted)
    latency = gauges = None
    if preset.latency:
        timed = _selector(preset.latency, wanted)
        latency = LatencyQuery(histogram(timed, arms.labels), timed.metric, preset.unit_s, wanted.bounds)
    if preset.cpu:
        used = _selector(preset.cpu, wanted)
        gauges = GaugeQuery(CPU, usage(used, arms.labels, wanted.interval), used.metric)
    text, stable = requests(counted, arms.labels, preset.codes), _selector(preset.requests, wanted, arms.stable)
    return Asked(
        RequestsQuery(text, counted.metric, preset.codes, preset.errors, selector=str(stable)),
        latency,
        (gauges,) if gauges else (),
    )


def matcher(label: str, wanted: str) -> str:
    """One matcher. `wanted` is a value, or begins with one of `=~`, `!~` and `!=`."""
    operator, value = operator_of(wanted)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{label}{operator}"{escaped}"'


def requests(selector: Selector, labels: Sequence[str], codes: Sequence[str]) -> str:
    """Requests for each pod and code, and when each pod was last scraped: in one answer, so that they fit."""
    ages = f'label_replace(max by ({", ".join(labels)}) (timestamp({selector})), "{AGE_LABEL}", "{NEWEST}", "", "")'
    return f"{_sum(labels, codes)} ({selector}) or {ages}"


def histogram(selector: Selector, labels: Sequence[str]) -> str:
    """The cumulative histogram of each pod."""
    return f"{_sum(labels, ['le'])} ({selector})"


def usage(selector: Selector, labels: Sequence[str], interval: timedelta) -> str:
    """What a counter of seconds grew by in each second between its last two scrapes: cores in use."""
    window_s = int((IRATE_INTERVALS * interval).total_seconds())
    return f"{_sum(labels, [])} (irate({selector}[{window_s}s]))"


def _selector(written: str, wanted: Wanted, arm: str | None = None) -> Selector:
    """The service's series of a metric: of all arms, or of those whose label is like `arm`."""
    name, own = read_metric(written)
    if "." in name:
        raise UsageError(f"'{name}' is not the name of a metric of Prometheus; write it with _ instead of a dot.")
    arms = wanted.arms
    fresh = (arms.baseline,) if arms.baseline else ()
    pods = "|".join((arms.stable, arms.canary, *fresh)) if arm is None else arm
    labels = (matcher(key, value) for key, value in wanted.match.items())
    return Selector(name, (*((own,) if own else ()), *labels, matcher(arms.label, f"=~{pods}")))


def _sum(labels: Sequence[str], more: Sequence[str]) -> str:
    return f"sum by ({', '.join(dict.fromkeys((*labels, *more)))})"
