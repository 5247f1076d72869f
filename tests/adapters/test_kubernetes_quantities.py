"""Amounts as Kubernetes writes them."""

import pytest

from bot.adapters.kubernetes_quantities import amount


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("500m", 0.5),
        ("2", 2.0),
        (2, 2.0),
        (0.5, 0.5),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1500m", 1.5),
        ("100u", 0.0001),
        ("250000000n", 0.25),
        ("1k", 1000.0),
        ("1e3", 1000.0),
        ("5E-1", 0.5),
        ("1E", 1e18),
        ("64Mi", 64.0 * 1024 * 1024),
        ("0", 0.0),
    ],
)
def test_an_amount_is_read_as_the_api_server_reads_it(written: object, meant: float) -> None:
    """Decimal and binary suffixes, exponents, plain numbers."""
    assert amount(written) == meant


@pytest.mark.parametrize("written", ["", "m", "500 m", "half", "1mm", "1,5", "0x2"])
def test_anything_else_is_refused(written: str) -> None:
    """With an example of what would do."""
    with pytest.raises(ValueError, match="is not an amount such as 500m"):
        amount(written)
