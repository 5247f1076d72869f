"""The judge in words: one line for all, and one for each signal, with the numbers and the state of the evidence."""

from typing import assert_never

from bot.domain.judge import figures
from bot.domain.judge.errors import CountsJudge
from bot.domain.judge.gauges import GaugeJudge
from bot.domain.judge.judge import Judge
from bot.domain.judge.latency import LatencyJudge
from bot.domain.judge.samples import ALL
from bot.domain.judge.settings import GaugeSignal, LatencySignal
from bot.domain.judge.verdict import Call, Verdict

DOUBLING = 2.0

SignalJudge = CountsJudge | LatencyJudge | GaugeJudge


def explained(judge: Judge, verdict: Verdict) -> str:
    """What the verdict rests on and waits for, in one line. `verdict` is what this judge said last."""
    match verdict.call:
        case Call.FAIL:
            return f"{_loudest(judge, verdict)}, above the limit of {_limit(judge)}"
        case Call.PASS:
            cleared = _listed([_harm_ruled_out(one) for one in _asked(judge)])
            return f"no harm seen, and {cleared} ruled out: {all_figures(judge)}"
        case Call.BLIND:
            return _blind(judge)
        case Call.INCONCLUSIVE:
            return f"too little to tell: {_blind(judge) if judge.silent_arm else _missing(judge, verdict)}"
        case Call.CONTINUE:
            return _waiting(judge, verdict)
        case _:
            assert_never(verdict.call)


def signal_line(judge: Judge, name: str) -> str:
    """One signal: both arms' figures, its part of the evidence, and what promotion asks of it."""
    one = _named(judge, name)
    if one.clearance is None:
        return f"{figures_of(judge, one)}: too few pods show it"
    if _is_cleared(judge, one):
        state = f"{_harm_ruled_out(one)} is ruled out"
    else:
        state = f"{_harm_ruled_out(one)} is not ruled out yet{_progress(judge, one)}"
    part = judge.settings.weights[name] * one.evidence
    return f"{figures_of(judge, one)}: evidence {figures.number(part)} of {_limit(judge)}, {state}"


def all_figures(judge: Judge) -> str:
    """`errors 0.11 % vs 0.10 % (…) · p95 182 vs 179 ms · cpu +2 %`: every signal that pods show."""
    return " · ".join(figures_of(judge, one) for one in _asked(judge))


def figures_of(judge: Judge, one: SignalJudge) -> str:
    """Both arms' figures of one signal."""
    if isinstance(one, GaugeJudge):
        return figures.gauge(one)
    totals = next(flow.gathering.totals for flow in judge.flows if one in flow.judges)
    if isinstance(one, CountsJudge):
        return figures.counts(one.signal, totals)
    return figures.latency(one.signal, totals)


def _named(judge: Judge, name: str) -> SignalJudge:
    return next(one for one in judge.judges if one.signal.name == name)


def _asked(judge: Judge) -> list[SignalJudge]:
    """The signals that promotion waits for."""
    return [one for one in judge.judges if one.clearance is not None]


def _is_cleared(judge: Judge, one: SignalJudge) -> bool:
    return one.clearance is not None and one.clearance >= 1 / judge.settings.beta


def _limit(judge: Judge) -> str:
    return f"{1 / judge.settings.alpha:.0f}"


def _loudest(judge: Judge, verdict: Verdict) -> str:
    """The signal that speaks loudest, and how loud all of them are together."""
    weights = judge.settings.weights
    loudest = max(verdict.signals, key=lambda signal: weights[signal.name] * signal.evidence).name
    told = figures_of(judge, _named(judge, loudest))
    return f"{told}: evidence {figures.number(verdict.evidence)}"


def _blind(judge: Judge) -> str:
    if not judge.is_answered:
        return "nothing to see: the metrics provider does not answer"
    arm = judge.silent_arm or "canary"
    return f"nothing to see: nothing from the {arm} for {figures.clock((judge.at or 0.0) - judge.heard[arm])}"


def _waiting(judge: Judge, verdict: Verdict) -> str:
    if judge.at is None or judge.at <= 0:
        return "the canary has no traffic yet"
    if verdict.evidence >= judge.settings.suspicion:
        return f"{_loudest(judge, verdict)}, rolls back at {_limit(judge)}"
    slowest = _slowest(judge)
    if slowest is not None:
        return f"no harm seen; promotes when {_harm_ruled_out(slowest)} is ruled out{_progress(judge, slowest)}"
    if not _asked(judge):
        return "no harm seen; promotes when enough pods show the signals"
    at_least = figures.clock(judge.settings.min_bake)
    return f"no harm seen; promotes after {at_least} ({figures.clock(judge.at)} so far)"


def _missing(judge: Judge, verdict: Verdict) -> str:
    """Why there is no decision in the end."""
    slowest = _slowest(judge)
    if slowest is None or verdict.evidence >= judge.settings.suspicion:
        return _waiting(judge, verdict)
    return f"no harm seen, but {_harm_ruled_out(slowest)} is not ruled out{_progress(judge, slowest)}"


def _slowest(judge: Judge) -> SignalJudge | None:
    """The signal that promotion waits for longest."""
    return max((one for one in _asked(judge) if not _is_cleared(judge, one)), key=_to_go, default=None)


def _to_go(one: SignalJudge) -> float:
    """Requests until the harm is ruled out; a gauge needs time rather than requests."""
    return 0.0 if isinstance(one, GaugeJudge) else one.requests_to_go or 0.0


def _progress(judge: Judge, one: SignalJudge) -> str:
    """`, at about 4,000 requests (2,310 so far)`."""
    if isinstance(one, GaugeJudge):
        return "" if one.looks else f" (no pod of the canary shows its {one.signal.name})"
    so_far = float(next(flow.gathering.totals[0][ALL] for flow in judge.flows if one in flow.judges))
    of = one.signal.of if isinstance(one, CountsJudge) else "requests"
    if one.requests_to_go is None:
        return f" ({so_far:,.0f} {of} so far)"
    return f", at about {figures.rounded(so_far + one.requests_to_go)} {of} ({so_far:,.0f} so far)"


def _harm_ruled_out(one: SignalJudge) -> str:
    """What promotion rules out."""
    signal = one.signal
    if isinstance(signal, LatencySignal):
        return f"a tail {signal.ruled_out:g} times as slow"
    if isinstance(signal, GaugeSignal):
        return f"{signal.ruled_out:g} times the {signal.name}"
    times = "a doubling" if signal.ruled_out == DOUBLING else f"{signal.ruled_out:g} times the odds"
    rate = (
        ""
        if isinstance(one, CountsJudge) and one.must_settle_ratio
        else f" to {signal.ruled_out_rate * 100:g} % or more"
    )
    return f"{times} of {signal.name}{rate}"


def _listed(things: list[str]) -> str:
    """`a, b and c are`."""
    return f"{', '.join(things[:-1])} and {things[-1]} are" if len(things) > 1 else f"{things[0]} is"
