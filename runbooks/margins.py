"""How much worse a canary may be: the judge's margins, as the catalogue writes them for a service."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from runbooks.durations import Duration
from runbooks.parts import Part


def share(value: object) -> object:
    """A share as people write it: `0.5%` is 0.005; a number passes through. Raises ValueError."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip().removesuffix("%")) / 100
        except ValueError:
            raise ValueError(f"'{value}' is not a share; write it like 0.5% or 0.005") from None
    return value


Share = Annotated[float, BeforeValidator(share), Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(ge=1, le=100)]


class Margins(Part):
    """What counts as harm, and what must be ruled out before promotion; the presets were found by simulation.

    A `..._tolerance` is what a canary may be worse without harm, a `..._ni` (non-inferiority) what must be ruled out:
    odds ratios for errors, ratios for latency and CPU. `error_floor` is the rate of errors below which nothing is
    harm, `error_ni_floor` the rate to rule out where traffic cannot settle a ratio. `quantile` is the part of the tail
    that promotion looks at. A healthy canary is rolled back with probability `alpha` at most, a harmful one promoted
    with `beta` at most. During `warmup` only errors count; nothing is promoted before `min_bake`.
    """

    error_tolerance: Ratio = 1.1
    error_ni: Ratio = 2.0
    error_floor: Share = 1e-4
    error_ni_floor: Share = 5e-3
    quantile: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    latency_tolerance: Ratio = 1.05
    latency_ni: Ratio = 1.25
    cpu_tolerance: Ratio = 1.15
    cpu_ni: Ratio = 1.5
    alpha: Annotated[Share, Field(le=0.2)] = 0.01
    beta: Annotated[Share, Field(le=0.2)] = 0.05
    warmup: Duration = timedelta(0)
    min_bake: Duration = timedelta(minutes=5)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for signal, tolerance, ruled_out in (
            ("error", self.error_tolerance, self.error_ni),
            ("latency", self.latency_tolerance, self.latency_ni),
            ("cpu", self.cpu_tolerance, self.cpu_ni),
        ):
            if tolerance >= ruled_out:
                raise ValueError(
                    f"'{signal}_tolerance' ({tolerance:g}) must be below '{signal}_ni' ({ruled_out:g}): what is"
                    " tolerated cannot be ruled out"
                )
        if self.error_floor >= self.error_ni_floor:
            raise ValueError(
                f"'error_floor' ({self.error_floor:g}) must be below 'error_ni_floor' ({self.error_ni_floor:g})"
            )
        return self
