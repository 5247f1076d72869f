"""What can go wrong in a rehearsal, when it does, and how a runbook must end then. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from runbooks.guards import Guard, Guarded
from runbooks.spec import Runbook

LATENCY_S = 1.2
"""How long a slow version takes to answer."""


class Scenario(StrEnum):
    """What happens to the release."""

    HEALTHY = "healthy"
    ERROR_SPIKE = "error-spike"
    SLOW = "slow"
    CRASHLOOP = "crashloop"
    NO_TRAFFIC = "no-traffic"
    PROVIDER_DOWN = "provider-down"
    APPROVAL_TIMEOUT = "approval-timeout"
    DRIFT = "drift"
    SLACK_DOWN = "slack-down"
    BOT_KILLED = "bot-killed"
    CI_RED = "ci-red"
    VULNERABLE = "vulnerable"
    UNSIGNED = "unsigned"
    FROZEN = "frozen"


ABOUT: Mapping[Scenario, str] = {
    Scenario.HEALTHY: "Nothing goes wrong.",
    Scenario.ERROR_SPIKE: "The new version answers with errors; a canary begins to do so after a while.",
    Scenario.SLOW: "The new version is slow; a canary becomes so after a while.",
    Scenario.CRASHLOOP: "The new version crashes whenever it starts.",
    Scenario.NO_TRAFFIC: "Nobody sends requests any more once the change has begun.",
    Scenario.PROVIDER_DOWN: "The metrics server goes away once the change has begun.",
    Scenario.APPROVAL_TIMEOUT: "Nobody votes.",
    Scenario.DRIFT: "Somebody sets another image by hand once the change has begun.",
    Scenario.SLACK_DOWN: "Slack goes away for ten minutes once the change has begun.",
    Scenario.BOT_KILLED: "The bot is killed again and again once the change has begun.",
    Scenario.CI_RED: "A required check of the new version's commit has failed.",
    Scenario.VULNERABLE: "A scan has found a critical vulnerability in the new version.",
    Scenario.UNSIGNED: "Nobody has signed the new version.",
    Scenario.FROZEN: "The environment is frozen when the release is asked for.",
}


class Ending(StrEnum):
    """How a rehearsal ends. `ASKED`: only people can go on, and nobody does; it is aborted then, as is one that
    is `UNFINISHED` after days. `UNPREPARED`: a release that has to come before it did not succeed."""

    SUCCEEDED = "succeeded"
    RESTORED = "restored"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABORTED = "aborted"
    REFUSED = "refused"
    ASKED = "asks people"
    UNFINISHED = "still goes on"
    UNPREPARED = "could not begin"


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a runbook decides how it must end. `judges`: by metrics, before everybody has the version. `follows`: its
    pods until they are ready. `proves`: by smoke checks that there are, or by a guard rail for errors. `times`: looks
    at the latency, as it judges or by a guard rail. `asks`: for votes. `changes`: the image. `soaks`: only what is well
    in the environment before is let in. `freezes`: a freeze holds it up, as it does all but the way back.

    `looks` are the kinds of gates that look at the evidence; `unplayed` those of which a rehearsal has none; `earlier`
    those that the version has passed in environments before."""

    judges: bool
    follows: bool
    proves: bool
    times: bool
    asks: bool
    changes: bool
    soaks: bool
    freezes: bool = False
    looks: frozenset[str] = frozenset()
    unplayed: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Demand:
    """Which endings are right, and why."""

    endings: frozenset[Ending]
    why: str


def traits(runbook: Runbook, *, smoke: bool, guards: Iterable[Guard], latency: bool, asks: bool, soaks: bool) -> Traits:
    """Read off a runbook. `smoke`: the service has smoke checks. `guards`: its guard rails. `latency`: it is judged by
    that. `asks`: its environment wants votes. `soaks`: a gate of the runbook or of the environment looks at the
    environment before."""
    kinds = {entry.kind for entry in runbook.steps}
    checked = any(entry.kind == "smoke" and (smoke or entry.params.get("checks")) for entry in runbook.steps)
    watched = [guard for guard in guards if "watch" in kinds]
    judges = bool(kinds & {"canary", "judge"})
    slow = any(guard.guarded is Guarded.LATENCY and guard.limit < LATENCY_S for guard in watched)
    return Traits(
        judges=judges,
        follows=bool(kinds & {"rollout", "canary", "promote"}),
        proves=checked or any(guard.guarded is Guarded.ERROR_RATE for guard in watched),
        times=slow or (judges and latency),
        asks=asks and "approval" in kinds,
        changes=bool(kinds & {"set_image", "canary", "promote"}),
        soaks=soaks,
    )


def demand(scenario: Scenario, has: Traits) -> Demand:
    """How a runbook with these traits must end in a scenario: the first row that fits."""
    if scenario in EVIDENCE:
        return _on_evidence(*EVIDENCE[scenario], has)
    for asked, fits, ending, why in DEMANDS:
        if asked is scenario and fits(has):
            return Demand(frozenset(ending), why)
    return Demand(frozenset({Ending.SUCCEEDED}), "nothing that this runbook looks at or needs is wrong")


def must_begin(scenario: Scenario, has: Traits) -> bool:
    """Whether there is something that the scenario can be done to. `APPROVAL_TIMEOUT` is done by doing nothing."""
    match scenario:
        case Scenario.HEALTHY | Scenario.APPROVAL_TIMEOUT:
            return False
        case Scenario.ERROR_SPIKE:
            return has.judges or has.proves
        case Scenario.SLOW:
            return has.times
        case Scenario.FROZEN:
            return has.freezes
        case Scenario.CI_RED | Scenario.VULNERABLE | Scenario.UNSIGNED:
            return EVIDENCE[scenario][0] in has.looks
        case _:
            return has.changes


def _on_evidence(gate: str, bad: str, about: str, has: Traits) -> Demand:
    """Bad evidence is refused where a gate looks at it. Where none does the release must succeed, and whoever wrote the
    runbook is told so."""
    if gate in has.looks:
        return Demand(frozenset({Ending.REFUSED}), f"{bad}, so nothing is changed")
    if gate in has.unplayed:
        why = f"its gate {gate} is left out of the rehearsal, so this tells nothing of it"
    elif gate in has.earlier:
        why = f"only an environment before looks at {about}"
    elif not has.freezes:
        why = f"gates of the target do not hold up the way back, and this runbook does not look at {about}"
    else:
        why = f"nothing of this runbook or of its target looks at {about}"
    return Demand(frozenset({Ending.SUCCEEDED}), why)


EVIDENCE: Mapping[Scenario, tuple[str, str, str]] = {
    Scenario.CI_RED: ("ci", "the CI is red", "the CI"),
    Scenario.VULNERABLE: ("vulnerabilities", "the image is vulnerable", "vulnerabilities"),
    Scenario.UNSIGNED: ("signature", "the image is not signed", "signatures"),
}
"""The gate that looks at what is bad in a scenario, what is bad, and about what that is."""

ANY_END = (Ending.RESTORED, Ending.FAILED, Ending.SUCCEEDED)
DEMANDS: tuple[tuple[Scenario, Callable[[Traits], bool], tuple[Ending, ...], str], ...] = (
    (
        Scenario.ERROR_SPIKE,
        lambda has: has.judges or has.proves,
        (Ending.RESTORED,),
        "errors are seen, so the version before comes back",
    ),
    (
        Scenario.SLOW,
        lambda has: has.times,
        (Ending.RESTORED,),
        "the latency is judged, so the version before comes back",
    ),
    (
        Scenario.CRASHLOOP,
        lambda has: has.soaks,
        (Ending.REFUSED,),
        "it crashes in the environment before, so it is not let in",
    ),
    (
        Scenario.CRASHLOOP,
        lambda has: has.follows,
        (Ending.RESTORED,),
        "its pods are followed, so the version before comes back",
    ),
    (Scenario.NO_TRAFFIC, lambda has: has.judges, (Ending.ASKED,), "nothing can be judged, so people decide"),
    (Scenario.PROVIDER_DOWN, lambda has: has.judges, (Ending.ASKED,), "nothing can be judged, so people decide"),
    (Scenario.APPROVAL_TIMEOUT, lambda has: has.asks, (Ending.EXPIRED,), "without votes nothing changes"),
    (Scenario.DRIFT, lambda has: has.changes, ANY_END, "what people set by hand stays, however the release ends"),
    (Scenario.FROZEN, lambda has: has.freezes, (Ending.REFUSED,), "it is frozen, so nothing begins"),
    (Scenario.FROZEN, lambda _: True, (Ending.SUCCEEDED,), "the way back is open in a freeze"),
)
"""By scenario and traits; the first that fits counts."""
