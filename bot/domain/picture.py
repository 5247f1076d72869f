"""What a release's picture shows: figures over time as they shall be drawn, and the same said in words.

A picture is plain data, small enough to be kept with the message that it belongs to. Who makes it hands in every look;
what is kept of a line are at most `MOST_POINTS` points, its extremes among them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from statistics import median

MOST_POINTS = 120
ALT_LIMIT = 1000
"""Characters of an alternative text; Slack's own limit, and more than anybody wants read out."""

UNSEEN_STEPS = 3
"""So many usual steps between two looks without a figure, and nothing was to be seen: fewer are low traffic."""

MOST_EVIDENCE = 1e12
MINUTE, THOUSAND = 60, 1000

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """Both arms of one signal at one look, `at` seconds after the canary got traffic; `None`: nothing to see."""

    at: float
    canary: float | None
    baseline: float | None


@dataclass(frozen=True, slots=True)
class EvidenceLook:
    """The judge's evidence at one look: of harm, and against it (`None`: not gathered). 1 says nothing."""

    at: float
    harm: float
    clearance: float | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """Where a canary is not to be told from a good or a bad one, given the baseline's figure: below it is harmless,
    above it is the harm that promotion rules out. Factors of the baseline's figure, and figures that the two edges
    never fall below."""

    tolerated: float
    ruled_out: float
    tolerated_least: float = 0.0
    ruled_out_least: float = 0.0


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything seen of one signal. `unit` stands behind a figure (`%`, `ms`); empty for a bare number."""

    name: str
    unit: str
    looks: tuple[Look, ...]
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Figures over time: seconds after the canary got traffic, rising, and as many figures."""

    at: tuple[float, ...] = ()
    figures: tuple[float, ...] = ()

    @property
    def last(self) -> float | None:
        """The newest figure."""
        return self.figures[-1] if self.figures else None


@dataclass(frozen=True, slots=True)
class SignalLines:
    """One signal as it is drawn. `unseen`: stretches in which an arm showed nothing, in seconds."""

    name: str
    unit: str
    canary: Line
    baseline: Line
    band: Band | None = None
    unseen: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceLines:
    """The evidence as it is drawn, and the limits at which it decides: 1/alpha of harm, 1/beta against it."""

    harm: Line
    clearance: Line
    rolls_back_at: float
    promotes_at: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to be drawn. `alt` says the same to whoever does not see it; `span` is the time shown, in seconds."""

    title: str
    alt: str
    signals: tuple[SignalLines, ...]
    evidence: EvidenceLines
    span: Span = (0.0, 0.0)


def picture_of(
    title: str,
    readings: Sequence[Readings],
    evidence: Sequence[EvidenceLook],
    *,
    rolls_back_at: float,
    promotes_at: float,
) -> Picture:
    """The picture of a canary from all that was seen of it. Whatever is no number is as good as not seen."""
    times = [*chain.from_iterable((look.at for look in one.looks) for one in readings), *(look.at for look in evidence)]
    finite = [at for at in times if math.isfinite(at)]
    span = (min(finite), max(finite)) if finite else (0.0, 0.0)
    signals = tuple(_signal(one, span) for one in readings)
    harm = _line((look.at, min(look.harm, MOST_EVIDENCE)) for look in evidence)
    clearance = _line((one.at, one.clearance and min(one.clearance, MOST_EVIDENCE)) for one in evidence)
    lines = EvidenceLines(thinned(harm), thinned(clearance), rolls_back_at, promotes_at)
    return Picture(title, alt_text(title, signals, lines, span), signals, lines, span)


def thinned(line: Line, most: int = MOST_POINTS) -> Line:
    """The line with at most `most` points, six or more: its ends, and of each stretch the lowest and the highest."""
    count = len(line.at)
    if count <= most:
        return line
    stretches = (most - 2) // 2
    kept = {0, count - 1}
    edges = [1 + (count - 2) * number // stretches for number in range(stretches + 1)]
    for low, high in pairwise(edges):
        among = range(low, high)
        kept |= {min(among, key=line.figures.__getitem__), max(among, key=line.figures.__getitem__)}
    order = sorted(kept)
    return Line(tuple(line.at[number] for number in order), tuple(line.figures[number] for number in order))


def alt_text(title: str, signals: Sequence[SignalLines], evidence: EvidenceLines, span: Span) -> str:
    """The picture in one sentence: where each line ends, and what the evidence makes of it."""
    told = [_told(signal) for signal in signals]
    harm, clearance = evidence.harm.last, evidence.clearance.last
    told.append(f"evidence of harm {_evidence(harm)}, rolls back at {figure(evidence.rolls_back_at)}")
    told.append(f"evidence against harm {_evidence(clearance)}, promotes at {figure(evidence.promotes_at)}")
    unseen = math.fsum(end - begin for begin, end in merged(chain.from_iterable(one.unseen for one in signals)))
    blind = f", of which {clock(unseen)} show nothing of an arm" if unseen else ""
    sentence = f"{title}: {'; '.join(told)}; {clock(span[1] - span[0])} are shown{blind}."
    return sentence if len(sentence) <= ALT_LIMIT else f"{sentence[: ALT_LIMIT - 1]}…"


def figure(value: float | None, unit: str = "") -> str:
    """`0.42 %`, `1,830 ms`: three significant digits; `nothing` for no figure."""
    if value is None:
        return "nothing"
    number = f"{value:,.0f}" if abs(value) >= THOUSAND else f"{value:.3g}"
    return f"{number} {unit}" if unit else number


def clock(seconds: float) -> str:
    """`45 s`, `6 min 12 s`, `10 min`."""
    minutes, rest = divmod(round(seconds), MINUTE)
    parts = (f"{minutes} min" if minutes else "", f"{rest} s" if rest or not minutes else "")
    return " ".join(part for part in parts if part)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same stretches of time in order, those that touch made one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)


def _signal(readings: Readings, span: Span) -> SignalLines:
    canary = _line((look.at, look.canary) for look in readings.looks)
    baseline = _line((look.at, look.baseline) for look in readings.looks)
    steps = [b - a for a, b in pairwise(sorted({look.at for look in readings.looks if math.isfinite(look.at)}))]
    least = UNSEEN_STEPS * median(steps) if steps else 0.0
    unseen = merged(chain.from_iterable(_gaps(line, span, least) for line in (canary, baseline)))
    return SignalLines(readings.name, readings.unit, thinned(canary), thinned(baseline), readings.band, unseen)


def _line(points: Iterable[tuple[float, float | None]]) -> Line:
    """What was seen, in order of time: of two looks at one time the later counts. Digits nobody sees are dropped."""
    seen = {
        round(at, 1): float(f"{value:.5g}")
        for at, value in points
        if value is not None and math.isfinite(value) and math.isfinite(at)
    }
    order = sorted(seen)
    return Line(tuple(order), tuple(seen[at] for at in order))


def _gaps(line: Line, span: Span, least: float) -> Iterable[Span]:
    """Stretches longer than `least` in which a line has no point, before its first and after its last too."""
    times = (span[0], *line.at, span[1])
    return ((a, b) for a, b in pairwise(times) if b - a > max(least, 0.0))


def _told(signal: SignalLines) -> str:
    canary, baseline = (figure(line.last, signal.unit) for line in (signal.canary, signal.baseline))
    most = max(signal.canary.figures, default=None)
    highest = f" (at most {figure(most, signal.unit)})" if most is not None and most != signal.canary.last else ""
    return f"{signal.name} canary {canary}{highest}, baseline {baseline}"


def _evidence(value: float | None) -> str:
    if value is None:
        return "not gathered"
    return figure(value) if value < MOST_EVIDENCE else "beyond all measure"
