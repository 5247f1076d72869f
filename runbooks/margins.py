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

    A `..._tolerance` is what a canary may be worse without harm, a `..._ni` (non-inferiority) what must be ruled out.
    """

    error_tolerance: Ratio = Field(default=1.1, description="Odds ratio of errors up to which there is no harm.")
    error_ni: Ratio = Field(default=2.0, description="Odds ratio of errors that must be ruled out.")
    error_floor: Share = Field(default=1e-4, description="Rate of errors below which nothing is harm.")
    error_ni_floor: Share = Field(
        default=5e-3, description="Rate of errors to rule out where traffic cannot settle a ratio."
    )
    quantile: Annotated[float, Field(ge=0.5, le=0.999)] = Field(
        default=0.95, description="The part of the tail that promotion looks at."
    )
    latency_tolerance: Ratio = Field(default=1.05, description="Ratio of latencies up to which there is no harm.")
    latency_ni: Ratio = Field(default=1.25, description="Ratio of latencies that must be ruled out.")
    cpu_tolerance: Ratio = Field(default=1.15, description="Ratio of CPU up to which there is no harm.")
    cpu_ni: Ratio = Field(default=1.5, description="Ratio of CPU that must be ruled out.")
    alpha: Annotated[Share, Field(le=0.2)] = Field(
        default=0.01, description="The probability, at most, with which a healthy canary is rolled back."
    )
    beta: Annotated[Share, Field(le=0.2)] = Field(
        default=0.05, description="The probability, at most, with which a harmful one is promoted."
    )
    warmup: Duration = Field(default=timedelta(0), description="The time in which only errors count.")
    min_bake: Duration = Field(default=timedelta(minutes=5), description="The time before which nothing is promoted.")

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
