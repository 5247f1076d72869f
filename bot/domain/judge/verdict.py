"""What the judge says."""

from dataclasses import dataclass
from enum import StrEnum


class Call(StrEnum):
    """Roll back, promote, look again; and at the end: too little to tell, or nothing to see at all."""

    FAIL = "fail"
    PASS = "pass"
    CONTINUE = "continue"
    INCONCLUSIVE = "inconclusive"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class SignalVerdict:
    """One signal's part. `evidence` is an e-value of harm; `clearance` one against the harm that promotion rules out,
    `None` where pods do not show the signal and promotion does not wait for it. PASS: the harm is ruled out; FAIL: this
    signal alone is enough to roll back."""

    name: str
    call: Call
    evidence: float
    clearance: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look says. `evidence` of all signals together rolls back at 1/alpha. `at` is the last scrape in seconds
    since the canary has traffic, `None` before the first."""

    call: Call
    at: float | None
    evidence: float
    signals: tuple[SignalVerdict, ...]
