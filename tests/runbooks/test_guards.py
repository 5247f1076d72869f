"""Guard rails as people write them."""

import pytest

from runbooks.guards import Guard, Guarded, parse


@pytest.mark.parametrize(
    ("written", "guarded", "limit", "quantile"),
    [
        ("error_rate < 1%", Guarded.ERROR_RATE, 0.01, None),
        ("error_rate<0.005", Guarded.ERROR_RATE, 0.005, None),
        ("p95 < 300ms", Guarded.LATENCY, 0.3, 0.95),
        ("p99.9 <= 1.5s", Guarded.LATENCY, 1.5, 0.999),
        ("p50<2s", Guarded.LATENCY, 2.0, 0.5),
        ("cpu < 80%", Guarded.CPU_SHARE, 0.8, None),
        ("cpu < 120%", Guarded.CPU_SHARE, 1.2, None),
        ("cpu < 1.5", Guarded.CPU_CORES, 1.5, None),
        ("  cpu < 500m ", Guarded.CPU_CORES, 0.5, None),
    ],
)
def test_a_guard_is_read(written: str, guarded: Guarded, limit: float, quantile: float | None) -> None:
    """Limits come in base units: shares, seconds, cores."""
    guard = parse(written)
    assert (guard.guarded, guard.limit, guard.quantile) == (
        guarded,
        pytest.approx(limit),
        quantile and pytest.approx(quantile),
    )


def test_a_guard_is_read_aloud_in_one_form() -> None:
    """However many spaces were written; what is read already stays."""
    guard = parse(" p95<  300ms")
    assert guard.text == "p95 < 300ms"
    assert parse(guard.text) == parse(guard) == guard == Guard(Guarded.LATENCY, 0.3, 0.95, "p95 < 300ms")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("errors are few", "'errors are few' is not a guard rail; write it like \"error_rate < 1%\""),
        ("p95 > 300ms", "'p95 > 300ms' is not a guard rail"),
        (5, "'5' is not a guard rail"),
        ("eror_rate < 1%", "'eror_rate < 1%' guards nothing that is known; did you mean 'error_rate'?"),
        ("latency < 1s", "'latency < 1s' guards nothing that is known; known: cpu, error_rate, p50, p95, p99"),
        ("p95 < 300", "'p95 < 300' needs a time, such as 300ms or 1.5s"),
        ("p95 < 3%", "'p95 < 3%' needs a time"),
        ("p0 < 3s", "'p0 < 3s' names no quantile; use p50 to p99.9"),
        ("error_rate < 300ms", "'error_rate < 300ms' needs a share below 100 %, such as 1% or 0.01"),
        ("error_rate < 1", "'error_rate < 1' needs a share below 100 %"),
        ("error_rate < 0%", "'error_rate < 0%' would never hold; the limit must be above 0"),
        ("cpu < 0", "'cpu < 0' would never hold"),
        ("cpu < 3s", "'cpu < 3s' needs a share of the container's limit, such as 80%, or cores"),
    ],
)
def test_a_slip_is_answered_with_what_to_write(written: object, said: str) -> None:
    """A guard that nobody understands guards nothing."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        parse(written)
    assert said in str(caught.value)
