"""What will happen: complete, resolved and sealed. People approve a plan, not a command."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from bot.domain.approval import ApprovalPolicy
from bot.domain.ids import StepKey, UserId
from bot.domain.image import Digest
from bot.domain.json import LATER, Json, canonical
from bot.domain.news import News
from bot.domain.target import Target, WorkloadRef
from bot.domain.traffic import Route

WATCHING = ("canary", "judge", "promote")
"""Kinds of steps that look at a canary on every pass. They hold still by themselves while their run is paused."""


class Verb(StrEnum):
    """What starts a run."""

    DEPLOY = "deploy"
    CANARY = "canary"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, understood but not yet resolved.

    `ref` is a tag, a commit or a digest as typed; for a rollback it may be empty: the last known good. `runbook` is
    empty for the target's own. `not_before` delays the start (`--at`). `channel` is where it was asked. `origin` is the
    environment whose artifact a promotion carries; empty for everything else. `exempt` is why a freeze of the
    environment shall not hold it up; empty: it shall.
    """

    verb: Verb
    target: Target
    ref: str
    requester: UserId
    reason: str = ""
    runbook: str = ""
    channel: str = ""
    not_before: datetime | None = None
    break_glass: bool = False
    origin: str = ""
    exempt: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What will run.

    `image` is the full reference with digest; `ref` what was typed; `commit` the image's own label, if any.
    """

    image: str
    digest: Digest
    ref: str
    commit: str = ""
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Previous:
    """What runs now, and what failure restores. `since` and `healthy` are `None` where nobody recorded them.

    `history` are the healthy images before it, newest first, as the workload itself remembers them.
    """

    image: str
    ref: str
    since: datetime | None = None
    healthy: bool | None = None
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunbookPin:
    """Which runbook, and the SHA-256 of its text: an edited runbook is another plan."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step or gate with everything looked up. `changes`: whether it may alter something people use. `standing`: a
    gate that is asked again right before the first change."""

    key: StepKey
    kind: str
    params: Mapping[str, Json]
    deadline: timedelta
    changes: bool = False
    standing: bool = field(default=False, metadata=LATER)


@dataclass(frozen=True)  # no slots: the seal is worked out once and kept
class Plan:
    """A run's whole intention.

    `live_template` is the SHA-256 of the workload's pod template when this was planned: if it differs later, somebody
    else changed the workload; `live_mark` names the run that had marked it. `approval` is `None` where nobody needs to
    be asked. `notes` are risks that people should see before they say yes. `traffic` is the way of requests that a
    canary divides, `signals` what is measured of it, every query resolved; neither where the runbook has no canary.
    `exempt` is the reason for which a freeze of the environment does not hold it up; people vote on it too. `news` is
    what lies between the two versions; `None` where nobody could tell.
    """

    verb: Verb
    target: Target
    workload: WorkloadRef
    protected: bool
    artifact: Artifact
    previous: Previous | None
    live_template: str
    live_mark: str
    runbook: RunbookPin
    gates: tuple[PlannedStep, ...]
    steps: tuple[PlannedStep, ...]
    on_failure: tuple[PlannedStep, ...]
    approval: ApprovalPolicy | None
    requester: UserId
    channel: str
    reason: str = ""
    notes: tuple[str, ...] = field(default=())
    traffic: Route | None = None
    signals: Mapping[str, Json] = field(default_factory=dict)
    exempt: str = field(default="", metadata=LATER)
    news: News | None = field(default=None, metadata=LATER)

    @cached_property
    def sha256(self) -> str:
        """The seal: SHA-256 over the plan's canonical JSON, in hexadecimal."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()

    @property
    def is_way_back(self) -> bool:
        """Whether nothing but a rollback is planned."""
        return goes_back(self.verb, self.runbook.name)

    @property
    def seal(self) -> str:
        """The seal as people read it: `3f9a-c21e`."""
        return f"{self.sha256[:4]}-{self.sha256[4:8]}"

    @property
    def restores(self) -> bool:
        """Whether failure brings the previous version back by itself."""
        return self.previous is not None and any(step.kind == "restore" for step in self.on_failure)


def goes_back(verb: Verb, runbook: str) -> bool:
    """Whether this is a rollback by the runbook of that name: no other runbook is known to do nothing but go back,
    whatever it was called for."""
    return verb is Verb.ROLLBACK and runbook == Verb.ROLLBACK
