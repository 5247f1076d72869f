"""A canary on trial: the part of the steps `canary` and `judge` in which it has its traffic and is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import Field

from bot.domain.errors import PermanentError
from bot.domain.json import Json
from bot.domain.judge.verdict import Call
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Question, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.picture import Picture, figure
from bot.domain.plan import Plan, PlannedStep
from bot.domain.release import may_be
from bot.domain.run import Run
from bot.domain.traffic import Router
from bot.ports.canaries import Canaries, TrafficState
from bot.ports.execution import StepContext
from runbooks.durations import PositiveDuration, roughly, say
from runbooks.following import named
from runbooks.judging import Jury, Look, measured, settings_of
from runbooks.kinds import StepSpec
from runbooks.percent import parse_percent

KEPT = ("judge", "guards", "film", "read", "began")
"""What one step of a canary hands to the next: the trial is one, from its first traffic to its last look."""

STEPS = ("canary", "judge")
PAUSED = "paused; still watched"


class TrialSpec(StepSpec):
    """`for`: how long a decision may take; a good canary is let on as soon as harm is ruled out, but not before
    `least`. Too little evidence by then extends it once by the same time, and then asks people."""

    for_: PositiveDuration = Field(default=timedelta(minutes=10), alias="for")
    least: PositiveDuration = Field(default=timedelta(minutes=1), description="How long it is judged at least.")

    def read_aloud(self) -> str:
        return f"judged for at most {say(self.for_)}, twice that if the evidence is too thin"

    def takes(self) -> timedelta:
        return 2 * self.for_


@dataclass(frozen=True, slots=True)
class Wish:
    """What a step wants of its trial. `hold`: even a good canary waits for people before the next step. `weight`: the
    share that the step has given it, in per cent, to be set again where people want that; `None`: it has given none."""

    spec: TrialSpec
    hold: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look, and what else a decision needs: what of the traffic somebody has changed by hand, or why it cannot be
    read (each a clause, or empty), the time of this step, how much of it both arms have shown requests for, when the
    next look is due, and the picture of all that was seen."""

    look: Look
    edited: str
    unread: str
    spent: timedelta
    seen_of_it: timedelta
    next_look: timedelta
    picture: Picture


@dataclass(frozen=True, slots=True)
class Trial:
    """Lets the jury look, once a pass, and says what that means for the step."""

    jury: Jury

    async def judged(self, context: StepContext, wish: Wish, memo: Mapping[str, Json], canaries: Canaries) -> Outcome:
        """One pass. `memo` must hold `began` (the canary's first traffic) and `since` (this step's)."""
        state, unread = await _traffic(context.plan, canaries)
        other = _other_baseline(context.plan, state)
        if other:
            return Failed(other, FailureCause.OVERWRITTEN)
        edited = _edits(context.plan, wish, state) if state else ""
        known, began = measured(context.plan), datetime.fromisoformat(str(memo["began"]))
        settings = settings_of(known, horizon=horizon(context.plan), share=first_share(context.plan))
        look = await self.jury.look(known, settings, memo, began=began, now=context.now)
        wrong = _wrong(state) or _harm(look)
        stands = "rolled back" if wrong else "good" if look.call is Call.PASS else "not decided yet"
        picture = look.film.picture(title(context.plan, stands), settings)
        if wrong:
            return Failed(f"{wrong}{_lately(picture)}" if _harm(look) else wrong, picture=picture)
        since = datetime.fromisoformat(str(memo["since"]))
        spent = context.now - since
        if state and state.shrunk:
            look = replace(look, figures=f"{look.figures}\n{state.shrunk}: all of the traffic may be too much for it")
        seen = Seen(look, edited, unread, spent, look.heard - since, _next_look(spent, known.queries.interval), picture)
        return _undecided(context, wish, {**memo, **look.memo}, seen)

    async def watched(self, context: StepContext, memo: Mapping[str, Json]) -> tuple[Outcome | None, dict[str, Json]]:
        """A look while a step does something else than to judge: harm ends it, and nothing else is decided. What is
        remembered afterwards, as part of the one trial. Nothing is looked at before the canary has traffic."""
        if "began" not in memo:
            return None, dict(memo)
        known, began = measured(context.plan), datetime.fromisoformat(str(memo["began"]))
        settings = settings_of(known, horizon=horizon(context.plan), share=first_share(context.plan))
        look = await self.jury.look(known, settings, memo, began=began, now=context.now)
        remembered, wrong = {**memo, **look.memo}, _harm(look)
        if not wrong:
            return None, remembered
        picture = look.film.picture(title(context.plan, "rolled back"), settings)
        return Failed(f"{wrong}{_lately(picture)}", picture=picture), remembered


def _undecided(context: StepContext, wish: Wish, memo: dict[str, Json], seen: Seen) -> Outcome:
    """Not bad: on, a longer look, or a question to people."""
    look, extended = seen.look, bool(memo.get("extended"))
    limit = wish.spec.for_ * (2 if extended else 1)
    if seen.unread:
        why = f"the traffic cannot be read: {seen.unread}; put it back, or abort"
        return Pending(why, seen.next_look, memo, blocked=True, detail=look.figures, picture=seen.picture)
    if seen.edited:
        return _edited(wish, memo, seen)
    # What was seen before this share was given says nothing of how the canary bears it.
    if look.call is Call.PASS and seen.seen_of_it >= wish.spec.least:
        if wish.hold:
            return _asked(context, memo, seen, (Question.HELD, "good so far; the runbook lets people decide"))
        return _on(context, memo, seen, look.said)
    if seen.spent < limit:
        longer = ", extended once" if extended else ""
        return _looks_on(memo, seen, f"judging {roughly(seen.spent)} of {say(limit)}{longer}")
    if not extended:
        return _looks_on(memo | {"extended": True}, seen, f"judging for another {say(wish.spec.for_)}, extended once")
    return _asked(context, memo, seen, (Question.UNDECIDED, look.undecided))


def _asked(context: StepContext, memo: dict[str, Json], seen: Seen, question: tuple[Question, str]) -> Outcome:
    """People are asked, or have said yes to this very question."""
    if context.consent and context.seen.asks is question[0]:
        said = f"{', '.join(f'<@{user}>' for user in context.consent)} let it go on; {seen.look.figures}"
        return _on(context, memo, seen, said)
    return _asks(memo, seen, question)


def _edited(wish: Wish, memo: dict[str, Json], seen: Seen) -> Pending:
    """What people set by hand is not fought over: they put it back, or say that Sluice shall."""
    why = f"somebody changed the traffic by hand: {seen.edited}; put it back"
    if wish.weight is None:
        return Pending(why, seen.next_look, memo, blocked=True, detail=seen.look.figures, picture=seen.picture)
    return _asks(memo, seen, (Question.SHARE, f"{why}, or let Sluice set {wish.weight} % again"))


def _on(context: StepContext, memo: dict[str, Json], seen: Seen, said: str) -> Outcome:
    """The step is done; but a canary is never left alone: while the run is paused it is looked at on."""
    if context.run.pause is not None:
        return Pending(PAUSED, seen.next_look, memo, blocked=True, detail=said, picture=seen.picture)
    return Succeeded(said, picture=seen.picture)


def _looks_on(memo: dict[str, Json], seen: Seen, why: str) -> Pending:
    """Sluice looks again by itself; a metrics server that does not answer is told as what it is."""
    look, blind = seen.look, seen.look.call is Call.BLIND
    detail = look.figures if blind else f"{look.figures}\n{look.said}"
    why = f"{why}; {look.said}" if blind else why
    return Pending(why, seen.next_look, memo, blocked=blind, detail=detail, picture=seen.picture)


def _asks(memo: dict[str, Json], seen: Seen, question: tuple[Question, str]) -> Pending:
    asks, why = question
    detail, picture = seen.look.figures, seen.picture
    return Pending(why, seen.next_look, memo, blocked=True, asks=asks, detail=detail, picture=picture)


async def _traffic(plan: Plan, canaries: Canaries) -> tuple[TrafficState | None, str]:
    """How the traffic is divided, or as a clause why that cannot be read: a router's object that is gone or garbled is
    for people to mend, and no fault of the canary's."""
    if plan.traffic is None:
        raise RuntimeError("a plan without traffic has no canary")
    try:
        state = await canaries.observe(plan.traffic)
    except PermanentError as exc:
        return None, str(exc)
    return state, ""


def _next_look(spent: timedelta, interval: timedelta) -> timedelta:
    """How long to wait so that looks keep the rhythm of the scrapes, however late this one is. Canaries that began at
    different moments are looked at in turn."""
    wait = interval - spent % interval
    return wait if wait > interval / 4 else wait + interval


def _other_baseline(plan: Plan, state: TrafficState | None) -> str:
    """As a clause, that somebody has given the stable pods another image: what the canary was compared with is gone,
    and what people approved is no longer what would be promoted over."""
    if state is None or plan.previous is None or may_be(state.stable.image, plan.previous.image):
        return ""
    to = state.stable.image or "one that cannot be told, as it has several containers now"
    return f"somebody else changed the image of {plan.workload.name} to {to} while the canary was judged"


def _edits(plan: Plan, wish: Wish, state: TrafficState) -> str:
    """As a clause, what somebody has changed by hand; empty: nothing."""
    route = plan.traffic
    if route and route.fresh_baseline and state.baseline is None:
        return f"{route.baseline.name} is gone, with which the canary was compared"
    if state.edited or route is None or wish.weight is None or route.router is Router.REPLICAS:
        return state.edited
    return "" if state.weight == wish.weight else f"the canary has {state.weight} %, and Sluice gave it {wish.weight} %"


def inherited(context: StepContext) -> dict[str, Json]:
    """What the step of this canary before this one remembered; empty for the first. What its last look saw beyond that
    is read again, and judged alike."""
    for planned in reversed(context.plan.steps):
        step = context.run.step(planned.key)
        if planned.kind in STEPS and step.phase is StepPhase.SUCCEEDED:
            return {key: step.memo[key] for key in KEPT if key in step.memo}
    return {}


def began(run: Run) -> datetime | None:
    """When the canary of a run first had traffic; `None`: it never had."""
    memos = (run.step(planned.key).memo for planned in run.sealed_plan().steps if planned.kind in STEPS)
    return next((datetime.fromisoformat(str(memo["began"])) for memo in memos if "began" in memo), None)


def _harm(look: Look) -> str:
    if look.breach:
        return f"a guard rail is breached: {look.breach}"
    return f"worse than stable: {look.said}" if look.call is Call.FAIL else ""


def _lately(picture: Picture) -> str:
    """Both arms at the last look: what turned bad late is small among all that was seen."""
    ends = [(signal, signal.canary.last, signal.baseline.last) for signal in picture.signals]
    told = [
        f"{signal.name} {figure(canary)} vs {figure(baseline, signal.unit)}"
        for signal, canary, baseline in ends
        if canary is not None and baseline is not None
    ]
    return f"; lately {' · '.join(told)}" if told else ""


def _wrong(state: TrafficState | None) -> str:
    """What is wrong with the pods themselves; no figures are needed to see it."""
    if state is None:
        return ""
    if state.canary is None:
        return "the canary is gone: somebody has deleted it"
    hopeless = [fault for fault in state.canary.faults if fault.hopeless]
    return f"the canary does not run: {named(hopeless[0], len(hopeless))}" if hopeless else ""


def title(plan: Plan, stands: str) -> str:
    """What a picture of this canary is called."""
    return f"{plan.target.service} {plan.artifact.ref} in {plan.target.environment}: {stands}"


def limit_of(planned: PlannedStep) -> timedelta:
    """How long one step of a trial may look before it is extended."""
    own = planned.params.get("judge")
    return TrialSpec.model_validate(own if isinstance(own, dict) else planned.params).for_


def horizon(plan: Plan) -> timedelta:
    """The longest that the whole trial may last, each step extended once."""
    return sum((2 * limit_of(planned) for planned in plan.steps if planned.kind in STEPS), timedelta(0))


def first_share(plan: Plan) -> int:
    """The share of the traffic that the trial begins with, in per cent."""
    return next(parse_percent(planned.params["weight"]) for planned in plan.steps if planned.kind == "canary")
