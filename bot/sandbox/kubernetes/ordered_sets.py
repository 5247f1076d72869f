"""StatefulSets and DaemonSets, as far as rollouts are followed: one pod after another, by the highest number first."""

from collections.abc import Sequence
from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.control import Control, is_active, is_ready, reference, template_hash
from bot.sandbox.kubernetes.kubelet import NODES
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.store import Record

REVISION_HASH = "controller-revision-hash"


class OrderedSets:
    """Both kinds: a StatefulSet's pods have numbers, a DaemonSet's have nodes. Volume claims are not made, and the
    strategy OnDelete is RollingUpdate here."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def reconcile(self, found: Record) -> None:
        """One look at one set."""
        if found.raw["metadata"].get("deletionTimestamp"):
            return
        spec, label = found.raw["spec"], _label(found)
        self._remember(found, label)
        pods = {pod.key[1]: pod for pod in self._control.owned(found, resources.PODS)}
        wanted = self._places(found)
        for name in set(pods) - set(wanted):
            if is_active(pods[name].raw):
                self._control.drop_pod(found, pods[name])
        self._fill(found, pods, wanted, label)
        updating = spec["updateStrategy"].get("rollingUpdate") or {}
        if all(name in pods and is_ready(pods[name].raw) for name in wanted):
            self._update(found, [pods[name] for name in list(wanted)[updating.get("partition") or 0 :]], label)
        self._tell(found, label, len(wanted))

    def _places(self, found: Record) -> dict[str, str]:
        """The names of the pods that shall be, and their nodes."""
        name = found.key[1]
        if found.kind is resources.DAEMON_SETS:
            return {f"{name}-{template_hash({'uid': found.uid, 'node': node})[:5]}": node for node in NODES}
        return {f"{name}-{number}": "" for number in range(found.raw["spec"]["replicas"])}

    def _fill(self, found: Record, pods: dict[str, Record], wanted: dict[str, str], label: str) -> None:
        one_by_one = found.raw["spec"].get("podManagementPolicy") == "OrderedReady"
        template = found.raw["spec"]["template"]
        for name, node in wanted.items():
            if name not in pods:
                spec = {**template["spec"], "nodeName": node} if node else template["spec"]
                self._control.make_pod(found, {**template, "spec": spec}, name=name, labels={REVISION_HASH: label})
            if one_by_one and not (name in pods and is_ready(pods[name].raw)):
                return

    def _update(self, found: Record, pods: Sequence[Record], label: str) -> None:
        old = [pod for pod in pods if pod.raw["metadata"]["labels"].get(REVISION_HASH) != label]
        if old:
            self._control.drop_pod(found, old[-1])

    def _remember(self, found: Record, label: str) -> None:
        known = self._control.owned(found, resources.CONTROLLER_REVISIONS)
        newest = max((one.raw["revision"] for one in known), default=0)
        mine = next((one for one in known if one.raw["metadata"]["labels"][REVISION_HASH] == label), None)
        if mine is None:
            metadata: Raw = {
                "name": f"{found.key[1]}-{label.removeprefix(found.key[1] + '-')}",
                "labels": {REVISION_HASH: label},
            }
            metadata["labels"] |= found.raw["spec"]["template"]["metadata"].get("labels") or {}
            body: Raw = {"metadata": {**metadata, "ownerReferences": [reference(found)]}, "revision": newest + 1}
            body["data"] = {"spec": {"template": found.raw["spec"]["template"]}}
            self._control.objects.create(resources.CONTROLLER_REVISIONS, found.key[0], body)
        elif mine.raw["revision"] < newest:
            self._control.store.put(mine.kind, {**mine.raw, "revision": newest + 1})

    def _tell(self, found: Record, label: str, wanted: int) -> None:
        pods = self._control.owned(found, resources.PODS)
        updated = [pod for pod in pods if pod.raw["metadata"]["labels"].get(REVISION_HASH) == label]
        min_ready = timedelta(seconds=found.raw["spec"].get("minReadySeconds") or 0)
        ready = sum(is_ready(pod.raw) for pod in pods)
        available = sum(is_ready(pod.raw) and self._control.is_available(pod, min_ready) for pod in pods)
        if found.kind is resources.DAEMON_SETS:
            status = {
                "desiredNumberScheduled": wanted,
                "currentNumberScheduled": len(pods),
                "numberMisscheduled": 0,
                "updatedNumberScheduled": len(updated),
                "numberReady": ready,
                "numberAvailable": available,
            }
            self._control.status(found, status)
            return
        done = len(updated) == len(pods) == ready
        before = (found.raw.get("status") or {}).get("currentRevision")
        status = {
            "replicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": available,
            "updatedReplicas": len(updated),
            "currentReplicas": len(pods) - len(updated) if not done else len(pods),
        }
        self._control.status(found, {**status, "updateRevision": label, "currentRevision": label if done else before})


def _label(found: Record) -> str:
    """What its newest pods are known by: a DaemonSet's by the hash alone, a StatefulSet's by the revision's name."""
    made = template_hash(found.raw["spec"]["template"])
    return made if found.kind is resources.DAEMON_SETS else f"{found.key[1]}-{made}"
