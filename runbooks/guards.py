"""Guard rails: limits that hold whatever the baseline does, written like `error_rate < 1%`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from runbooks.source import did_you_mean

WRITTEN = re.compile(r"\s*([a-z_]+|p\d{1,2}(?:\.\d+)?)\s*(<=?)\s*(\d+(?:\.\d+)?)\s*([a-z%]*)\s*")
QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
SECONDS = {"ms": 0.001, "s": 1.0}
CORES = {"": 1.0, "m": 0.001}
KNOWN = ("cpu", "error_rate", "p50", "p95", "p99")
LIKE = 'write it like "error_rate < 1%", "p95 < 300ms" or "cpu < 80%"'


class Guarded(StrEnum):
    """What a guard rail limits, and so the unit of its limit."""

    ERROR_RATE = "error_rate"
    """Failed requests of all, 0 to 1."""

    LATENCY = "latency"
    """A quantile of durations, in seconds."""

    CPU_SHARE = "cpu_share"
    """CPU of what the container may use, 0 to 1 and above."""

    CPU_CORES = "cpu_cores"
    """CPU in cores, per pod."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard rail: what is guarded must stay below `limit`. `quantile` is set for latency alone; `text` is the
    guard as people read it."""

    guarded: Guarded
    limit: float
    quantile: float | None
    text: str


def parse(value: object) -> Guard:
    """Read a guard; a `Guard` passes through. Raises ValueError with what to write instead."""
    if isinstance(value, Guard):
        return value
    read = WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if read is None:
        raise ValueError(f"'{value}' is not a guard rail; {LIKE}")
    what, sign, number, unit = read.groups()
    text = f"{what} {sign} {number}{unit}"
    quantile = QUANTILE.fullmatch(what)
    if quantile:
        return Guard(Guarded.LATENCY, _latency(float(number), unit, text), _quantile(float(quantile[1]), text), text)
    if what == "error_rate":
        return Guard(Guarded.ERROR_RATE, _error_rate(float(number), unit, text), None, text)
    if what == "cpu":
        return _cpu(float(number), unit, text)
    raise ValueError(f"'{text}' guards nothing that is known; {did_you_mean(what, KNOWN)}")


def _quantile(percent: float, text: str) -> float:
    if percent <= 0:
        raise ValueError(f"'{text}' names no quantile; use p50 to p99.9")
    return percent / 100


def _latency(number: float, unit: str, text: str) -> float:
    if unit not in SECONDS:
        raise ValueError(f"'{text}' needs a time, such as 300ms or 1.5s")
    return _above_nothing(number * SECONDS[unit], text)


def _error_rate(number: float, unit: str, text: str) -> float:
    rate = number / 100 if unit == "%" else number
    if unit not in ("", "%") or rate >= 1:
        raise ValueError(f"'{text}' needs a share below 100 %, such as 1% or 0.01")
    return _above_nothing(rate, text)


def _cpu(number: float, unit: str, text: str) -> Guard:
    if unit == "%":
        return Guard(Guarded.CPU_SHARE, _above_nothing(number / 100, text), None, text)
    if unit not in CORES:
        raise ValueError(f"'{text}' needs a share of the container's limit, such as 80%, or cores, such as 1.5 or 500m")
    return Guard(Guarded.CPU_CORES, _above_nothing(number * CORES[unit], text), None, text)


def _above_nothing(limit: float, text: str) -> float:
    if limit <= 0:
        raise ValueError(f"'{text}' would never hold; the limit must be above 0")
    return limit


GuardRail = Annotated[Guard, BeforeValidator(parse), PlainSerializer(lambda guard: guard.text, return_type=str)]
"""A field that is written as a guard rail, and dumped as one."""
