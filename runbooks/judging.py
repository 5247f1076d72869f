"""One look of the judge at a canary, between two of which the process may die: all it must remember is in a memo."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import PermanentError, TemporaryError, UnreadableError, UsageError
from bot.domain.json import Json
from bot.domain.judge.explain import all_figures, explained
from bot.domain.judge.guards import Guard, Guards, GuardSettings, LatencyGuard, LevelGuard, RateGuard
from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation
from bot.domain.judge.settings import CountsSignal, GaugeSignal, JudgeSettings, LatencySignal
from bot.domain.judge.verdict import Call
from bot.domain.plan import Plan
from bot.ports.metrics import CPU, MetricsProviders, Reading, SignalQueries
from runbooks.film import Film
from runbooks.guards import Guard as GuardRail
from runbooks.guards import Guarded, parse
from runbooks.margins import Margins
from runbooks.signals import Signals

MILLICORES = 1000
HISTORY = timedelta(minutes=10)
"""How much of the baseline's past the judge sees first: how its pods differ among themselves."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a plan says of its signals (`Plan.signals`), read back."""

    queries: SignalQueries
    margins: Margins
    guards: tuple[Guard, ...]


def seal(queries: SignalQueries, signals: Signals, *, cpu_cores: float | None = None) -> dict[str, Json]:
    """What a plan keeps of a service's signals; the queries must be proven. `cpu_cores` is what one container may use.
    Raises UsageError for a guard rail that is a share of what nobody knows."""
    guards: list[Json] = [_in_cores(guard, cpu_cores) for guard in signals.guards]
    return {"queries": queries.sealed(), "margins": signals.margins.model_dump(mode="json"), "guards": guards}


def measured(plan: Plan) -> Measured:
    """What was sealed. Raises UnreadableError."""
    return unsealed(plan.signals)


def unsealed(signals: Mapping[str, Json]) -> Measured:
    """What `seal` made. Raises UnreadableError."""
    written = signals.get("guards")
    if not signals or not isinstance(written, list):
        raise UnreadableError("the plan holds no signals to judge by")
    guards = tuple(_guard(str(text)) for text in written)
    return Measured(SignalQueries.unsealed(signals["queries"]), Margins.model_validate(signals["margins"]), guards)


def require_judgeable(known: Measured) -> None:
    """Raise UsageError where the judge or a guard rail cannot work with these signals: better now than in the middle of
    a release."""
    settings_of(known, horizon=HISTORY, share=1)
    GuardSettings(known.guards, bounds=known.queries.latency.edges if known.queries.latency else ())


def settings_of(known: Measured, *, horizon: timedelta, share: int) -> JudgeSettings:
    """The judge's settings for one canary; `share` is its first one in per cent. The same from its first look to its
    last, as its state is read back with them."""
    queries, margins = known.queries, known.margins
    latency = None
    if queries.latency:
        bounds = queries.latency.edges
        latency = LatencySignal(
            bounds, quantile=margins.quantile, tolerance=margins.latency_tolerance, ruled_out=margins.latency_ni
        )
    return JudgeSettings(
        scrape_interval=queries.interval.total_seconds(),
        horizon=horizon.total_seconds(),
        share=share / 100,
        errors=CountsSignal(
            tolerance=margins.error_tolerance,
            floor=margins.error_floor,
            ruled_out=margins.error_ni,
            ruled_out_rate=margins.error_ni_floor,
        ),
        latency=latency,
        gauges=tuple(
            GaugeSignal(gauge.name, tolerance=margins.cpu_tolerance, ruled_out=margins.cpu_ni)
            for gauge in queries.gauges
        ),
        warmup=margins.warmup.total_seconds(),
        alpha=margins.alpha,
        beta=margins.beta,
        min_bake=margins.min_bake.total_seconds(),
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What one look said: the judge's call with its line for people, the line if this were the last look, the figures
    of both arms, the guards that are breached (empty: none), what the next look must know, all that was seen, and when
    both arms were last heard of."""

    call: Call
    said: str
    undecided: str
    figures: str
    breach: str
    memo: dict[str, Json]
    film: Film
    heard: datetime


class Jury:
    """Reads what the metrics server has that the judge has not seen, and lets it see that."""

    def __init__(self, providers: MetricsProviders) -> None:
        self._providers = providers

    async def look(
        self, known: Measured, settings: JudgeSettings, memo: Mapping[str, Json], *, began: datetime, now: datetime
    ) -> Look:
        """One look. `began`: when the canary got its first traffic. A server that is away, or that does not let us in
        any more, is a look that sees nothing, never an error: what nobody can see is no fault of the canary's."""
        judge, guards, film = _restored(settings, known, memo)
        read = datetime.fromisoformat(str(memo["read"])) if "read" in memo else began - HISTORY
        try:
            readings = await self._providers.get(known.queries.provider).read(known.queries, read, now)
        except (TemporaryError, PermanentError) as exc:
            said = f"{explained(judge, judge.see(None))}: {exc}"
            memo = _memo(judge, guards, film, read)
            return Look(Call.BLIND, said, said, all_figures(judge), "", memo, film, _heard(judge, began))
        breach, verdict = "", judge.verdict()
        for reading in readings:
            at = (reading.at - began).total_seconds()
            observation = _observation(reading, at)
            verdict = judge.see(observation)
            film.take(judge, verdict, observation)
            if at > 0:
                breach = breach or "; ".join(found.line for found in guards.see(at, reading.canary))
        read = readings[-1].at if readings else read
        said, undecided = explained(judge, verdict), explained(judge, judge.ended())
        memo = _memo(judge, guards, film, read)
        return Look(verdict.call, said, undecided, all_figures(judge), breach, memo, film, _heard(judge, began))


def _heard(judge: Judge, began: datetime) -> datetime:
    return began + timedelta(seconds=min(judge.heard.values()))


def _observation(reading: Reading, at: float) -> Observation:
    # Before its first traffic the canary's pods serve nobody but their probes.
    return Observation(at, reading.canary if at > 0 else {}, reading.baseline)


def _restored(settings: JudgeSettings, known: Measured, memo: Mapping[str, Json]) -> tuple[Judge, Guards, Film]:
    bounds = settings.latency.bounds if settings.latency else ()
    watched = GuardSettings(known.guards, bounds=bounds)
    judge, guards, film = memo.get("judge"), memo.get("guards"), memo.get("film")
    return (
        Judge.restored(settings, judge) if isinstance(judge, dict) else Judge(settings),
        Guards.restored(watched, guards) if isinstance(guards, dict) else Guards(watched),
        Film.restored(film) if isinstance(film, dict) else Film(),
    )


def _memo(judge: Judge, guards: Guards, film: Film, read: datetime) -> dict[str, Json]:
    return {"judge": judge.state(), "guards": guards.state(), "film": film.state(), "read": read.isoformat()}


def _in_cores(rail: GuardRail, cpu_cores: float | None) -> str:
    """A guard rail as it can be sealed: a share of the container's CPU becomes cores."""
    if rail.guarded is not Guarded.CPU_SHARE:
        return rail.text
    if cpu_cores is None:
        raise UsageError(
            f"The guard rail '{rail.text}' is a share of what the container may use, and it has neither a limit nor a "
            "request of CPU.",
            hint="Give it one, or write cores, as in `cpu < 500m`.",
        )
    return f"cpu < {rail.limit * cpu_cores * MILLICORES:.0f}m"


def _guard(text: str) -> Guard:
    """The judge's guard of a guard rail in the catalogue. Raises UnreadableError."""
    rail = parse(text)
    match rail.guarded:
        case Guarded.ERROR_RATE:
            return RateGuard(rail.limit)
        case Guarded.LATENCY:
            return LatencyGuard(rail.quantile or 0.0, rail.limit)
        case Guarded.CPU_CORES:
            return LevelGuard(CPU, rail.limit, "cores")
    raise UnreadableError(f"'{text}' is a share of a limit that nobody knows here; write it in cores, as in cpu < 500m")
