"""A Job made from a workload's pod template: same account, environment and volumes; another image and command. Pure."""

import copy

from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.errors import RefusedError
from bot.ports.cluster import Fence, JobSpec

KEPT_FOR_S = 86_400
"""A finished Job stays for a day, for people to look at; Sluice removes it earlier when it cleans up."""

MANAGED = {"app.kubernetes.io/managed-by": "sluice"}

# What belongs to a server among servers and would stop a one-off pod from being placed, started or finished.
NOT_OF_A_POD = (
    "initContainers",
    "ephemeralContainers",
    "readinessGates",
    "topologySpreadConstraints",
    "hostname",
    "subdomain",
    "nodeName",
)
NOT_OF_A_CONTAINER = ("args", "livenessProbe", "readinessProbe", "startupProbe", "ports", "lifecycle", "restartPolicy")


def job_manifest(spec: JobSpec, workload: Workload, container: str, fence: Fence) -> Raw:
    """The Job to create. Raises RefusedError when the workload would take the Job's pods for its own."""
    labels = {**MANAGED, "sluice.dev/job": spec.name}
    if workload.spec.selector.matches(labels):
        raise RefusedError(
            f"the selector of {spec.workload} also selects pods of Jobs; make it name the app's own label"
        )
    mine = {**marks.marks(fence), marks.WORKLOAD: f"{spec.workload.kind}/{spec.workload.name}"}
    template = workload.spec.template
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": spec.name, "namespace": spec.workload.namespace, "labels": labels, "annotations": mine},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": spec.deadline_s,
            "ttlSecondsAfterFinished": KEPT_FOR_S,
            "template": {
                # No label of the workload's: a Service must not send requests to a migration.
                "metadata": {"labels": labels, "annotations": {**annotations, **mine}},
                "spec": _pod(spec, template.get("spec") or {}, container),
            },
        },
    }


def _pod(spec: JobSpec, template: Raw, container: str) -> Raw:
    pod = copy.deepcopy({key: value for key, value in template.items() if key not in NOT_OF_A_POD})
    chosen = next(one for one in pod["containers"] if one["name"] == container)
    volumes = {volume["name"] for volume in pod.get("volumes") or []}
    pod["containers"] = [_container(spec, chosen, volumes)]
    pod["restartPolicy"] = "Never"
    return pod


def _container(spec: JobSpec, chosen: Raw, volumes: set[str]) -> Raw:
    kept = {key: value for key, value in chosen.items() if key not in NOT_OF_A_CONTAINER}
    kept |= {"image": spec.image, "command": list(spec.command), "env": _environment(spec, kept.get("env") or [])}
    for key in ("volumeMounts", "volumeDevices"):
        # A StatefulSet's claims belong to its ordinals; a Job has none.
        kept[key] = [mount for mount in kept.get(key) or [] if mount["name"] in volumes]
    return kept


def _environment(spec: JobSpec, written: list[Raw]) -> list[Raw]:
    """The container's variables; the step's own win."""
    own: list[Raw] = [{"name": name, "value": value} for name, value in spec.env.items()]
    return [variable for variable in written if variable["name"] not in spec.env] + own
