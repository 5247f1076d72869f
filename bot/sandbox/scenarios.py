"""What can go wrong in a rehearsal, when it does, and how a runbook must end then. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from runbooks.spec import Runbook


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
}


class Ending(StrEnum):
    """How a rehearsal ends. `ASKED`: only people can go on, and nobody does; it is aborted then."""

    SUCCEEDED = "succeeded"
    RESTORED = "restored"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABORTED = "aborted"
    REFUSED = "refused"
    ASKED = "asks people"


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a runbook decides how it must end. `judges`: by metrics, before everybody has the version. `follows`: its
    pods until they are ready. `proves`: by smoke checks that there are. `asks`: for votes. `changes`: the image."""

    judges: bool
    follows: bool
    proves: bool
    asks: bool
    changes: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """Which endings are right, and why."""

    endings: frozenset[Ending]
    why: str


def traits(runbook: Runbook, *, smoke: bool, asks: bool) -> Traits:
    """Read off a runbook. `smoke`: the service has smoke checks. `asks`: its environment wants votes."""
    kinds = {entry.kind for entry in runbook.steps}
    return Traits(
        judges=bool(kinds & {"canary", "judge"}),
        follows=bool(kinds & {"rollout", "canary", "promote"}),
        proves=smoke and "smoke" in kinds,
        asks=asks,
        changes=bool(kinds & {"set_image", "canary", "promote"}),
    )


def demand(scenario: Scenario, has: Traits) -> Demand:
    """How a runbook with these traits must end in a scenario."""
    match scenario:
        case Scenario.ERROR_SPIKE if has.judges or has.proves:
            return Demand(frozenset({Ending.RESTORED}), "errors are seen, so the version before comes back")
        case Scenario.SLOW if has.judges:
            return Demand(frozenset({Ending.RESTORED}), "the latency is judged, so the version before comes back")
        case Scenario.CRASHLOOP if has.follows:
            return Demand(frozenset({Ending.RESTORED}), "its pods are followed, so the version before comes back")
        case Scenario.NO_TRAFFIC | Scenario.PROVIDER_DOWN if has.judges:
            return Demand(frozenset({Ending.ASKED}), "nothing can be judged, so people decide")
        case Scenario.APPROVAL_TIMEOUT if has.asks:
            return Demand(frozenset({Ending.EXPIRED}), "without votes nothing changes")
        case Scenario.DRIFT if has.changes:
            endings = {Ending.RESTORED, Ending.FAILED, Ending.SUCCEEDED}
            return Demand(frozenset(endings), "what people set by hand stays, however the release ends")
        case Scenario.ERROR_SPIKE | Scenario.SLOW | Scenario.CRASHLOOP:
            return Demand(frozenset({Ending.SUCCEEDED}), "this runbook looks at nothing that shows it")
        case _:
            return Demand(frozenset({Ending.SUCCEEDED}), "nothing that this runbook needs is missing")
