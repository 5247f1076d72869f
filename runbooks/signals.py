"""`signals:` of a service: what its canary is judged by. Mostly one word, the name of a preset; `resolve` turns it into
queries."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from bot.domain.errors import UsageError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports import metrics
from bot.ports.metrics import Arms, GaugeQuery, PodUsage, SignalQueries
from runbooks.asking import LABEL, METRIC, Wanted
from runbooks.durations import PositiveDuration
from runbooks.guards import GuardRail
from runbooks.languages import language_of
from runbooks.margins import Margins
from runbooks.metrics_providers import ProviderEntry
from runbooks.parts import Name, Part
from runbooks.pod_names import literal, pods_of
from runbooks.signal_presets import MILLISECOND, PRESETS, ArmLabel, Preset

FEWEST_BOUNDS = 2
POD_METRICS = "pods.metrics.k8s.io"
"""What the cluster's metrics API calls how much its pods use."""

BY_LABEL = frozenset(name for name, preset in PRESETS.items() if preset.arms)
"""Presets that tell the arms by a label of their own."""

CANARY, BASELINE = "-canary", "-baseline"
"""What the names of the Deployments beside stable end in."""


def metric(value: str) -> str:
    """A metric's name, perhaps with matchers of its own in braces; raises ValueError."""
    if not METRIC.fullmatch(value):
        raise ValueError(f"'{value}' is not the name of a metric, such as http_requests_total")
    return value


def label(value: str) -> str:
    """A label's name; raises ValueError."""
    if not LABEL.fullmatch(value):
        raise ValueError(f"'{value}' is not the name of a label")
    return value


def pattern(value: str) -> str:
    """A regular expression; raises ValueError."""
    try:
        re.compile(value)
    except re.error as exc:
        raise ValueError(f"'{value}' is not a regular expression: {exc}") from None
    return value


def several(value: object) -> object:
    """One word where a list may stand."""
    return [value] if isinstance(value, str) else value


def preset_alone(value: object) -> object:
    """`signals: http` is `signals: {preset: http}`."""
    return {"preset": value} if isinstance(value, str) else value


Metric = Annotated[str, AfterValidator(metric)]
Label = Annotated[str, AfterValidator(label)]
Pattern = Annotated[str, AfterValidator(pattern)]


class MetricNames(Part):
    """Where a service's metrics are called otherwise; `null`: it is not judged by that."""

    requests: Metric = Field(default="", description="The counter of requests.")
    latency: Metric | None = Field(default=None, description="The histogram of durations.")
    cpu: Metric | None = Field(default=None, description="The counter of CPU seconds.")


class LabelNames(Part):
    """Where labels are called otherwise. `namespace: null`: series carry none; `pod: null`: only where `arms` tells the
    arms apart."""

    pod: Label | None = Field(
        default=None, description="What holds the pod's name; `null`: nothing does, and `arms` tells the arms apart."
    )
    namespace: Label | None = Field(default=None, description="What holds its namespace; `null`: nothing does.")
    code: Annotated[tuple[Label, ...], BeforeValidator(several), Field(min_length=1)] = Field(
        default=(), description="What holds the code of the answer."
    )


class ArmNames(Part):
    """A label that tells the arms apart, and regular expressions of its whole values. In them `{name}`, `{namespace}`,
    `{service}` and `{route}` stand for the target's."""

    label: Label = Field(description="The label.")
    canary: Pattern = Field(description="Its values for canary pods.")
    stable: Pattern = Field(description="For stable ones.")
    baseline: Pattern = Field(default="", description="For fresh baseline pods.")


class Signals(Part):
    """What a canary is judged by. Everything but `preset` says where the service differs from it.

    `interval` is how often its pods are scraped; `None`: as its provider says. `errors` is a regular expression for the
    codes of failed requests. `match` holds further labels and their values: `!=`, `=~` and `!~` may stand before one,
    and words such as `{namespace}` in one, as in `arms`. `bounds` are the edges of the latency histogram to read, in
    seconds; empty: all there are. `service` and `route` name the Service and the route; `None`: like the workload.
    `cpu: kubernetes` takes the use of the CPU from the cluster's metrics API, for services whose processes tell none.
    """

    preset: Literal["http", "grpc", "istio", "ingress-nginx", "gateway", "transactions"] = Field(
        default="http", description="Whose names of metrics and labels; everything else says where the service differs."
    )
    provider: str | None = Field(default=None, description="One of `metrics`; left out: the only one, or the default.")
    interval: PositiveDuration | None = None
    metrics: MetricNames = Field(default_factory=MetricNames, description="Metrics that are called otherwise.")
    labels: LabelNames = Field(default_factory=LabelNames, description="Labels that are called otherwise.")
    cpu: Literal["kubernetes"] | None = None
    arms: ArmNames | None = Field(default=None, description="A label that tells canary and stable apart.")
    errors: Pattern | None = None
    match: dict[Label, str] = Field(default_factory=dict)
    latency_unit: Literal["s", "ms"] | None = Field(
        default=None, description="The unit of the latency histogram's edges."
    )
    bounds: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    service: Name | None = None
    route: Name | None = None
    margins: Margins = Field(default_factory=Margins, description="What counts as harm, and what must be ruled out.")
    guards: tuple[GuardRail, ...] = Field(default=(), description="Limits that hold whatever stable does.")

    @field_validator("bounds")
    @classmethod
    def _rising(cls, bounds: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(bounds)):
            raise ValueError("the bounds must rise")
        if bounds and len(bounds) < FEWEST_BOUNDS:
            raise ValueError("one bound says next to nothing about latency; give at least two, or none for all")
        return bounds

    @model_validator(mode="after")
    def _one_cpu(self) -> Self:
        if self.cpu and self.metrics.cpu:
            raise ValueError("'cpu: kubernetes' and 'metrics: {cpu: …}' exclude each other; leave one out")
        return self

    @model_validator(mode="after")
    def _tells_arms_apart(self) -> Self:
        names_pods = self.arms is None and self.preset not in BY_LABEL
        if names_pods and "pod" in self.labels.model_fields_set and self.labels.pod is None:
            raise ValueError("without a pod label the arms must be told apart by 'arms'")
        return self


SignalsField = Annotated[Signals, BeforeValidator(preset_alone)]
"""A field that is written as the name of a preset, or in full."""


def resolve(
    signals: Signals, workload: WorkloadRef, provider: str, entry: ProviderEntry, *, fresh_baseline: bool = False
) -> SignalQueries:
    """The queries of one target, complete but for the bounds of the histogram (see `SignalQueries.proven`).

    Canary pods belong to the Deployment `<name>-canary`. The baseline is stable itself or, with `fresh_baseline`, the
    pods of the Deployment `<name>-baseline`. Raises UsageError where the arms cannot be told apart.
    """
    language = language_of(entry)
    words = _words(signals, workload, entry)
    preset = _own(language.preset(signals.preset), signals, words)
    arms = _arms(preset, workload, words, fresh_baseline=fresh_baseline)
    wanted = Wanted(
        preset=preset,
        arms=arms,
        match=_match(preset, signals, words),
        namespace=workload.namespace,
        interval=signals.interval or entry.interval,
        bounds=signals.bounds,
    )
    asked = language.asked(wanted)
    return SignalQueries(
        provider=provider,
        interval=wanted.interval,
        arms=arms,
        requests=asked.requests,
        latency=asked.latency,
        gauges=(_pod_usage(preset, workload),) if signals.cpu else asked.gauges,
    )


def _own(preset: Preset, signals: Signals, words: Mapping[str, str]) -> Preset:
    """The preset with everything that the service has written otherwise."""
    written = signals.metrics.model_dump(exclude_unset=True) | signals.labels.model_dump(exclude_unset=True)
    changes = {("codes" if key == "code" else key): value for key, value in written.items()}
    if signals.arms:
        changes["arms"] = ArmLabel(**signals.arms.model_dump())
    if signals.errors is not None:
        changes["errors"] = signals.errors
    if signals.latency_unit:
        changes["unit_s"] = MILLISECOND if signals.latency_unit == "ms" else 1.0
    if signals.cpu:
        changes["cpu"] = None
    named = replace(preset, **changes)
    prefix = words["{prefix}"]
    return replace(
        named,
        requests=named.requests.replace("{prefix}", prefix),
        latency=named.latency and named.latency.replace("{prefix}", prefix),
    )


def _words(signals: Signals, workload: WorkloadRef, entry: ProviderEntry) -> Mapping[str, str]:
    service = signals.service or workload.name
    prefix = entry.datadog.prefix.replace("{service}", service.replace("-", "_")) if entry.datadog else ""
    return {
        "{name}": workload.name,
        "{namespace}": workload.namespace,
        "{service}": service,
        "{route}": signals.route or workload.name,
        "{prefix}": f"{prefix.rstrip('.')}." if prefix else "",
    }


def _filled(text: str, words: Mapping[str, str], *, regex: bool) -> str:
    for word, value in words.items():
        text = text.replace(word, literal(value) if regex else value)
    return text


def _arms(preset: Preset, workload: WorkloadRef, words: Mapping[str, str], *, fresh_baseline: bool) -> Arms:
    told = preset.arms
    if told is None:
        beside = WorkloadKind.DEPLOYMENT
        return Arms(
            label=preset.pod,
            canary=pods_of(beside, f"{workload.name}{CANARY}"),
            stable=pods_of(workload.kind, workload.name),
            baseline=pods_of(beside, f"{workload.name}{BASELINE}") if fresh_baseline else "",
        )
    if fresh_baseline and not told.baseline:
        raise UsageError(f"Fresh baseline pods cannot be told apart by the label '{told.label}'; compare with stable.")
    return Arms(
        label=told.label,
        canary=_filled(told.canary, words, regex=True),
        stable=_filled(told.stable, words, regex=True),
        baseline=_filled(told.baseline, words, regex=True) if fresh_baseline else "",
        pod=preset.pod or "",
        hint=told.hint,
    )


def _match(preset: Preset, signals: Signals, words: Mapping[str, str]) -> Mapping[str, str]:
    """The labels that every series must have. Raises UsageError."""
    missing = [label for label in preset.must_match if label not in signals.match and not preset.namespace]
    if missing:
        raise UsageError(
            f"The preset '{signals.preset}' cannot tell environments apart by itself; "
            f"add 'match: {{{missing[0]}: …}}', in which {{namespace}} stands for the target's, or 'labels: "
            f"{{namespace: …}}'."
        )
    written = {**preset.match, **signals.match}
    wanted = {key: _filled(value, words, regex=value.startswith(("=~", "!~"))) for key, value in written.items()}
    return {preset.namespace: words["{namespace}"]} | wanted if preset.namespace else wanted


def _pod_usage(preset: Preset, workload: WorkloadRef) -> GaugeQuery:
    """CPU as the cluster measures it. Raises UsageError where the pods of the other signals are not the service's."""
    if not preset.own_pods or not preset.pod:
        raise UsageError(
            "The cluster measures the service's own pods, and these signals are counted elsewhere, at the gateway; "
            "leave out 'cpu: kubernetes'."
        )
    usage = PodUsage(workload.cluster, workload.namespace, pods_of(workload.kind, workload.name))
    return GaugeQuery(metrics.CPU, f"{POD_METRICS} in namespace {workload.namespace}", POD_METRICS, usage)
