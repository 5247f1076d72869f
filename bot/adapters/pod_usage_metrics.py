"""`Metrics` of a metrics server, completed by what the cluster itself measures of its pods: see `Measurements`."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from bot.adapters.kubernetes_usage import PodCpu
from bot.adapters.metric_moments import moment, ms
from bot.adapters.metrics_providers import OpenableMetrics
from bot.adapters.pod_measurements import OLDEST, Measurements
from bot.domain.errors import PermanentError, UnreachableError
from bot.domain.judge.samples import Sample
from bot.ports.metrics import Arm, GaugeQuery, Lack, LackKind, PodUsage, Proof, Reading, SignalQueries, Totals

FEW = 3
"""Pods that a proof names."""


class PodMeasures(Protocol):
    """What measures the pods of clusters."""

    async def pods(self, cluster: str, namespace: str) -> tuple[PodCpu, ...]:
        """The newest measurement of every pod. Raises UnreachableError and PermanentError; the text says what to do."""
        ...


class PodUsageMetrics:
    """`Metrics`, used inside `async with`; queries without `usage` are the server's alone."""

    def __init__(self, server: OpenableMetrics, measures: PodMeasures) -> None:
        self._server, self._measures = server, measures
        self._memories: dict[tuple[str, str], Measurements] = defaultdict(Measurements)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    async def read(self, queries: SignalQueries, since: datetime, until: datetime) -> tuple[Reading, ...]:
        """See `Metrics`. A cluster that does not measure its pods costs the gauge and not the reading, and is told."""
        own = {gauge.name: gauge.usage for gauge in queries.gauges if gauge.usage}
        lacks = [lack for name, usage in own.items() for lack in await self._looked(name, usage)]
        readings = await self._server.read(_without_usage(queries), since, until)
        for name, usage in own.items():
            memory = self._memories[usage.cluster, usage.namespace]
            readings = tuple([_completed(reading, name, memory) for reading in readings])
        return tuple([replace(one, lacks=(*lacks, *one.lacks)) for one in readings]) if lacks else readings

    async def prove(self, queries: SignalQueries, now: datetime) -> tuple[Proof, ...]:
        """See `Metrics`."""
        proofs = {proof.signal: proof for proof in await self._server.prove(_without_usage(queries), now)}
        for gauge in queries.gauges:
            if gauge.usage:
                proofs[gauge.name] = await self._proof(gauge, gauge.usage, now)
        return tuple(proofs[name] for name in queries.signals)

    async def totals(self, queries: SignalQueries, window: timedelta, until: datetime) -> Totals:
        """See `Metrics`."""
        return await self._server.totals(queries, window, until)

    async def _looked(self, name: str, usage: PodUsage) -> tuple[Lack, ...]:
        """Keep what the cluster says now, or say why it says nothing."""
        try:
            found = await self._measures.pods(usage.cluster, usage.namespace)
        except (UnreachableError, PermanentError) as exc:
            return (Lack(LackKind.NO_SERIES, name, None, f"{name} is not measured: {exc}"),)
        self._memories[usage.cluster, usage.namespace].learn(found)
        return ()

    async def _proof(self, gauge: GaugeQuery, usage: PodUsage, now: datetime) -> Proof:
        try:
            found = await self._measures.pods(usage.cluster, usage.namespace)
        except PermanentError as exc:
            return Proof(gauge.name, gauge.text, "nothing", str(exc))
        stable = [one for one in found if re.fullmatch(usage.stable, one.pod)]
        if not stable:
            others = ", ".join(sorted(one.pod for one in found)[:FEW])
            said = f"cluster {usage.cluster} measures no pod like {usage.stable} in namespace {usage.namespace}"
            return Proof(
                gauge.name, gauge.text, "nothing", f"{said}; there are {f'such as {others}' if others else 'none'}"
            )
        age = moment(now) - max(one.at for one in stable)
        problem = f"the newest measurement is {age // 1000} s old; is metrics-server still running?"
        counted = f"{len(stable)} pod{'s' if len(stable) > 1 else ''}, measured by cluster {usage.cluster}"
        return Proof(gauge.name, gauge.text, counted, problem if age > ms(OLDEST) else "")


def _without_usage(queries: SignalQueries) -> SignalQueries:
    return replace(queries, gauges=tuple(gauge for gauge in queries.gauges if not gauge.usage))


def _completed(reading: Reading, name: str, memory: Measurements) -> Reading:
    """The reading with the gauge of every pod that has one."""
    at = moment(reading.at)
    gauges = memory.gauges(at, {**reading.canary, **reading.baseline})
    lacks = [
        lack
        for arm, pods in ((Arm.CANARY, reading.canary), (Arm.BASELINE, reading.baseline))
        for lack in _missing(name, arm, [pod for pod in pods if not memory.is_known(pod, at)], len(pods))
    ]
    return replace(
        reading,
        canary=_with(reading.canary, name, gauges),
        baseline=_with(reading.baseline, name, gauges),
        lacks=(*reading.lacks, *lacks),
    )


def _with(pods: Mapping[str, Sample], name: str, gauges: Mapping[str, float]) -> Mapping[str, Sample]:
    return {
        pod: replace(sample, gauges={**sample.gauges, name: gauges[pod]}) if pod in gauges else sample
        for pod, sample in pods.items()
    }


def _missing(name: str, arm: Arm, unknown: list[str], of: int) -> Iterator[Lack]:
    if unknown:
        kind = LackKind.PARTIAL if len(unknown) < of else LackKind.NO_SERIES
        yield Lack(kind, name, arm, f"{name} is not measured by the cluster for {len(unknown)} of {of} {arm} pods")
