"""A recorded canary, replayed through the product's judge."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation, Sample
from bot.domain.judge.settings import CountsSignal, GaugeSignal, JudgeSettings, LatencySignal
from bot.domain.judge.verdict import Call

Recorded = Mapping[str, Any]


def judge(observations: Sequence[Recorded], config: Recorded) -> tuple[str, int]:
    """Verdict ("FAIL", "PASS" or "INCONCLUSIVE") and the index of the observation that decided, or of the last one."""
    one = Judge(settings_of(config))
    for index, recorded in enumerate(observations):
        call = one.see(observation_of(recorded)).call
        if call in {Call.FAIL, Call.PASS}:
            return call.upper(), index
    return "INCONCLUSIVE", len(observations) - 1


def settings_of(config: Recorded) -> JudgeSettings:
    """The judge's settings from a recorded canary's; what is missing is as preset."""
    return JudgeSettings(
        scrape_interval=config["scrape_interval"],
        horizon=config["horizon"],
        share=config["weight"],
        errors=CountsSignal(**_renamed(config, ERRORS)),
        latency=LatencySignal(tuple(float(b) for b in config["bounds"]), **_renamed(config, LATENCY)),
        gauges=(GaugeSignal(**_renamed(config, CPU)),),
        **{name: config[name] for name in ("warmup", "alpha", "beta", "min_bake") if name in config},
    )


ERRORS = {
    "error_tolerance": "tolerance",
    "error_ni": "ruled_out",
    "error_floor": "floor",
    "error_ni_floor": "ruled_out_rate",
}
LATENCY = {"latency_quantile": "quantile", "latency_tolerance": "tolerance", "latency_ni": "ruled_out"}
CPU = {"cpu_tolerance": "tolerance", "cpu_ni": "ruled_out"}


def _renamed(config: Recorded, names: Mapping[str, str]) -> dict[str, float]:
    return {ours: config[theirs] for theirs, ours in names.items() if theirs in config}


def observation_of(recorded: Recorded) -> Observation:
    """One recorded scrape."""
    return Observation(recorded["t"], _samples(recorded["canary"]), _samples(recorded["baseline"]))


def _samples(pods: Mapping[str, Recorded]) -> dict[str, Sample]:
    return {pod: _sample(shown) for pod, shown in pods.items()}


def _sample(shown: Recorded) -> Sample:
    cpu = shown["cpu"]
    gauges = {} if cpu is None or not math.isfinite(cpu) else {"cpu": cpu}
    return Sample(shown["requests"], shown["errors"], shown["buckets"], gauges)
