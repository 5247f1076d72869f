"""watch: after everybody has the new version, the guard rails stay armed for a while."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.json import Json
from bot.domain.judge.guards import Guards, GuardSettings
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.ports.execution import StepContext
from bot.ports.metrics import MetricsProviders
from runbooks.durations import PositiveDuration, roughly, say
from runbooks.judging import Measured, measured
from runbooks.kinds import StepKind, StepSpec


class WatchSpec(StepSpec):
    """`for`: how long."""

    shorthand: ClassVar[str | None] = "for"
    for_: PositiveDuration = Field(default=timedelta(minutes=15), alias="for")

    def read_aloud(self) -> str:
        return f"Keep the guard rails armed for {say(self.for_)}; a breach brings the version before back."

    def takes(self) -> timedelta:
        return self.for_


KIND = StepKind(
    name="watch",
    spec=WatchSpec,
    changes=False,
    deadline=timedelta(days=1),
    about="Watch the service's guard rails for a while after the release.",
)


class Watch:
    """Reads what is new of the stable pods, once a scrape. A metrics server that is away, or lets us in no more, is
    named and waited for until the time is over: what nobody can see is no fault of the release's."""

    def __init__(self, providers: MetricsProviders) -> None:
        self._providers = providers

    async def reconcile(self, context: StepContext) -> Outcome:
        spec = WatchSpec.model_validate(context.params)
        if not context.plan.signals:
            return Succeeded("no signals in the catalogue")
        known = measured(context.plan)
        if not known.guards:
            return Succeeded("no guard rails in the catalogue")
        begun = context.seen.started_at or context.now
        spent = context.now - begun
        interval, over = known.queries.interval, spent >= spec.for_
        why = f"{roughly(spent)} of {say(spec.for_)}"
        try:
            breach, memo = await self._look(known, dict(context.seen.memo), begun, context.now)
        except (TemporaryError, PermanentError) as exc:
            if over:
                return Succeeded(f"not watched to the end, nothing can be seen: {exc}")
            return Pending(f"{why}; nothing can be seen: {exc}", interval, blocked=True)
        if breach:
            return Failed(f"a guard rail is breached: {breach}")
        if over:
            return Succeeded(f"no guard rail breached in {say(spec.for_)}")
        return Pending(f"{why}, no guard rail breached", interval, memo)

    async def _look(
        self, known: Measured, memo: dict[str, Json], begun: datetime, now: datetime
    ) -> tuple[str, dict[str, Json]]:
        bounds = known.queries.latency.edges if known.queries.latency else ()
        settings, state = GuardSettings(known.guards, bounds=bounds), memo.get("guards")
        guards = Guards.restored(settings, state) if isinstance(state, dict) else Guards(settings)
        read = datetime.fromisoformat(str(memo["read"])) if "read" in memo else begun
        breach = ""
        for reading in await self._providers.get(known.queries.provider).read(known.queries, read, now):
            found = guards.see((reading.at - begun).total_seconds(), reading.baseline)
            breach, read = breach or "; ".join(one.line for one in found), reading.at
        return breach, {"guards": guards.state(), "read": read.isoformat()}
