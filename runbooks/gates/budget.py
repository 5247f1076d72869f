"""budget: the error budget of the service's promise is not spent, and does not burn too fast."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from pydantic import Field

from bot.domain.budget import PAIRS, Counted, Pair
from bot.domain.json import Json
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from bot.domain.plan import Verb
from bot.domain.target import Target
from bot.ports.execution import StepContext
from bot.ports.metrics import MetricsProviders, SignalQueries, Totals
from runbooks.durations import PositiveDuration, roughly, say
from runbooks.kinds import FILLED_IN, GateKind, StepSpec
from runbooks.slo import Share, Slo

NEXT_LOOK = timedelta(minutes=1)
"""A look is ten requests to Prometheus and six to Datadog, which lets an organization ask 1,600 times an hour
(docs.datadoghq.com/api/latest/rate-limits)."""

WHOLE = 0.9
"""Of a window whose data are called whole: data are known from one scrape to another, never to its very ends."""

HALF = 0.5
ENOUGH_HISTORY = timedelta(hours=1)
WINDOWS = sorted({window for pair in PAIRS for window in (pair.long, pair.short)})


class BudgetSpec(StepSpec):
    """`least`: more than this share of the budget must be left. `history`: the least time of which the requests must be
    known. The rest is the catalogue's: what is promised, and how it is counted."""

    shorthand: ClassVar[str | None] = "least"
    least: Share = Field(default=Decimal(0), lt=100)
    history: PositiveDuration = ENOUGH_HISTORY
    slo: Slo | None = Field(default=None, description=FILLED_IN)
    queries: dict[str, Json] = Field(default_factory=dict, description=FILLED_IN)

    def read_aloud(self) -> str:
        left = f"more than {self.least}% of it" if self.least else "some of it"
        return f"The service's error budget must not burn too fast, and {left} must be left."


KIND = GateKind(
    name="budget",
    spec=BudgetSpec,
    deadline=timedelta(minutes=15),
    about="The error budget of the service's SLO is not spent, and does not burn too fast now.",
)


class BudgetGate:
    """Has the metrics server count anew at every pass. A rollback passes without asking anybody: it is the way out."""

    def __init__(self, providers: MetricsProviders) -> None:
        self._providers = providers

    async def reconcile(self, context: StepContext) -> Outcome:
        target = context.plan.target
        if context.plan.verb is Verb.ROLLBACK:
            return Succeeded("not asked, the way back is open")
        spec = BudgetSpec.model_validate(context.params)
        if spec.slo is None or not spec.queries:
            line = f"'slo: {{availability: 99.9%, window: 30d}}' under services.{target.service} in sluice.yaml"
            return Failed(f"nobody says what {target.service} promises; write {line}, and ask again")
        queries = SignalQueries.unsealed(spec.queries)
        provider = self._providers.get(queries.provider)
        # One after the other, so that one gate never takes more than one of the server's places.
        found = {window: await provider.totals(queries, window, context.now) for window in (*WINDOWS, spec.slo.window)}
        return Budget(target, spec.slo, found).judged(spec)


@dataclass(frozen=True, slots=True)
class Budget:
    """What was counted for one promise: the totals of each window, the promise's own among them."""

    target: Target
    slo: Slo
    totals: Mapping[timedelta, Totals]

    def judged(self, spec: BudgetSpec) -> Outcome:
        """Known-bad fails. What nobody knows waits, and never passes."""
        unknown = next(self._unknown(), "")
        if unknown:
            return self._waits(unknown)
        for pair in PAIRS:
            outcome = self._burning(pair)
            if outcome is not None:
                return outcome
        thin = next(self._thin(spec.history), "")
        return self._waits(thin) if thin else self._left(spec.least)

    def _unknown(self) -> Iterator[str]:
        """Why the figures tell nothing."""
        for window, found in self.totals.items():
            yield from (f"{lack.said} (last {say(window)})" for lack in found.lacks)
        for window in self.totals:
            wrong = self._counted(window).nonsense()
            if wrong:
                yield f"in the last {say(window)} {wrong}"
        for shorter, longer in pairwise(sorted(self.totals)):
            if self._counted(longer).lacks_of(self._counted(shorter)):
                yield f"less was counted in the last {say(longer)} than in {say(shorter)} of them: something is missing"
        for window in (*(pair.long for pair in PAIRS), self.slo.window):
            if self._counted(window).requests <= 0:
                yield f"nobody has asked anything of {self.target.service} in the last {say(window)}"

    def _burning(self, pair: Pair) -> Outcome | None:
        """A failure where both windows burn too fast; `None`: not both do."""
        long, short = self._rate(pair.long), self._rate(pair.short)
        if long is None or long <= pair.limit:
            return None
        lately = f"{long:.1f} times as fast as {self.slo} allows over {say(pair.long)}"
        if short is None:
            return self._waits(f"it burned {lately}, and nobody has asked anything in the last {say(pair.short)}")
        if short <= pair.limit:
            return None
        now = f"{short:.1f} times over {say(pair.short)} (at most {pair.limit:g})"
        return self._fails(f"the error budget burns {lately}, and {now}")

    def _thin(self, history: timedelta) -> Iterator[str]:
        """Why too little of the time is known."""
        known = max(found.covered for found in self.totals.values())
        if known < WHOLE * history:
            yield f"requests are known of {roughly(known)} only, of at least {say(history)}"
        for window in WINDOWS:
            if self.totals[window].covered < HALF * min(window, history):
                yield f"requests are known of {roughly(self.totals[window].covered)} only of the last {say(window)}"

    def _left(self, least: Decimal) -> Outcome:
        counted = self._counted(self.slo.window)
        left = counted.left(self.slo.allowed)
        if left is None:
            raise RuntimeError("a window without requests was taken for known")
        figure = f"{in_per_cent(left)} of the budget left{self._over(self.slo.window)}"
        if left > float(least) / 100:
            return Succeeded(figure, evidence=(self._evidence(),))
        failed = f"{counted.failures:,.0f} of {counted.requests:,.0f} requests failed"
        allowed = f"{self.slo} over {say(self.slo.window)} allows {self.slo.allowed * counted.requests:,.0f}"
        wanted = f"{figure}, and more than {least}% must be" if left > 0 else f"no budget left{self._over()}"
        return self._fails(f"{wanted}: {failed}, and {allowed}")

    def _fails(self, reason: str) -> Failed:
        back = f"`/rollback {self.target.service} {self.target.environment}` is never held up"
        return Failed(f"{reason}; mend what fails first: {back}", evidence=(self._evidence(),))

    def _waits(self, why: str) -> Pending:
        return Pending(f"nobody can tell the error budget: {why}", NEXT_LOOK, blocked=True)

    def _counted(self, window: timedelta) -> Counted:
        return Counted(self.totals[window].requests, self.totals[window].failures)

    def _rate(self, window: timedelta) -> float | None:
        return self._counted(window).burn_rate(self.slo.allowed)

    def _over(self, window: timedelta | None = None) -> str:
        """Over what it was counted, where that is not the whole window."""
        of = window or self.slo.window
        known = self.totals[of].covered
        return "" if known >= WHOLE * of else f", counted over {roughly(known)} of {say(of)}"

    def _evidence(self) -> Evidence:
        lines = [self._line(window, f"at most {pair.limit:g}") for pair in PAIRS for window in (pair.long, pair.short)]
        left = self._counted(self.slo.window).left(self.slo.allowed)
        told = "" if left is None else f"{in_per_cent(left)} left"
        place = f"{self.target.service} in {self.target.environment}"
        title = f"error budget of {place}: {self.slo} over {say(self.slo.window)}"
        return Evidence(title, (*lines, self._line(self.slo.window, told)))

    def _line(self, window: timedelta, told: str) -> str:
        counted, rate = self._counted(window), self._rate(window)
        burns = "-" if rate is None else f"{rate:.2f}"
        counts = f"{counted.requests:>14,.0f} requests {counted.failures:>10,.0f} failed"
        return f"{say(window):>4} {counts}  burns {burns:>6} times as fast, {told}{self._over(window)}"


def in_per_cent(left: float) -> str:
    """Rounded down, so that nothing spent is the only 100 %; what is there at all is never called nothing."""
    whole = math.floor(left * 100 + 1e-9)
    return f"{whole} %" if whole or left <= 0 else "less than 1 %"
