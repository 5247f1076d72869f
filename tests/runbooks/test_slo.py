"""`slo:` of a service, as people write it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from runbooks.slo import Slo
from runbooks.source import Faults
from tests.runbooks.catalogues import CATALOGUE, a_catalogue

METRICS = "metrics: {main: {prometheus: {url: http://prometheus.test}}}\n"
SIGNALS = "    container: api\n    signals: http\n"


def with_slo(slo: str, *, signals: bool = True) -> str:
    """The catalogue with this promise of api."""
    lines = (SIGNALS if signals else "    container: api\n") + f"    slo: {slo}\n"
    return METRICS + CATALOGUE.replace("    container: api\n", lines)


@pytest.mark.parametrize(
    ("written", "allowed"), [("99.9%", 0.001), ("99.95 %", 0.0005), ("99.999%", 0.00001), ("95%", 0.05)]
)
def test_what_is_promised_is_exact(written: str, allowed: float) -> None:
    """Not by a float's trifle more."""
    assert Slo.model_validate({"availability": written}).allowed == allowed


def test_thirty_days_are_usual() -> None:
    """As the workbook has it; and what is sealed can be read back."""
    slo = Slo.model_validate({"availability": "99.9%"})
    assert (slo.availability, slo.window, str(slo)) == (Decimal("99.9"), timedelta(days=30), "99.9%")
    assert slo.model_dump(mode="json") == {"availability": "99.9%", "window": "30d"}
    assert Slo.model_validate(slo.model_dump(mode="json")) == slo


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"availability": 99.9}, "'99.9' is not a share; write per cent from 0% to 100%"),
        ({"availability": "99.9"}, "'99.9' is not a share; write per cent from 0% to 100%"),
        ({"availability": "three nines"}, "'three nines' is not a share"),
        ({"availability": "NaN%"}, "'NaN%' is not a share"),
        ({"availability": "-1%"}, "'-1%' is not a share"),
        ({"availability": "101%"}, "'101%' is not a share"),
        ({"availability": "100%"}, "100% leaves no budget for any failure; write what is promised, such as 99.9%"),
        ({"availability": "90%"}, "below 94% even an outage burns the budget less than 14.4 times as fast"),
        ({"availability": "99.9%", "window": "6h"}, "greater than or equal to 1 day"),
        ({"availability": "99.9%", "window": "91d"}, "less than or equal to 90 days"),
        ({"window": "30d"}, "Field required"),
    ],
)
def test_a_promise_that_cannot_be_judged_is_refused(written: dict[str, object], said: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as caught:
        Slo.model_validate(written)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ("{availability: 99.9%, windows: 7d}", "services.api.slo has no key 'windows'; did you mean 'window'?"),
        ("{availability: 100%}", "services.api.slo.availability: 100% leaves no budget"),
    ],
)
def test_faults_are_told_at_their_line(slo: str, said: str) -> None:
    """As all of the catalogue's."""
    with pytest.raises(Faults) as caught:
        a_catalogue(with_slo(slo))
    assert said in str(caught.value)
    assert "sluice.yaml:23:" in str(caught.value)


def test_a_promise_that_nothing_measures_is_a_fault() -> None:
    """With the line to add."""
    with pytest.raises(Faults, match="'slo' is measured by 'signals', and there are none; add 'signals: http'"):
        a_catalogue(with_slo("{availability: 99.9%}", signals=False))
