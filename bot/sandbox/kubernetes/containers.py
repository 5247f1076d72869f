"""One container's life: pulled, started, ready, ended, started again."""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.sandbox.kubernetes.behaviours import Behaviours, Durations
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.timeline import Timeline, stamped

LOG_LINES = 200
FORGIVEN_AFTER = timedelta(minutes=10)
"""A container that has run for so long begins anew with the shortest back-off (the kubelet's rule)."""

ZERO = timedelta()


class Host(Protocol):
    """The pod around a container."""

    name: str
    uid: str
    namespace: str
    alive: bool

    def publish(self) -> None:
        """The container's state has changed."""
        ...

    def tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Make an Event of the pod."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """What containers run on. `digest_of` knows an image's digest; `None`: there is no such image."""

    timeline: Timeline
    durations: Durations
    behaviours: Behaviours
    digest_of: Callable[[str], str | None]


def made_up_digest(image: str) -> str:
    """The digest of a reference: the one it names, else one made of it."""
    return image.partition("@")[2] or f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"


class ContainerLife:
    """Its state, as the pod's status shows it, and its log: lines of this life and of the one before."""

    def __init__(self, node: Node, pod: Host, spec: Raw, policy: str) -> None:
        self._node, self._pod, self._policy = node, pod, policy
        self.name, self.image, self._probe = spec["name"], spec["image"], spec.get("readinessProbe")
        self.state: Raw = {"waiting": {"reason": "ContainerCreating"}}
        self.last: Raw = {}
        self.image_id, self.container_id = "", ""
        self.ready, self.restarts = False, 0
        self.logs: tuple[deque[str], deque[str]] = (deque(maxlen=LOG_LINES), deque(maxlen=LOG_LINES))
        self.has_logs = [False, False]
        self._backoff, self._step = node.durations.backoff, 0
        self._began: datetime | None = None

    def snapshot(self) -> Raw:
        """Its entry in `containerStatuses`."""
        made = {
            "name": self.name,
            "image": self.image,
            "imageID": self.image_id,
            "ready": self.ready,
            "started": "running" in self.state,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }
        return made | ({"containerID": self.container_id} if self.container_id else {})

    def begin(self) -> None:
        """Pull the image, and start when it is there."""
        self._pod.tell("Pulling", f'Pulling image "{self.image}"')
        digest = None if "badpull" in self._words() else self._node.digest_of(self.image)
        if digest is None:
            self._cannot_pull()
            return
        repository = self.image.partition("@")[0]
        tag = repository.rpartition("/")[2].partition(":")[2]
        self.image_id = f"{repository.removesuffix(f':{tag}') if tag else repository}@{digest}"
        self._pod.tell("Pulled", f'Successfully pulled image "{self.image}"')
        self._start()

    def stop(self) -> None:
        """It got its signal and has ended; `hang` is killed instead."""
        self._step += 1
        if "running" in self.state:
            killed = "hang" in self._words()
            self._end(137 if killed else 0, "Error" if killed else "Completed")

    def reconsider(self) -> None:
        """A switch was thrown: what runs behaves by it at once, what waits will when its wait is over."""
        if "running" in self.state:
            self._look()

    def _words(self) -> frozenset[str]:
        return self._node.behaviours.words(self.image)

    def _later(self, delay: timedelta, act: Callable[[], None]) -> None:
        """The next step; whatever was planned before is off."""
        self._step += 1
        step = self._step

        def still_planned() -> None:
            if step == self._step and self._pod.alive:
                act()

        self._node.timeline.after(delay, still_planned)

    def _wait(self, reason: str, message: str) -> None:
        self.state, self.ready = {"waiting": {"reason": reason, "message": message}}, False
        self._pod.publish()

    def _next_backoff(self) -> timedelta:
        wait = self._backoff
        self._backoff = min(wait * 2, self._node.durations.longest_backoff)
        return wait

    def _cannot_pull(self) -> None:
        said = f'failed to pull and unpack image "{self.image}": {self.image}: not found'
        self._pod.tell("Failed", f'Failed to pull image "{self.image}": {said}', warning=True)
        self._wait("ErrImagePull", f"rpc error: code = NotFound desc = {said}")
        self._later(self._node.durations.backoff / 2, self._back_off_pulling)

    def _back_off_pulling(self) -> None:
        said = f'Back-off pulling image "{self.image}"'
        self._pod.tell("BackOff", said)
        self._wait("ImagePullBackOff", said)
        self._later(self._next_backoff(), self.begin)

    def _start(self) -> None:
        self._began = self._node.timeline.now
        self.state = {"running": {"startedAt": stamped(self._began)}}
        identity = hashlib.sha256(f"{self._pod.uid}{self.name}{self.restarts}".encode())
        self.container_id = f"containerd://{identity.hexdigest()}"
        self.has_logs[0] = True
        self._log(f"started {self.image}")
        self._pod.tell("Started", f"Started container {self.name}")
        self._look()

    def _look(self) -> None:
        """What it is by its age: ready or not, over or not."""
        asked, age = self._words(), self._node.timeline.now - (self._began or self._node.timeline.now)
        end, ready_after = self._planned_end(asked), self._ready_after(asked)
        if end and age >= end[0]:
            self._exit(end[1], end[2])
            return
        crashing = end is not None and self._policy == "Always" and self._probe is not None
        failing = "notready" in asked or crashing
        was, self.ready = self.ready, not failing and age >= ready_after
        if failing and (was or "notready" in asked):
            self._pod.tell("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", warning=True)
        self._pod.publish()
        coming = [moment for moment in (ready_after, end[0] if end else ZERO) if moment > age]
        if coming:
            self._later(min(coming) - age, self._look)

    def _ready_after(self, asked: frozenset[str]) -> timedelta:
        if "slow" in asked:
            return self._node.durations.slow
        if not self._probe:
            return ZERO
        return self._node.durations.ready + timedelta(seconds=self._probe.get("initialDelaySeconds", 0))

    def _planned_end(self, asked: frozenset[str]) -> tuple[timedelta, int, str] | None:
        """The age at which it ends by itself, its exit code and the reason."""
        times = self._node.durations
        if "oom" in asked:
            return times.crash, 137, "OOMKilled"
        if "crash" in asked:
            return times.crash, 1, "Error"
        if self._policy == "Always":
            return None
        return (times.job, 1, "Error") if "jobfail" in asked else (times.job, 0, "Completed")

    def _exit(self, code: int, reason: str) -> None:
        lived = self._node.timeline.now - (self._began or self._node.timeline.now)
        if code:
            self._log("panic: runtime error: invalid memory address or nil pointer dereference")
        self._log(f"exit status {code}")
        if not code and self._node.behaviours.last_line:
            self._log(self._node.behaviours.last_line)
        self._end(code, reason)
        self._pod.publish()
        if self._policy == "Never" or (self._policy == "OnFailure" and code == 0):
            return
        if lived > FORGIVEN_AFTER:
            self._backoff = self._node.durations.backoff
        self.last = self.state
        self.logs[1].clear()
        self.logs[1].extend(self.logs[0])
        self.logs[0].clear()
        self.has_logs = [False, True]
        wait = self._next_backoff()
        self._pod.tell("BackOff", "Back-off restarting failed container", warning=True)
        pod = f"{self._pod.name}_{self._pod.namespace}({self._pod.uid})"
        said = f"back-off {wait.total_seconds():g}s restarting failed container={self.name} pod={pod}"
        self._wait("CrashLoopBackOff", said)
        self._later(wait, self._restart)

    def _restart(self) -> None:
        self.restarts += 1
        self.begin()

    def _end(self, code: int, reason: str) -> None:
        ended = {"exitCode": code, "reason": reason, "startedAt": self.state["running"]["startedAt"]}
        ended |= {"finishedAt": self._node.timeline.stamp, "containerID": self.container_id}
        self.state, self.ready = {"terminated": ended}, False

    def _log(self, line: str) -> None:
        self.logs[0].append(f"{self._node.timeline.stamp} {line}")
