"""A canary on trial: the part of the steps `canary` and `judge` in which it has its traffic and is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field

from bot.domain.json import Json
from bot.domain.judge.verdict import Call
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.plan import Plan
from bot.ports.canaries import TrafficState
from bot.ports.execution import StepContext
from runbooks.durations import PositiveDuration, roughly, say
from runbooks.following import named
from runbooks.judging import Jury, Look, measured, settings_of
from runbooks.kinds import StepSpec
from runbooks.percent import parse_percent

KEPT = ("judge", "guards", "read", "began")
"""What one step of a canary hands to the next: the trial is one, from its first traffic to its last look."""

STEPS = ("canary", "judge")


class TrialSpec(StepSpec):
    """`for`: how long a decision may take; a good canary is let on as soon as harm is ruled out, but not before
    `least`. Too little evidence by then extends it once by the same time, and then asks people."""

    for_: PositiveDuration = Field(default=timedelta(minutes=10), alias="for")
    least: PositiveDuration = Field(default=timedelta(minutes=1))

    def read_aloud(self) -> str:
        return f"judged for at most {say(self.for_)}, twice that if the evidence is too thin"


@dataclass(frozen=True, slots=True)
class Trial:
    """Lets the jury look, once a pass, and says what that means for the step."""

    jury: Jury

    async def judged(
        self, context: StepContext, spec: TrialSpec, memo: Mapping[str, Json], state: TrafficState, *, hold: bool
    ) -> Outcome:
        """One pass. `memo` must hold `began` (the canary's first traffic) and `since` (this step's)."""
        wrong = _wrong(state)
        if wrong:
            return wrong
        known = measured(context.plan)
        settings = settings_of(known, horizon=_horizon(context.plan), share=_first_share(context.plan))
        began = datetime.fromisoformat(str(memo["began"]))
        look = await self.jury.look(known, settings, memo, began=began, now=context.now)
        remembered = {**memo, **look.memo}
        if look.breach:
            return Failed(f"a guard rail is breached: {look.breach}")
        if look.call is Call.FAIL:
            return Failed(f"the canary is worse: {look.said}")
        return self._undecided(context, spec, remembered, look, hold=hold, interval=known.queries.interval, state=state)

    def _undecided(
        self,
        context: StepContext,
        spec: TrialSpec,
        memo: dict[str, Json],
        look: Look,
        *,
        hold: bool,
        interval: timedelta,
        state: TrafficState,
    ) -> Outcome:
        """Not bad: on, a longer look, or a question to people."""
        spent = context.now - datetime.fromisoformat(str(memo["since"]))
        limit = spec.for_ * (2 if memo.get("extended") else 1)
        if context.consent and memo.get("asks"):
            return _done(memo, f"{', '.join(f'<@{user}>' for user in context.consent)} let it go on · {look.said}")
        if look.call is Call.PASS and spent >= spec.least:
            if not hold:
                return _done(memo, look.said)
            asks = f"waits for people, as the runbook says. {look.said}"
            return Pending(asks, interval, memo | {"asks": True}, blocked=True)
        if state.edited:
            return Pending(f"somebody changed the traffic by hand: {state.edited}", interval, memo, blocked=True)
        if spent < limit:
            return Pending(f"judging {roughly(spent)} of {say(limit)} · {look.said}", interval, memo | {"asks": False})
        if not memo.get("extended"):
            return Pending(f"extended once · {look.said}", interval, memo | {"extended": True})
        return Pending(f"cannot be decided, people must: {look.said}", interval, memo | {"asks": True}, blocked=True)


def inherited(context: StepContext) -> dict[str, Json]:
    """What the step of this canary before this one handed on; empty for the first."""
    for planned in reversed(context.plan.steps):
        step = context.run.step(planned.key)
        if planned.kind in STEPS and step.phase is StepPhase.SUCCEEDED:
            return {key: step.outputs[key] for key in KEPT if key in step.outputs}
    return {}


def _done(memo: Mapping[str, Json], said: str) -> Succeeded:
    return Succeeded(said, {key: memo[key] for key in KEPT if key in memo})


def _wrong(state: TrafficState) -> Outcome | None:
    """What is wrong with the pods themselves; no figures are needed to see it."""
    if state.canary is None:
        return Failed("the canary is gone: somebody has deleted it")
    hopeless = [fault for fault in state.canary.faults if fault.hopeless]
    return Failed(f"the canary does not run: {named(hopeless[0], len(hopeless))}") if hopeless else None


def _horizon(plan: Plan) -> timedelta:
    """The longest that the whole trial may last, each step extended once."""
    total = timedelta(0)
    for planned in plan.steps:
        if planned.kind in STEPS:
            own = planned.params.get("judge")
            total += 2 * TrialSpec.model_validate(own if isinstance(own, dict) else planned.params).for_
    return total


def _first_share(plan: Plan) -> int:
    return next(parse_percent(planned.params["weight"]) for planned in plan.steps if planned.kind == "canary")
