"""Scheduler and kubelet in one: binds pods to nodes, plays their containers and writes what becomes of them."""

import itertools
from collections.abc import Sequence
from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.containers import ContainerLife, Node
from bot.sandbox.kubernetes.happenings import Happenings
from bot.sandbox.kubernetes.refusals import RefusalError, not_found
from bot.sandbox.kubernetes.resources import Key, Raw
from bot.sandbox.kubernetes.store import Change, Record, Store

NODES = ("node-1", "node-2", "node-3")


class PodLife:
    """One pod: its containers, and the status made of them."""

    def __init__(self, kubelet: "Kubelet", record: Record, address: str) -> None:
        self._kubelet, self.key, self.uid = kubelet, record.key, record.uid
        self.namespace, self.name = record.key
        self.alive, self.stopping, self.address = True, False, address
        self._started = False
        self._since: dict[str, tuple[bool, str]] = {}
        spec = record.raw["spec"]
        made = [ContainerLife(kubelet.node, self, one, spec["restartPolicy"]) for one in spec["containers"]]
        self.containers: Sequence[ContainerLife] = made
        self._inits = [one["name"] for one in spec.get("initContainers") or ()]
        self._init_images = {one["name"]: one["image"] for one in spec.get("initContainers") or ()}
        self._made_at = kubelet.node.timeline.stamp

    def start(self) -> None:
        """Its place is prepared; init containers are over at once, and well."""
        self._started = True
        for container in self.containers:
            container.begin()

    def publish(self) -> None:
        """Write the status."""
        if self.alive and (found := self._kubelet.store.get(resources.PODS, self.key)):
            self._kubelet.store.put(found.kind, {**found.raw, "status": self._status()})

    def tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Make an Event of the pod."""
        if found := self._kubelet.store.get(resources.PODS, self.key):
            self._kubelet.happenings.tell(found, reason, message, warning=warning)

    def _status(self) -> Raw:
        phase = self._phase()
        unready = [one.name for one in self.containers if not one.ready]
        reason = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
        conditions = [
            self._condition("Initialized", [] if self._started else self._inits, "ContainersNotInitialized"),
            self._condition("Ready", unready, reason),
            self._condition("ContainersReady", unready, reason),
            self._condition("PodScheduled", [], ""),
        ]
        status: Raw = {"phase": phase, "conditions": conditions, "hostIP": "127.0.0.1", "startTime": self._made_at}
        status["containerStatuses"] = [one.snapshot() for one in self.containers]
        if self._inits:
            status["initContainerStatuses"] = [self._init_status(name) for name in self._inits]
        if self._started:
            status |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}
        return status

    def _phase(self) -> str:
        states = [one.state for one in self.containers]
        if all("terminated" in state for state in states):
            return "Failed" if any(state["terminated"]["exitCode"] for state in states) else "Succeeded"
        fresh = any("waiting" in one.state and not one.last for one in self.containers)
        return "Pending" if fresh else "Running"

    def _condition(self, kind: str, unready: Sequence[str], reason: str) -> Raw:
        met = not unready
        if self._since.get(kind, (not met, ""))[0] is not met:
            self._since[kind] = (met, self._kubelet.node.timeline.stamp)
        made = {"type": kind, "status": str(met), "lastTransitionTime": self._since[kind][1], "lastProbeTime": None}
        if met:
            return made
        return made | {"reason": reason, "message": f"containers with unready status: [{' '.join(unready)}]"}

    def _init_status(self, name: str) -> Raw:
        waiting: Raw = {"waiting": {"reason": "PodInitializing"}}
        ended = {"exitCode": 0, "reason": "Completed", "startedAt": self._made_at, "finishedAt": self._made_at}
        state = {"terminated": ended} if self._started else waiting
        image = self._init_images[name]
        return {
            "name": name,
            "image": image,
            "imageID": "",
            "ready": self._started,
            "restartCount": 0,
            "state": state,
            "lastState": {},
        }


class Kubelet:
    """All nodes. It hears of pods from the store, and of behaviours from their switch."""

    def __init__(self, store: Store, node: Node, happenings: Happenings) -> None:
        self.store, self.node, self.happenings = store, node, happenings
        self._pods: dict[str, PodLife] = {}
        self._numbers = itertools.count(2)
        self._nodes = itertools.cycle(NODES)
        store.listeners.append(self._hear)
        node.behaviours.listeners.append(self._reconsider)

    def log(self, key: Key, container: str, *, previous: bool) -> list[str]:
        """A container's lines, each after its time and a space. Raises RefusalError where there are none to be had."""
        found = self.store.get(resources.PODS, key)
        if found is None:
            raise not_found(resources.PODS, key[1])
        names = [one["name"] for one in found.raw["spec"]["containers"]]
        if not container and len(names) > 1:
            said = f"a container name must be specified for pod {key[1]}, choose one of: [{' '.join(names)}]"
            raise RefusalError(400, said)
        chosen = container or names[0]
        if chosen not in names:
            raise RefusalError(400, f"container {chosen} is not valid for pod {key[1]}")
        life = self._pods.get(found.uid)
        lived = next((one for one in life.containers if one.name == chosen), None) if life else None
        if previous and not (lived and lived.has_logs[1]):
            said = f'previous terminated container "{chosen}" in pod "{key[1]}" not found'
            raise RefusalError(400, said)
        if lived is None or not any(lived.has_logs):
            why = _why(lived)
            said = f'container "{chosen}" in pod "{key[1]}" is waiting to start: {why}'
            raise RefusalError(400, said)
        # A container between two lives shows the end of the last one.
        return list(lived.logs[1 if previous or not lived.has_logs[0] else 0])

    def _hear(self, change: Change) -> None:
        if change.record.kind is not resources.PODS:
            return
        match change.type:
            case "ADDED":
                self.node.timeline.after(self.node.durations.react, lambda: self._bind(change.record))
            case "DELETED":
                if life := self._pods.pop(change.record.uid, None):
                    life.alive = False
            case _:
                life = self._pods.get(change.record.uid)
                if life and change.record.raw["metadata"].get("deletionTimestamp") and not life.stopping:
                    life.stopping = True
                    self._stop(life, change.record)

    def _bind(self, made: Record) -> None:
        found = self.store.get(resources.PODS, made.key)
        if found is None or found.uid != made.uid or found.uid in self._pods:
            return
        number = next(self._numbers)
        # A range for tests (RFC 2544): nobody is there.
        life = PodLife(self, found, f"198.18.{number // 250 % 256}.{number % 250 + 1}")
        self._pods[found.uid] = life
        spec = {**found.raw["spec"], "nodeName": found.raw["spec"].get("nodeName") or next(self._nodes)}
        self.store.put(found.kind, {**found.raw, "spec": spec})
        life.tell("Scheduled", f"Successfully assigned {found.key[0]}/{found.key[1]} to {spec['nodeName']}")
        life.publish()

        def start() -> None:
            if life.alive and not life.stopping:
                life.start()

        self.node.timeline.after(self.node.durations.start, start)

    def _stop(self, life: PodLife, record: Record) -> None:
        grace = timedelta(seconds=record.raw["metadata"].get("deletionGracePeriodSeconds") or 0)
        hangs = any("hang" in self.node.behaviours.words(one.image) for one in life.containers)
        for container in life.containers:
            if "running" in container.state:
                life.tell("Killing", f"Stopping container {container.name}")

        def gone() -> None:
            for container in life.containers:
                container.stop()
            life.publish()
            if found := self.store.get(resources.PODS, life.key):
                self.store.remove(found) if found.uid == life.uid else None

        self.node.timeline.after(grace if hangs else min(grace, self.node.durations.stop), gone)

    def _reconsider(self) -> None:
        for life in tuple(self._pods.values()):
            for container in life.containers if not life.stopping else ():
                container.reconsider()


def _why(lived: ContainerLife | None) -> str:
    """What a container waits for."""
    waiting: Raw = lived.state.get("waiting") or {} if lived else {}
    return str(waiting.get("reason", "ContainerCreating"))
