"""How a canary stands, for whoever asks: read from what its run remembers, so that nobody has to be asked for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.json import Json
from bot.domain.judge.explain import signal_line
from bot.domain.judge.judge import Judge
from bot.domain.picture import Picture
from bot.domain.plan import PlannedStep
from bot.domain.run import Run
from runbooks.durations import say
from runbooks.film import Film
from runbooks.judging import measured, settings_of
from runbooks.trial import STEPS, first_share, horizon, limit_of, title


@dataclass(frozen=True, slots=True)
class Report:
    """One canary at one moment: the step that it is at and how that stands, a line for each signal, what comes next and
    when at the latest, and the picture of all that was seen (`None`: nothing was yet)."""

    step: PlannedStep
    stands: str
    signals: tuple[str, ...]
    following: str
    picture: Picture | None


def report(run: Run, now: datetime) -> Report | None:
    """The canary of a run; `None` where it is at no step that looks at one. Raises UnreadableError for what another
    version of Sluice remembered."""
    step = run.current()
    if run.plan is None or step is None or step.kind not in STEPS:
        return None
    memo = run.step(step.key).memo
    signals, picture = _seen(run, dict(memo))
    return Report(step, run.step(step.key).why or "about to begin", signals, _following(run, step, now), picture)


def _seen(run: Run, memo: dict[str, Json]) -> tuple[tuple[str, ...], Picture | None]:
    judge, film, plan = memo.get("judge"), memo.get("film"), run.sealed_plan()
    if not isinstance(judge, dict) or not isinstance(film, dict):
        return (), None
    settings = settings_of(measured(plan), horizon=horizon(plan), share=first_share(plan))
    seen = Judge.restored(settings, judge)
    lines = tuple(signal_line(seen, one.signal.name) for one in seen.judges)
    return lines, Film.restored(film).picture(title(plan, "not decided yet"), settings)


def _following(run: Run, step: PlannedStep, now: datetime) -> str:
    """What happens when this step is done, and when people are asked at the latest."""
    steps = run.sealed_plan().steps
    after = next((one for one in steps[steps.index(step) + 1 :]), None)
    then = f"then {_named(after)}" if after else "then the release is done"
    if run.step(step.key).asks:
        return f"{then}, as soon as people let it go on"
    left = _left(run, step, now)
    return f"{then}; people are asked in {say(left)} at the latest" if left > timedelta(0) else then


def _left(run: Run, step: PlannedStep, now: datetime) -> timedelta:
    """How long until people are asked at the latest; nothing while its share is not given yet: nobody knows then."""
    since = run.step(step.key).memo.get("since")
    return 2 * limit_of(step) - (now - datetime.fromisoformat(since)) if isinstance(since, str) else timedelta(0)


def _named(step: PlannedStep) -> str:
    return f"the canary gets {step.params['weight']}" if step.kind == "canary" else step.kind.replace("_", " ")
