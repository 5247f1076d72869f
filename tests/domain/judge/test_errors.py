"""Bad ones out of all."""

import math

import numpy as np
import pytest

from bot.domain.judge.bets import log_ratios
from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.errors import CountsJudge
from bot.domain.judge.samples import Increments
from bot.domain.judge.settings import CountsSignal
from tests.domain.judge.canaries import some_settings

PODS = [f"stable-{number}" for number in range(6)]


def judge_of(*blocks: tuple[int, int, int, int], clumps: bool = False) -> CountsJudge:
    """After blocks of canary, bad on it, baseline, bad on it; with `clumps` the baseline had shown that it has them."""
    judge = CountsJudge(CountsSignal(), some_settings())
    for number in range(40 if clumps else 0):
        bad = np.where(np.arange(6) == number % 6, 60.0, 0.0)
        rows = np.column_stack((np.full(6, 100.0), bad))
        judge.learn(15.0 * (number - 40), Increments(PODS, rows, rows.sum(axis=0)))
    for number, (canary, bad, baseline, bad_there) in enumerate(blocks):
        block = Block(np.array([canary, bad], float), np.array([baseline, bad_there], float), 0.0)
        moment = Moment(15.0 * (number + 1), is_warm=False, canary_pods=1)
        judge.judge(moment, block, *log_ratios([judge.ask(moment, block)]))
    return judge


def test_more_errors_than_the_baseline_are_evidence() -> None:
    """Ten times as many, in a few blocks."""
    assert judge_of(*[(100, 5, 900, 5)] * 3).evidence > 100


def test_as_many_errors_are_none() -> None:
    """The evidence falls below 1."""
    assert judge_of(*[(100, 5, 900, 45)] * 5).evidence < 1


def test_a_ratio_of_almost_nothing_is_no_harm() -> None:
    """Ten times the baseline's errors, at one in a hundred thousand: below the floor."""
    blocks = [(400_000, 4, 3_600_000, 4)] * 20
    assert judge_of(*blocks).evidence < 3


def test_one_block_is_never_enough() -> None:
    """Whatever happened in it, it multiplies the evidence by e^4 at most."""
    assert judge_of((100, 100, 900, 0)).evidence <= math.exp(4)


def test_clumps_need_more_to_convince() -> None:
    """Where the baseline's errors come in clumps, a clump on the canary is less of a surprise."""
    blocks = [(100, 20, 900, 20)] * 2
    assert judge_of(*blocks, clumps=True).evidence < judge_of(*blocks).evidence
    assert judge_of(*[(100, 60, 900, 6)] * 60, clumps=True).evidence > 100


def test_equal_errors_clear_it() -> None:
    """A doubling is ruled out by as many errors as the baseline has."""
    assert judge_of(*[(100, 2, 900, 18)] * 40).clearance > 20


def test_no_errors_clear_it_by_the_rate() -> None:
    """Where there is next to nothing to compare, a rate below half a percent is ruled out."""
    assert judge_of(*[(100, 0, 900, 0)] * 15).clearance > 20


def test_a_doubling_is_not_cleared() -> None:
    """What is to be ruled out is there."""
    assert judge_of(*[(100, 4, 900, 18)] * 40).clearance < 1


@pytest.mark.parametrize("n_c", [0, 50])
def test_without_errors_nothing_relative_is_learnt(n_c: int) -> None:
    """No bad ones, no bets on where they fall."""
    assert judge_of((n_c, 0, 900, 0)).evidence <= 1.0
