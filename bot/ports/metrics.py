"""What we need from a metrics server: the raw counters of both arms of a canary, pod by pod, scrape by scrape."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import TypeAdapter

from bot.domain.errors import UnreadableError
from bot.domain.json import Json, plain
from bot.domain.judge.samples import Sample

ERRORS, LATENCY, CPU = "errors", "latency", "cpu"
"""The names of the usual signals, as the judge tells them."""

AGE_LABEL, NEWEST = "sluice", "newest"
"""A series with this label and value holds no counter but when its pod was last scraped, in seconds since the epoch."""


class Arm(StrEnum):
    """The two sides that are compared."""

    CANARY = "canary"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Arms:
    """How the series of an answer are told apart.

    `label` is the label that says to which arm a series belongs; `canary` and `stable` are regular expressions that
    its whole value must match (an absent label has the value ""). `baseline` is that of fresh pods of the old version
    beside stable; empty: stable itself is the baseline. `pod` is the label that names the pod: often `label` itself.
    Where series lack it, the whole arm is one pseudo pod, called like the value of `label`. `hint` is what to tell
    somebody whose series fit neither arm.
    """

    label: str
    canary: str
    stable: str
    baseline: str = ""
    pod: str = ""
    hint: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the series of every answer are to have."""
        return tuple(dict.fromkeys((self.label, self.pod or self.label)))

    def of(self, labels: Mapping[str, str]) -> Arm | None:
        """The arm of a series; `None`: it is somebody else's."""
        value = labels.get(self.label, "")
        if re.fullmatch(self.canary, value):
            return Arm.CANARY
        return Arm.BASELINE if re.fullmatch(self.baseline or self.stable, value) else None

    def is_stable(self, labels: Mapping[str, str]) -> bool:
        """Whether a series is one of the pods that are there before a canary starts."""
        return re.fullmatch(self.stable, labels.get(self.label, "")) is not None

    def name_of(self, labels: Mapping[str, str], arm: Arm) -> str:
        """The name of the pod, or of the pseudo pod."""
        return labels.get(self.pod or self.label) or labels.get(self.label) or arm.value


@dataclass(frozen=True, slots=True)
class RequestsQuery:
    """Requests and the failed ones of them: one series for each pod and code, and, where the server can tell, one for
    each pod with the time of its newest sample (see AGE_LABEL).

    `metric` is the bare name, to tell what is missing when nothing comes back. A series is of failed requests when the
    value of one of its `code_labels` matches `bad` as a whole. `sparse`: what is counted are events, so that a quiet
    pod shows nothing, and nobody can tell from gaps how often it is scraped. `selector` are the bare counters of the
    stable pods, for a server that adds up any time itself; empty: `text` is asked for each interval.
    """

    text: str
    metric: str
    code_labels: tuple[str, ...]
    bad: str
    sparse: bool = False
    selector: str = ""

    def is_bad(self, labels: Mapping[str, str]) -> bool:
        """Whether a series counts failed requests."""
        return any(label in labels and re.fullmatch(self.bad, labels[label]) for label in self.code_labels)


@dataclass(frozen=True, slots=True)
class LatencyQuery:
    """A cumulative histogram: one series for each pod and upper edge, in units of `unit_s` seconds.

    `bounds` are the finite upper edges that are read, in seconds, rising; empty until `SignalQueries.proven` has found
    them in the histogram itself. The infinite one always follows. `label` is the label that holds the edge.
    """

    text: str
    metric: str
    unit_s: float = 1.0
    bounds: tuple[float, ...] = ()
    label: str = "le"

    @property
    def edges(self) -> tuple[float, ...]:
        """All upper edges in seconds, the last one infinite."""
        return (*self.bounds, math.inf)


@dataclass(frozen=True, slots=True)
class PodUsage:
    """The pods whose use of the CPU the cluster itself is asked for. `stable` is a regular expression of the names of
    those that are there before a canary starts."""

    cluster: str
    namespace: str
    stable: str


@dataclass(frozen=True, slots=True)
class GaugeQuery:
    """A level of each pod, such as CPU in cores. With `usage` the cluster is asked, not the metrics server."""

    name: str
    text: str
    metric: str
    usage: PodUsage | None = None


@dataclass(frozen=True, slots=True)
class SignalQueries:
    """What a canary is judged by, resolved: ready to be asked, and sealed into a plan.

    `provider` is the name of the server in the catalogue; `interval` how often it scrapes, hence the step in which
    readings come. A signal that is `None` or not listed is not measured. `counted_from` is where a server that keeps
    counts for each interval, and no counters, begins to add them up: so a reading is the same whoever reads it, and
    when; `None` until `proven`, and for a server that keeps counters.
    """

    provider: str
    interval: timedelta
    arms: Arms
    requests: RequestsQuery
    latency: LatencyQuery | None = None
    gauges: tuple[GaugeQuery, ...] = ()
    counted_from: datetime | None = None

    @property
    def signals(self) -> Mapping[str, RequestsQuery | LatencyQuery | GaugeQuery]:
        """The queries by the name of their signal."""
        latency = {LATENCY: self.latency} if self.latency else {}
        return {ERRORS: self.requests, **latency, **{gauge.name: gauge for gauge in self.gauges}}

    def proven(self, proofs: Sequence["Proof"]) -> "SignalQueries":
        """With what only the server could tell; do this before sealing. The bounds that the histogram turned out to
        have, unless some were chosen, and the moment from which counts are added up."""
        began = next((proof.counted_from for proof in proofs if proof.counted_from), self.counted_from)
        found = next((proof.bounds for proof in proofs if proof.signal == LATENCY), ())
        latency = self.latency
        if latency and not latency.bounds:
            latency = replace(latency, bounds=found)
        return replace(self, latency=latency, counted_from=began)

    def sealed(self) -> Json:
        """As JSON; `unsealed` reads it back."""
        return plain(self)

    @staticmethod
    def unsealed(value: Json) -> "SignalQueries":
        """What was sealed. Raises UnreadableError."""
        try:
            return _QUERIES.validate_python(value)
        except ValueError as exc:
            raise UnreadableError(f"not the queries of a plan: {exc}") from exc


_QUERIES = TypeAdapter(SignalQueries)


class LackKind(StrEnum):
    """Why something is not in a reading."""

    NO_SERIES = "no series"
    STALE = "stale"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that was asked and is not there, or not surely whole. `arm` is `None` where both are meant; `said` is
    a clause for people."""

    kind: LackKind
    signal: str
    arm: Arm | None
    said: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the pods of both arms showed at one moment: counters as they stand, never increments.

    A pod without fresh requests' counters is not in its mapping. One that has them but no histogram has buckets of NaN,
    which the judge leaves out; a gauge that is not there is not in `gauges`. Nothing that is missing is ever 0, but for
    errors: where requests are counted and no series of failed ones exists, none has failed yet.
    """

    at: datetime
    canary: Mapping[str, Sample]
    baseline: Mapping[str, Sample]
    lacks: tuple[Lack, ...] = field(default=())

    @property
    def whole(self) -> bool:
        """Nothing is missing."""
        return not self.lacks


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one query when it was tried on the stable pods.

    `found` says what came back; `problem` what is wrong with it and what to write instead, empty when it is `usable`.
    `bounds` are the finite edges of the histogram in seconds; `counted_from` as in `SignalQueries`.
    """

    signal: str
    query: str
    found: str
    problem: str = ""
    bounds: tuple[float, ...] = ()
    counted_from: datetime | None = None

    @property
    def usable(self) -> bool:
        """Whether a canary can be judged by it."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class Totals:
    """What all stable pods were asked in a window, and how much of that failed. `covered` is how much of the window
    there are data for: where that is less, nobody knows what happened in the rest. With a lack, nothing is proven."""

    requests: float
    failures: float
    covered: timedelta
    lacks: tuple[Lack, ...] = ()


class Metrics(Protocol):
    """One metrics server. Every method may raise UnreachableError (with `retry_after` when the server asked for time),
    RefusedError when the server does not let us in or does not take the query, and UnreadableError; the text names the
    query and what came back."""

    async def read(self, queries: SignalQueries, since: datetime, until: datetime) -> tuple[Reading, ...]:
        """The readings in (`since`, `until`], oldest first, one for each multiple of the scrape interval since the
        epoch: whoever asks again for the same time gets the same moments. One request for each signal, whatever the
        number of pods, and now and then another for what was counted before. What is too young to be settled is left
        for the next look, so hand in the `at` of the last reading as the next `since`.

        Raises PermanentError for queries that must be proven first: the bounds of a histogram, or the moment from which
        counts are added up, are not known yet.
        """
        ...

    async def prove(self, queries: SignalQueries, now: datetime) -> tuple[Proof, ...]:
        """Try every query on the stable pods; a proof for each signal, in the order of `queries.signals`."""
        ...

    async def totals(self, queries: SignalQueries, window: timedelta, until: datetime) -> Totals:
        """Requests and failures of the stable pods, of whatever version, in the window that ends at `until`, or as
        shortly before as all is settled. Only `queries.requests` is asked; it need not be proven. What does not say how
        it ended does not count; a window without requests is no lack where pods are heard of."""
        ...


class MetricsProviders(Protocol):
    """The metrics servers of the catalogue."""

    def get(self, name: str) -> Metrics:
        """The server of that name. Raises NotFoundError."""
        ...
