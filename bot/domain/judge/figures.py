"""What both arms showed since the canary has traffic, in words: the canary's figure against the baseline's."""

import math
from collections.abc import Sequence

from bot.domain.judge.gauges import GaugeJudge
from bot.domain.judge.samples import ALL, BAD, FIRST_BUCKET, Floats
from bot.domain.judge.settings import CountsSignal, LatencySignal

TEN, MILLION = 10, 1e6


def counts(signal: CountsSignal, totals: Floats) -> str:
    """`errors 0.42 % vs 0.11 % (18 of 4,290 vs 92 of 81,500)`."""
    canary, baseline = (percent(row[BAD] / row[ALL]) if row[ALL] else "-" for row in totals)
    numbers = " vs ".join(f"{row[BAD]:,.0f} of {row[ALL]:,.0f}" for row in totals)
    return f"{signal.name} {canary} vs {baseline} ({numbers})"


def latency(signal: LatencySignal, totals: Floats) -> str:
    """`p95 182 vs 179 ms`."""
    arms = [quantile(signal.bounds, row[FIRST_BUCKET:].tolist(), signal.quantile) for row in totals]
    if all(seconds is not None and seconds < math.inf for seconds in arms):
        canary, baseline = (f"{(seconds or 0) * 1000:,.0f}" for seconds in arms)
        return f"p{signal.quantile * 100:g} {canary} vs {baseline} ms"
    longest = f"over {signal.bounds[-2] * 1000:,.0f} ms"
    told = [
        "-" if seconds is None else longest if seconds == math.inf else f"{seconds * 1000:,.0f} ms" for seconds in arms
    ]
    return f"p{signal.quantile * 100:g} {' vs '.join(told)}"


def gauge(judge: GaugeJudge) -> str:
    """`cpu +3 %`: the canary's mean level against the baseline's."""
    if not judge.looks:
        return f"{judge.signal.name} not compared"
    return f"{judge.signal.name} {round(100 * math.expm1(judge.apart / judge.looks)):+d} %"


def quantile(bounds: Sequence[float], cumulative: Sequence[float], share: float) -> float | None:
    """A quantile of a cumulative histogram in seconds, linear within the bucket as Prometheus has it; infinite beyond
    the last edge, `None` without requests."""
    if not cumulative or not cumulative[-1]:
        return None
    rank = share * cumulative[-1]
    at = next(i for i, count in enumerate(cumulative) if count >= rank)
    if bounds[at] == math.inf:
        return math.inf
    low, under = (bounds[at - 1], cumulative[at - 1]) if at else (0.0, 0.0)
    return low + (bounds[at] - low) * (rank - under) / (cumulative[at] - under)


def percent(share: float) -> str:
    """A share with two significant digits, at least to the percent."""
    return f"{share * 100:.{_digits(share * 100)}f} %"


def _digits(value: float) -> int:
    """Digits after the point that leave two significant ones."""
    return 1 - math.floor(math.log10(value)) if 0 < value < TEN else 0


def number(value: float) -> str:
    """Evidence, as coarse as it is."""
    if value >= MILLION:
        return "over a million"
    return f"{value:,.0f}" if value >= TEN else f"{value:.1f}"


def rounded(value: float) -> str:
    """Two significant digits."""
    size = 10 ** max(0, math.floor(math.log10(max(value, 1.0))) - 1)
    return f"{math.ceil(value / size) * size:,.0f}"


def clock(seconds: float) -> str:
    """`3 min 10 s`, `5 min`, `45 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return " ".join(
        part for part in (f"{minutes} min" if minutes else "", f"{rest} s" if rest or not minutes else "") if part
    )
