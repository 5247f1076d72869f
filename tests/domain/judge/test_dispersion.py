"""What is usual among pods."""

import numpy as np
import pytest

from bot.domain.judge.dispersion import Dispersion, Scatter, chi_square_quantile, student_999

PODS = ["a", "b", "c", "d"]


def test_scatter_by_chance_is_one() -> None:
    """Pods that differ as chance has it temper nothing."""
    scatter = Scatter()
    scatter.add(100.0, 100.0)
    assert scatter.phi == 1.0


def test_more_scatter_tempers_the_evidence() -> None:
    """Four times the scatter counts as more than four times, for caution."""
    scatter = Scatter()
    scatter.add(40000.0, 10000.0)
    assert scatter.phi == pytest.approx(5.5, rel=0.01)


def test_lasting_differences_widen_the_tolerance() -> None:
    """A pod that is always worse than the others proves that pods differ."""
    lasting, chance = Dispersion(), Dispersion()
    for number in range(200):
        lasting.see(PODS, np.array([3.0, -1.0, -1.0, -1.0]), np.ones(4))
        chance.see(PODS, np.roll([1.0, -1.0, 1.0, -1.0], number), np.ones(4))
    assert lasting.margin(1) > lasting.margin(3) > 1.0
    assert chance.margin(1) == 0.0


def test_two_pods_prove_nothing() -> None:
    """Below three pods there is no margin."""
    pair = Dispersion()
    pair.see(PODS[:2], np.array([50.0, -50.0]), np.ones(2))
    assert pair.margin(1) == 0.0


def test_quantiles_are_those_of_the_tables() -> None:
    """Student's at 99.9 % and chi-square's at 99 %."""
    assert [student_999(n) for n in (1, 3, 10, 1e12)] == [318.3, pytest.approx(10.21), pytest.approx(4.14), 3.09]
    assert student_999(24) == pytest.approx(3.467, abs=0.02)
    assert chi_square_quantile(10, 2.326) == pytest.approx(23.21, abs=0.1)


def test_pods_without_chance_say_nothing() -> None:
    """Where nothing could have differed, nothing was proven."""
    still = Dispersion()
    still.see(PODS, np.zeros(4), np.zeros(4))
    assert still.tau == 0.0
