"""recovery: after a restore, the service's metrics are what they were before the release."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.judge.explain import all_figures
from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation
from bot.domain.judge.verdict import Call
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.ports.execution import StepContext
from bot.ports.metrics import MetricsProviders, Reading
from runbooks.durations import PositiveDuration, roughly, say
from runbooks.judging import HISTORY, Measured, measured, settings_of
from runbooks.kinds import StepKind, StepSpec
from runbooks.trial import began

ALIKE = 50
"""Both stretches of time had the same traffic: neither is the smaller part, in per cent."""


class RecoverySpec(StepSpec):
    """`for`: how long a proof may take; it ends as soon as harm is ruled out."""

    shorthand: ClassVar[str | None] = "for"
    for_: PositiveDuration = Field(default=timedelta(minutes=2), alias="for", le=HISTORY)

    def read_aloud(self) -> str:
        return f"Compare the metrics with those before the release, for at most {say(self.for_)}: is all as it was?"


KIND = StepKind(
    name="recovery",
    spec=RecoverySpec,
    changes=False,
    deadline=timedelta(hours=1),
    about="Prove that the metrics are back to what they were before the canary.",
)


class Recovery:
    """Lets the judge compare the stable pods of now with those of before: each scrape with one as long before the
    canary had traffic, so both arms are equally long. Keeps nothing: it reads both stretches anew each time."""

    def __init__(self, providers: MetricsProviders) -> None:
        self._providers = providers

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, first = RecoverySpec.model_validate(context.params), began(context.run)
        if first is None or not context.plan.signals:
            return Succeeded("no canary had any traffic")
        known = measured(context.plan)
        begun = context.seen.started_at or context.now
        spent, over = context.now - begun, context.now - begun >= spec.for_
        try:
            judge = await self._judged(known, first, begun, min(context.now, begun + spec.for_))
        except (TemporaryError, PermanentError) as exc:
            if over:
                return Succeeded(f"not proven, nothing can be seen: {exc}")
            return Pending(f"nothing can be seen: {exc}", known.queries.interval, blocked=True)
        figures, call = all_figures(judge), judge.verdict().call
        if call is Call.FAIL:
            return Failed(f"the metrics are worse than before the release: {figures}")
        if call is Call.PASS:
            return Succeeded(f"as before the release: {figures}")
        if over:
            return Succeeded(f"no harm seen, too little traffic to prove more: {figures}")
        return Pending(f"{roughly(spent)} of {say(spec.for_)}; now against before: {figures}", known.queries.interval)

    async def _judged(self, known: Measured, first: datetime, begun: datetime, now: datetime) -> Judge:
        provider, queries = self._providers.get(known.queries.provider), known.queries
        before = await provider.read(queries, first - HISTORY, first)
        after = await provider.read(queries, begun, now)
        settings = replace(settings_of(known, horizon=HISTORY, share=ALIKE), warmup=0.0, min_bake=0.0, gauges=())
        judge = Judge(settings)
        for observation in _paired(before, after, queries.interval):
            judge.see(observation)
        return judge


def _paired(before: Sequence[Reading], after: Sequence[Reading], interval: timedelta) -> list[Observation]:
    """The newest readings of before, so many as there are of after: the first of each tells where counters stood."""
    pairs = zip(before[-len(after) :] if after else (), after, strict=False)
    step = interval.total_seconds()
    return [
        Observation(step * (number + 1), late.baseline, early.baseline) for number, (early, late) in enumerate(pairs)
    ]
