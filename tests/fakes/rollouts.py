"""How an imagined workload's pods come and go as time passes. Pure but for the workload's own bookkeeping.

One pod after another is made and becomes ready, `rollout_s` for all of them; an old one ends when a new one is ready.
Words in the image's tag decide what goes wrong, as they do on the real servers that the contract suite uses.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.json import canonical
from bot.domain.target import WorkloadRef
from bot.ports.cluster import Fault, FaultKind

SLOW_S = 15.0
BAD_WORDS = frozenset({"crash", "oom", "badpull", "notready"})
WORDS = BAD_WORDS | {"slow", "jobfail"}

SAID = {
    "crash": (FaultKind.CRASH_LOOP, "container {container} exited with 1, restarted 2 times"),
    "oom": (FaultKind.OOM_KILLED, "container {container} killed for using more memory than its limit"),
    "badpull": (FaultKind.IMAGE_PULL, 'Back-off pulling image "{image}"'),
    "notready": (FaultKind.NOT_READY, "container {container} runs and is not ready"),
}


def words(image: str) -> frozenset[str]:
    """The behaviours that an image's tag asks for."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return frozenset(re.split(r"[^a-z0-9]+", tag)) & WORDS


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods at one moment. `fault` is what keeps the newest from being ready."""

    updated: int
    ready: int
    old: int
    fault: Fault | None = None


@dataclass(slots=True)
class FakeWorkload:
    """One workload. At `since`, `made` and `ready` are pods of this template, `before` ready ones of earlier ones."""

    ref: WorkloadRef
    containers: dict[str, str]
    replicas: int
    rollout_s: float
    since: datetime
    number: int
    owner: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    generation: int = 1
    version: int = 1
    paused: bool = False
    cpu_cores: float | None = None
    behaviour: str | None = None
    made: int = 0
    ready: int = 0
    before: dict[str, int] = field(default_factory=dict)

    @property
    def template_sha256(self) -> str:
        """What the pods are made from."""
        return hashlib.sha256(canonical([self.containers, self.environment]).encode()).hexdigest()

    @property
    def bad_container(self) -> tuple[str, str]:
        """The container that goes wrong, if one does, and its word; the first one and no word otherwise."""
        for name, image in self.containers.items():
            asked = frozenset({self.behaviour}) if self.behaviour else words(image)
            if bad := sorted(asked & BAD_WORDS):
                return name, bad[0]
        return next(iter(self.containers)), ""

    def pod_name(self, number: int = 1) -> str:
        """The name of a pod of the newest template."""
        return f"{self.ref.name}-{self.template_sha256[:8]}-{number}"

    def pods(self, now: datetime, ready_within_s: float = 25.0) -> Pods:
        """The pods at `now`."""
        elapsed_s, container_word = (now - self.since).total_seconds(), self.bad_container
        before = sum(self.before.values())
        if self.paused:
            return Pods(self.made, self.ready, before)
        if container_word[1] and self.replicas:
            updated = max(self.made, 1)
            return Pods(updated, 0, before, self._fault(elapsed_s, ready_within_s))
        ready = min(self.replicas, self.ready + self._steps(elapsed_s))
        # The pod that is already there still takes a moment until the last old one has gone.
        old = min(before, self.replicas - ready) if self._steps(elapsed_s) else before
        return Pods(max(self.made, min(self.replicas, ready + 1)), ready, old)

    def _steps(self, elapsed_s: float) -> int:
        slow = any("slow" in words(image) for image in self.containers.values())
        each_s = self.rollout_s / max(1, self.replicas)
        return max(0, int((elapsed_s - (SLOW_S if slow else 0)) // each_s)) if each_s else self.replicas

    def _fault(self, elapsed_s: float, ready_within_s: float) -> Fault | None:
        container, word = self.bad_container
        shown_after_s = ready_within_s if word == "notready" else self.rollout_s / max(1, self.replicas)
        hopeless = elapsed_s > shown_after_s
        if not hopeless and word != "badpull":
            return None
        kind, said = SAID[word]
        message = said.format(container=container, image=self.containers[container])
        shown_at = self.since + timedelta(seconds=shown_after_s)
        return Fault(kind, message, self.pod_name(), container, since=shown_at if hopeless else None, hopeless=hopeless)

    def settle_into(self, now: datetime) -> None:
        """Write down where the pods are, so that what comes next starts from there."""
        seen = self.pods(now)
        self.made, self.ready, self.since = seen.updated, seen.ready, now
        surplus = sum(self.before.values()) - seen.old
        for template in list(self.before):
            gone = min(surplus, self.before[template])
            self.before[template] -= gone
            surplus -= gone

    def scale(self, now: datetime, replicas: int) -> None:
        """Another number of pods: surplus ones end at once, missing ones come one after another."""
        self.settle_into(now)
        self.replicas = replicas
        self.made, self.ready = min(self.made, replicas), min(self.ready, replicas)

    def change(self, now: datetime, containers: dict[str, str], environment: dict[str, str]) -> None:
        """Another template: the pods of this one become old ones, those of an earlier one may still be there."""
        self.settle_into(now)
        former = self.template_sha256
        self.containers, self.environment = containers, environment
        if self.template_sha256 != former:
            self.before[former] = self.ready
            self.behaviour = None
            self.ready = self.made = self.before.pop(self.template_sha256, 0)
