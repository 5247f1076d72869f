"""What may be configured."""

import math

import pytest

from bot.domain.errors import UsageError
from bot.domain.judge.settings import CountsSignal, GaugeSignal, LatencySignal
from tests.domain.judge.canaries import some_settings


def test_weights_are_proportions() -> None:
    """What is not judged leaves its weight to the others."""
    assert some_settings().weights == {"errors": 0.5, "latency": 0.4, "cpu": 0.1}
    assert some_settings(latency=None, gauges=()).weights == {"errors": 1.0}
    jobs = CountsSignal("job failures", of="jobs", weight=0.5)
    assert some_settings(latency=None, gauges=(), counts=(jobs,)).weights == {"errors": 0.5, "job failures": 0.5}


def test_all_faults_are_told_at_once() -> None:
    """Whoever mends one does not have to come back for the next."""
    with pytest.raises(UsageError, match=r"share must be between 0 and 1.*; errors: weight must be above 0; leave"):
        some_settings(share=1.0, errors=CountsSignal(weight=0.0))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"errors": None, "latency": None, "gauges": ()}, "there is no signal to judge"),
        ({"gauges": (GaugeSignal(), GaugeSignal())}, "two signals have the same name"),
        ({"scrape_interval": 0.0}, "scrape_interval must be above 0 s"),
        ({"horizon": 1.0}, "horizon must be at least one scrape_interval"),
        ({"alpha": 0.0}, "alpha must be between 0 and 1, as in 0.01"),
        ({"beta": 1.0}, "beta must be between 0 and 1, as in 0.05"),
        ({"suspicion": 200.0}, "suspicion must be between 1 and 1/alpha"),
        ({"warmup": -1.0}, "times must not be negative"),
        ({"patience": 0.0}, "patience must be above 0 s"),
        ({"errors": CountsSignal(ruled_out=1.05)}, "errors: tolerance must be at least 1 and below ruled_out"),
        ({"errors": CountsSignal(floor=0.1)}, "errors: it must be that 0 < floor < ruled_out_rate < 1"),
        ({"latency": LatencySignal((0.1, 0.2))}, "latency: at least 3 bounds are needed, the last one infinite"),
        ({"latency": LatencySignal((0.2, 0.1, math.inf))}, "latency: bounds must be above 0 s and rise"),
        ({"latency": LatencySignal((0.1, 0.2, math.inf), quantile=95)}, "latency: quantile must be between 0 and 1"),
        ({"gauges": (GaugeSignal(offset=-1.0),)}, "cpu: offset must not be negative"),
    ],
)
def test_every_fault_has_its_sentence(changed: dict[str, object], fault: str) -> None:
    """A person reads what is wrong and what would be right."""
    with pytest.raises(UsageError) as caught:
        some_settings(**changed)
    assert fault in str(caught.value)
