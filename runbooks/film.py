"""What was seen of a canary over time, small enough to be remembered between passes; its picture is drawn from it.

A frame holds sums since the canary has traffic, so that a frame that is left out costs sharpness and no request.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import Any

from bot.domain.json import Json
from bot.domain.judge.figures import quantile
from bot.domain.judge.flows import TRAFFIC
from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import ALL, BAD, FIRST_BUCKET, Observation, Sample
from bot.domain.judge.settings import JudgeSettings, LatencySignal
from bot.domain.judge.verdict import Verdict
from bot.domain.picture import MOST_EVIDENCE, Band, EvidenceLook, Look, Picture, Readings, picture_of

MOST_FRAMES = 48
PERCENT, MILLISECONDS = 100.0, 1000.0
UNITS = {"cpu": "cores"}
"""Of gauges whose unit is known by their name."""

Figure = Callable[[Sequence[float]], float | None]
"""What is told of sums: a number, or nothing where there were no requests."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One look, `at` seconds after the first traffic: evidence of harm and against it, the sums of both arms (all, bad,
    buckets), and the mean level of each gauge on both."""

    at: float
    harm: float
    clearance: float | None
    canary: Sequence[float]
    baseline: Sequence[float]
    levels: Mapping[str, tuple[float | None, float | None]]


@dataclass(slots=True)
class Film:
    """Frames, oldest first. When there are too many every second one goes, and only every `stride`th look is kept from
    then on; the newest look is always there."""

    frames: list[Frame] = field(default_factory=list)
    looks: int = 0
    stride: int = 1

    def take(self, judge: Judge, verdict: Verdict, observation: Observation) -> None:
        """Keep this look. Before the first traffic there is nothing to show; the same look twice is one."""
        at = observation.at
        if at <= 0 or (self.frames and at <= self.frames[-1].at):
            return
        if self.looks % self.stride and self.frames:
            self.frames.pop()  # the look before was kept only for being the newest
        self.looks += 1
        self.frames.append(_frame(judge, verdict, observation))
        if len(self.frames) > MOST_FRAMES:
            self.frames = [*self.frames[:-1][::2], self.frames[-1]]
            self.stride *= 2

    def state(self) -> dict[str, Json]:
        """As JSON; `restored` reads it back."""
        frames: list[Json] = [
            [
                round(frame.at, 3),
                frame.harm,
                frame.clearance,
                [*frame.canary],
                [*frame.baseline],
                {name: [*pair] for name, pair in frame.levels.items()},
            ]
            for frame in self.frames
        ]
        return {"frames": frames, "looks": self.looks, "stride": self.stride}

    @staticmethod
    def restored(state: Mapping[str, Any]) -> "Film":
        """The film that `state` was taken of."""
        frames = [
            Frame(at, harm, clearance, canary, baseline, {name: (pair[0], pair[1]) for name, pair in levels.items()})
            for at, harm, clearance, canary, baseline, levels in state["frames"]
        ]
        return Film(frames, state["looks"], state["stride"])

    def picture(self, title: str, settings: JudgeSettings) -> Picture:
        """All of it, as it shall be drawn."""
        return picture_of(
            title,
            self._readings(settings),
            [EvidenceLook(frame.at, frame.harm, frame.clearance) for frame in self.frames],
            rolls_back_at=1 / settings.alpha,
            promotes_at=1 / settings.beta,
        )

    def _readings(self, settings: JudgeSettings) -> list[Readings]:
        found = []
        if settings.errors:
            signal = settings.errors
            band = Band(signal.tolerance, signal.ruled_out, signal.floor * PERCENT, signal.ruled_out_rate * PERCENT)
            found.append(Readings(signal.name, "%", self._looks(_error_rate), band))
        if settings.latency:
            latency = settings.latency
            looks = self._looks(lambda sums: _tail(latency, sums))
            name = f"p{latency.quantile * PERCENT:g}"
            found.append(Readings(name, "ms", looks, Band(latency.tolerance, latency.ruled_out)))
        for gauge in settings.gauges:
            looks = tuple(Look(frame.at, *frame.levels.get(gauge.name, (None, None))) for frame in self.frames)
            band = Band(gauge.tolerance, gauge.ruled_out)
            found.append(Readings(gauge.name, UNITS.get(gauge.name, ""), looks, band))
        return found

    def _looks(self, figure: Figure) -> tuple[Look, ...]:
        """A figure of what happened between each two frames, on both arms."""
        return tuple(
            Look(after.at, figure(_grown(before.canary, after.canary)), figure(_grown(before.baseline, after.baseline)))
            for before, after in pairwise((_beginning(self.frames), *self.frames))
        )


def _frame(judge: Judge, verdict: Verdict, observation: Observation) -> Frame:
    sums = next((flow.gathering.totals for flow in judge.flows if flow.name == TRAFFIC), None)
    totals: list[list[float]] = [[], []] if sums is None else sums.tolist()
    asked = [signal.clearance for signal in verdict.signals if signal.clearance is not None]
    return Frame(
        at=observation.at,
        harm=min(verdict.evidence, MOST_EVIDENCE),
        clearance=min(*asked, MOST_EVIDENCE) if asked else None,
        canary=totals[0],
        baseline=totals[1],
        levels={
            gauge.name: (_level(gauge.name, observation.canary), _level(gauge.name, observation.baseline))
            for gauge in judge.settings.gauges
        },
    )


def _level(name: str, pods: Mapping[str, Sample]) -> float | None:
    levels = [sample.gauges[name] for sample in pods.values() if name in sample.gauges]
    return fmean(levels) if levels else None


def _beginning(frames: Sequence[Frame]) -> Frame:
    width = len(frames[0].canary) if frames else 0
    return Frame(0.0, 1.0, None, [0.0] * width, [0.0] * width, {})


def _grown(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [late - early for early, late in zip(before, after, strict=True)]


def _error_rate(sums: Sequence[float]) -> float | None:
    return PERCENT * sums[BAD] / sums[ALL] if sums and sums[ALL] else None


def _tail(signal: LatencySignal, sums: Sequence[float]) -> float | None:
    """The quantile in milliseconds; the last finite edge where it lies beyond it."""
    seconds = quantile(signal.bounds, sums[FIRST_BUCKET:], signal.quantile)
    return None if seconds is None else MILLISECONDS * min(seconds, signal.bounds[-2])
