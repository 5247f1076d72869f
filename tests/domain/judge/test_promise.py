"""The promise, by simulation: healthy canaries are not blamed, however often one looks."""

import math
from statistics import fmean

import numpy as np
import pytest

from benchmarks.judge.replay import observation_of, settings_of
from benchmarks.judge.streams import Kind, recording
from bot.domain.judge.bets import log_ratios
from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.errors import CountsJudge
from bot.domain.judge.judge import Judge
from bot.domain.judge.settings import CountsSignal
from tests.domain.judge.canaries import some_settings

BLOCKS, RUNS = 60, 300


def test_evidence_at_the_limit_of_tolerance_does_not_grow() -> None:
    """At an odds ratio of exactly 1.1 the mean evidence after 60 blocks is at most 1, but for the luck of 300 runs."""
    rng = np.random.default_rng(11)
    rate, worse = 0.02, 0.02 * 1.1 / (0.98 + 0.02 * 1.1)
    ends, highest = [], []
    for _ in range(RUNS):
        judge = CountsJudge(CountsSignal(), some_settings())
        values = []
        for number in range(BLOCKS):
            counts = [(100, rng.binomial(100, worse)), (900, rng.binomial(900, rate))]
            block = Block(*(np.array(arm, float) for arm in counts), since=number)
            moment = Moment(15.0 * (number + 1), is_warm=False, canary_pods=1)
            judge.judge(moment, block, *log_ratios([judge.ask(moment, block)]))
            values.append(judge.evidence)
        ends.append(values[-1])
        highest.append(max(values))
    assert fmean(ends) < 1.5
    assert sum(value >= 100 for value in highest) <= 3 + 3 * math.sqrt(3)


@pytest.mark.parametrize(
    "kind", [Kind("healthy, 30/s", 30.0), Kind("healthy, 300/s", 300.0, 0.5)], ids=lambda k: k.name
)
def test_the_evidence_against_healthy_canaries_stays_small(kind: Kind) -> None:
    """The mean over 25 canaries is at most about 1 at every time that is looked at."""
    seen = []
    for seed in range(25):
        judge = Judge(settings_of(kind.config()))
        seen.append([judge.see(observation_of(each)).evidence for each in recording(kind, seed)[::2]])
    assert max(fmean(column) for column in zip(*seen, strict=True)) < 2.0
