"""The Job controller: pods until enough of them have ended well, or too many badly."""

from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.control import Control, condition_of
from bot.sandbox.kubernetes.objects import Deletion
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.timeline import moment_of

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(minutes=6)
"""The controller's own back-off between failed pods."""

ACTIVE = ("Pending", "Running")


class Jobs:
    """Runs Jobs to their end and removes those whose time to stay is over."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def reconcile(self, found: Record) -> None:
        """One look at one Job."""
        if found.raw["metadata"].get("deletionTimestamp"):
            return
        if self._is_over(found):
            self._expire(found)
            return
        pods = self._control.owned(found, resources.PODS)
        phases = [(pod.raw.get("status") or {}).get("phase") for pod in pods]
        spec, now = found.raw["spec"], self._control.timeline
        status: Raw = {"startTime": (found.raw.get("status") or {}).get("startTime") or now.stamp}
        status |= {"succeeded": phases.count("Succeeded"), "failed": phases.count("Failed")}
        if verdict := self._verdict(found, status):
            self._end(found, status, verdict)
            return
        active = [pod for pod, phase in zip(pods, phases, strict=True) if phase in ACTIVE]
        wanted = min(spec["parallelism"], spec["completions"] - status["succeeded"])
        if self._may_try(found, pods):
            made = [self._make(found) for _ in range(wanted - len(active))]
            active += made
        self._write(found, {**status, "active": len(active)})
        if deadline := spec.get("activeDeadlineSeconds"):
            self._control.again(found, moment_of(status["startTime"]) + timedelta(seconds=deadline) - now.now)

    def _is_over(self, found: Record) -> bool:
        return any((condition_of(found.raw, kind) or {}).get("status") == "True" for kind in ("Complete", "Failed"))

    def _verdict(self, found: Record, status: Raw) -> Raw:
        spec = found.raw["spec"]
        if status["succeeded"] >= spec["completions"]:
            return {"type": "Complete", "status": "True"}
        if status["failed"] > spec["backoffLimit"]:
            said = "Job has reached the specified backoff limit"
            return {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": said}
        deadline = timedelta(seconds=spec.get("activeDeadlineSeconds") or 0)
        if deadline and self._control.timeline.now - moment_of(status["startTime"]) >= deadline:
            said = "Job was active longer than specified deadline"
            return {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": said}
        return {}

    def _end(self, found: Record, status: Raw, verdict: Raw) -> None:
        stamp = self._control.timeline.stamp
        for pod in self._control.active_pods(found):
            self._control.drop_pod(found, pod)
        times = {"lastProbeTime": stamp, "lastTransitionTime": stamp}
        status = {**status, "conditions": [{**verdict, **times}]}
        if verdict["type"] == "Complete":
            status["completionTime"] = stamp
            self._control.happenings.tell(found, "Completed", "Job completed")
        else:
            self._control.happenings.tell(found, verdict["reason"], verdict["message"], warning=True)
        self._write(found, status)

    def _may_try(self, found: Record, pods: list[Record]) -> bool:
        """Whether the back-off since the last failure is over; looks again when it will be."""
        ends = [self._ended_at(pod) for pod in pods if (pod.raw.get("status") or {}).get("phase") == "Failed"]
        if not ends:
            return True
        wait = min(FIRST_RETRY * 2 ** (len(ends) - 1), LONGEST_RETRY)
        left = moment_of(max(ends)) + wait - self._control.timeline.now
        if left <= timedelta():
            return True
        self._control.again(found, left)
        return False

    def _ended_at(self, pod: Record) -> str:
        states = [one["state"].get("terminated") or {} for one in pod.raw["status"]["containerStatuses"]]
        return max(str(one.get("finishedAt", "")) for one in states)

    def _make(self, found: Record) -> Record:
        labels = {"job-name": found.key[1], "controller-uid": found.uid, "batch.kubernetes.io/job-name": found.key[1]}
        return self._control.make_pod(found, found.raw["spec"]["template"], labels=labels)

    def _write(self, found: Record, status: Raw) -> None:
        """Jobs have no observed generation."""
        kept = {key: value for key, value in status.items() if value}
        if there := self._control.store.get(found.kind, found.key):
            self._control.store.put(found.kind, {**there.raw, "status": kept})

    def _expire(self, found: Record) -> None:
        stays = found.raw["spec"].get("ttlSecondsAfterFinished")
        if stays is None:
            return
        ended = moment_of(found.raw["status"]["conditions"][-1]["lastTransitionTime"])
        left = ended + timedelta(seconds=stays) - self._control.timeline.now
        if left <= timedelta():
            self._control.objects.delete(found.kind, found.key, Deletion())
        else:
            self._control.again(found, left)
