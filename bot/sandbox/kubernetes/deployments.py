"""The Deployment controller: a ReplicaSet for each template, and pods that move from one to the next."""

from collections.abc import Sequence
from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.control import (
    Control,
    condition_of,
    conditioned,
    is_active,
    reference,
    template_hash,
)
from bot.sandbox.kubernetes.objects import Deletion
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.rolling import Bounds, Pods, bounds, grown, shrunk
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.timeline import moment_of

REVISION = "deployment.kubernetes.io/revision"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HASH = "pod-template-hash"


class Deployments:
    """Rolls out. A Deployment that is scaled in the middle of a rollout gets its pods in the newest set, not in
    proportion in all of them."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def reconcile(self, found: Record) -> None:
        """One look at one Deployment."""
        if found.raw["metadata"].get("deletionTimestamp"):
            return
        sets = self._control.owned(found, resources.REPLICA_SETS)
        new = next((one for one in sets if _same(found.raw["spec"]["template"], one.raw["spec"]["template"])), None)
        if found.raw["spec"].get("paused"):
            self._scale_paused(found, sets)
        else:
            new = self._newest(found, new, sets)
            old = [one for one in self._control.owned(found, resources.REPLICA_SETS) if one.uid != new.uid]
            self._roll(found, new, old)
        # Written to above: it carries its revision by now.
        found = self._control.store.get(found.kind, found.key) or found
        self._tell(found, new.uid if new else "")

    def _scale_paused(self, found: Record, sets: Sequence[Record]) -> None:
        standing = [one for one in sets if one.raw["spec"]["replicas"]]
        if len(standing) == 1 or (sets and not standing):
            self._scale(found, (standing or sets)[-1], found.raw["spec"]["replicas"])

    def _newest(self, found: Record, new: Record | None, sets: Sequence[Record]) -> Record:
        """The set of the present template, with the newest revision and the Deployment's annotations."""
        others = [int(_revision(one)) for one in sets if new is None or one.uid != new.uid]
        revision = str(max(others, default=0) + 1)
        if new is not None and int(_revision(new)) >= int(revision):
            revision = _revision(new)
        own = found.raw["metadata"].get("annotations") or {}
        copied = {key: value for key, value in own.items() if key not in (REVISION, LAST_APPLIED)}
        copied |= {REVISION: revision}
        if new is None:
            new = self._make(found, copied)
        metadata = new.raw["metadata"]
        written = {**metadata, "annotations": {**(metadata.get("annotations") or {}), **copied}}
        new = self._control.store.put(new.kind, {**new.raw, "metadata": written})
        if own.get(REVISION) != revision:
            # Written as the controller does it, through the status: it does not count into the generation.
            metadata = {**found.raw["metadata"], "annotations": {**own, REVISION: revision}}
            self._control.store.put(found.kind, {**found.raw, "metadata": metadata})
        return new

    def _make(self, found: Record, annotations: Raw) -> Record:
        spec = found.raw["spec"]
        label = self._free_label(found)
        template = _labelled(spec["template"], label)
        selector = {
            **spec["selector"],
            "matchLabels": {**(spec["selector"].get("matchLabels") or {}), HASH: label},
        }
        metadata = {
            "name": f"{found.key[1]}-{label}",
            "labels": template["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [reference(found)],
        }
        made = {"replicas": 0, "selector": selector, "template": template}
        made |= {"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}
        return self._control.objects.create(resources.REPLICA_SETS, found.key[0], {"metadata": metadata, "spec": made})

    def _free_label(self, found: Record) -> str:
        """The hash of the template, or, while a former Deployment's set has that name, another."""
        template, collisions = found.raw["spec"]["template"], 0
        label = template_hash(template)
        while self._control.store.get(resources.REPLICA_SETS, (found.key[0], f"{found.key[1]}-{label}")):
            collisions += 1
            label = template_hash({"template": template, "collisionCount": collisions})
        return label

    def _roll(self, found: Record, new: Record, old: Sequence[Record]) -> None:
        spec = found.raw["spec"]
        if spec["strategy"]["type"] == "Recreate":
            for one in old:
                self._scale(found, one, 0)
            if not any(is_active(pod.raw) or pod.raw["metadata"].get("deletionTimestamp") for pod in self._pods(old)):
                self._scale(found, new, spec["replicas"])
            return
        rolling = spec["strategy"]["rollingUpdate"]
        limits = bounds(spec["replicas"], rolling["maxSurge"], rolling["maxUnavailable"])
        self._roll_over(found, new, old, limits)

    def _pods(self, sets: Sequence[Record]) -> list[Record]:
        return [pod for one in sets for pod in self._control.owned(one, resources.PODS)]

    def _roll_over(self, found: Record, new: Record, old: Sequence[Record], limits: Bounds) -> None:
        counted = [_counts(one) for one in old]
        wanted = grown(limits, _counts(new), counted)
        if wanted != new.raw["spec"]["replicas"]:
            self._scale(found, new, wanted)
            return
        for one, many in zip(old, shrunk(limits, _counts(new), counted), strict=True):
            self._scale(found, one, many)

    def _scale(self, found: Record, one: Record, many: int) -> None:
        before = one.raw["spec"]["replicas"]
        if before == many:
            return
        self._control.objects.patch(one.kind, one.key, lambda raw: {**raw, "spec": {**raw["spec"], "replicas": many}})
        said = f"Scaled {'up' if many > before else 'down'} replica set {one.key[1]} to {many}"
        self._control.happenings.tell(found, "ScalingReplicaSet", said)

    def _tell(self, found: Record, newest: str) -> None:
        """Write the status, and clean up when all is done."""
        sets = self._control.owned(found, resources.REPLICA_SETS)
        status = _sums(found, sets, newest)
        stamp = self._control.timeline.stamp
        missing = bounds(found.raw["spec"]["replicas"], *_rolling(found)).missing
        enough = status.get("availableReplicas", 0) >= found.raw["spec"]["replicas"] - missing
        available = {
            "type": "Available",
            "status": str(enough),
            "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        }
        conditions = conditioned(found.raw, stamp, available)
        name = next((one.key[1] for one in sets if one.uid == newest), "")
        progress = self._progress(found, status, name)
        if progress:
            conditions = conditioned({"status": {"conditions": conditions}}, stamp, progress)
            if _moved(found.raw, status):
                conditions[-1] = {**conditions[-1], "lastUpdateTime": stamp}
        self._control.status(found, {**status, "conditions": conditions})
        if _complete(found, status):
            self._clean_up(found, [one for one in sets if one.uid != newest])

    def _progress(self, found: Record, status: Raw, name: str) -> Raw:
        """How the rollout goes, as its condition says; empty: as before."""
        known = condition_of(found.raw, "Progressing")
        if _complete(found, status):
            said = f'ReplicaSet "{name}" has successfully progressed.'
            return {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": said}
        if found.raw["spec"].get("paused"):
            said = "Deployment is paused"
            return {"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused", "message": said}
        going = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
        going["message"] = f'ReplicaSet "{name}" is progressing.'
        deadline = timedelta(seconds=found.raw["spec"]["progressDeadlineSeconds"])
        resting = ("NewReplicaSetAvailable", "DeploymentPaused")
        if known is None or known["reason"] in resting or name not in known["message"] or _moved(found.raw, status):
            self._control.again(found, deadline + timedelta(seconds=1))
            return going
        if known["reason"] == "ProgressDeadlineExceeded":
            return {key: known[key] for key in ("type", "status", "reason", "message")}
        if self._control.timeline.now - moment_of(known["lastUpdateTime"]) >= deadline:
            said = f'ReplicaSet "{name}" has timed out progressing.'
            return {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": said}
        return going

    def _clean_up(self, found: Record, old: Sequence[Record]) -> None:
        limit = found.raw["spec"]["revisionHistoryLimit"]
        idle = [one for one in old if not one.raw["spec"]["replicas"] and not one.raw["status"].get("replicas")]
        idle.sort(key=lambda one: int(_revision(one)))
        for one in idle[: max(0, len(idle) - limit)]:
            self._control.objects.delete(one.kind, one.key, Deletion())


def _rolling(found: Record) -> tuple[int | str, int | str]:
    rolling = found.raw["spec"]["strategy"].get("rollingUpdate") or {"maxSurge": 1, "maxUnavailable": 0}
    return rolling["maxSurge"], rolling["maxUnavailable"]


def _sums(found: Record, sets: Sequence[Record], newest: str) -> Raw:
    """The counts of all sets, and those of the newest; zeros are left out."""
    every = [one.raw["status"] for one in sets]
    totals = {key: sum(one.get(key, 0) for one in every) for key in ("replicas", "readyReplicas", "availableReplicas")}
    updated = next((one.raw["status"].get("replicas", 0) for one in sets if one.uid == newest), 0)
    missing = max(0, sum(one.raw["spec"]["replicas"] for one in sets) - totals["availableReplicas"])
    counts = {**totals, "updatedReplicas": updated, "unavailableReplicas": missing}
    return {key: many for key, many in counts.items() if many}


def _complete(found: Record, status: Raw) -> bool:
    wanted = found.raw["spec"]["replicas"]
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(key, 0) == wanted for key in counts)


def _moved(raw: Raw, status: Raw) -> bool:
    """Whether more pods are new, ready or available, or fewer old ones left, than when it was last looked at."""
    before = raw.get("status") or {}
    if before.get("observedGeneration", 0) == 0:
        return True
    old, was_old = (one.get("replicas", 0) - one.get("updatedReplicas", 0) for one in (status, before))
    more = (
        status.get(key, 0) > before.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return old < was_old or any(more)


def _revision(one: Record) -> str:
    return str((one.raw["metadata"].get("annotations") or {}).get(REVISION, "0"))


def _counts(one: Record) -> Pods:
    return Pods(one.raw["spec"]["replicas"], one.raw["status"].get("availableReplicas", 0))


def _labelled(template: Raw, label: str) -> Raw:
    metadata = template.get("metadata") or {}
    return {**template, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), HASH: label}}}


def _same(template: Raw, of_set: Raw) -> bool:
    metadata = of_set.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return template == {**of_set, "metadata": {**metadata, "labels": labels}}
