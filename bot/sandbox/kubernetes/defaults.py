"""What the API server fills in, and what it refuses. Pure; given objects are not touched."""

import re
from typing import Any

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.refusals import invalid
from bot.sandbox.kubernetes.resources import Kind, Raw
from bot.sandbox.kubernetes.selectors import matches

POD: Raw = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
CONTAINER: Raw = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
}
PROBE: Raw = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
ROLLING: Raw = {"maxUnavailable": "25%", "maxSurge": "25%"}

SPECS: dict[Kind, Raw] = {
    resources.DEPLOYMENTS: {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600},
    resources.REPLICA_SETS: {"replicas": 1},
    resources.STATEFUL_SETS: {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"},
    resources.DAEMON_SETS: {"revisionHistoryLimit": 10},
    resources.JOBS: {"backoffLimit": 6, "completions": 1, "parallelism": 1},
    resources.SERVICES: {"type": "ClusterIP", "sessionAffinity": "None"},
    resources.PODS: {},
}
WITH_TEMPLATES = (resources.DEPLOYMENTS, resources.REPLICA_SETS, resources.STATEFUL_SETS, resources.DAEMON_SETS)


def filled(kind: Kind, raw: Raw) -> Raw:
    """The object with the defaults of its kind."""
    if kind not in SPECS:
        return raw
    spec = {**SPECS[kind], **(raw.get("spec") or {})}
    if kind is resources.PODS:
        spec = _pod(spec)
    elif "template" in spec:
        template = spec["template"] or {}
        metadata = {"creationTimestamp": None, **(template.get("metadata") or {})}
        spec["template"] = {**template, "metadata": metadata, "spec": _pod(template.get("spec") or {})}
    return {**raw, "spec": _strategy(kind, spec)}


def _strategy(kind: Kind, spec: Raw) -> Raw:
    match kind:
        case resources.DEPLOYMENTS:
            written = {"type": "RollingUpdate", **(spec.get("strategy") or {})}
            if written["type"] == "RollingUpdate":
                written["rollingUpdate"] = {**ROLLING, **(written.get("rollingUpdate") or {})}
            return {**spec, "strategy": written}
        case resources.STATEFUL_SETS:
            default: Raw = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
            return {**spec, "updateStrategy": spec.get("updateStrategy") or default}
        case resources.DAEMON_SETS:
            default = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
            return {**spec, "updateStrategy": spec.get("updateStrategy") or default}
    return spec


def _pod(spec: Raw) -> Raw:
    made = {**POD, **spec}
    for name in ("containers", "initContainers"):
        if made.get(name):
            made[name] = [_container(one) for one in made[name]]
    return made


def _container(one: Raw) -> Raw:
    made = {**CONTAINER, **one}
    for name in ("readinessProbe", "livenessProbe", "startupProbe"):
        if made.get(name):
            made[name] = {**PROBE, **made[name]}
    if made.get("ports"):
        made["ports"] = [{"protocol": "TCP", **port} for port in made["ports"]]
    return made


def check(kind: Kind, raw: Raw, before: Raw | None) -> None:
    """Raises RefusalError (422) for what no controller could work with."""
    name, spec = raw["metadata"]["name"], raw.get("spec") or {}
    if kind in WITH_TEMPLATES:
        _check_selector(kind, raw, before)
        if isinstance(spec.get("replicas", 0), bool) or not isinstance(spec.get("replicas", 0), int):
            raise invalid(kind, name, f"spec.replicas: Invalid value: {spec['replicas']!r}: must be an integer")
        if spec.get("replicas", 0) < 0:
            said = "must be greater than or equal to 0"
            raise invalid(kind, name, f"spec.replicas: Invalid value: {spec['replicas']}: {said}")
    if kind is resources.DEPLOYMENTS:
        rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
        _check_shares(kind, raw, ("maxSurge", "maxUnavailable"), rolling, where="spec.strategy.rollingUpdate")
    if kind is resources.BUDGETS:
        _check_shares(kind, raw, ("minAvailable", "maxUnavailable"), spec, where="spec")
    if kind in WITH_TEMPLATES or kind is resources.JOBS:
        _check_containers(kind, name, "spec.template.spec", (spec.get("template") or {}).get("spec") or {})
    if kind is resources.PODS:
        _check_containers(kind, name, "spec", spec)


def _check_shares(kind: Kind, raw: Raw, fields: tuple[str, ...], within: Raw, *, where: str) -> None:
    for field in fields:
        if not re.fullmatch(r"\d+%?", str(within.get(field, 0))):
            said = f"Invalid value: {within[field]!r}: must be a whole number or a percentage, e.g. 10%"
            raise invalid(kind, raw["metadata"]["name"], f"{where}.{field}: {said}")


def _check_selector(kind: Kind, raw: Raw, before: Raw | None) -> None:
    name, spec = raw["metadata"]["name"], raw["spec"]
    if not spec.get("selector"):
        raise invalid(kind, name, "spec.selector: Required value")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not matches(spec["selector"], labels):
        said = f"Invalid value: {labels}: `selector` does not match template `labels`"
        raise invalid(kind, name, f"spec.template.metadata.labels: {said}")
    if before is not None and before["spec"]["selector"] != spec["selector"]:
        raise invalid(kind, name, f"spec.selector: Invalid value: {spec['selector']}: field is immutable")


def _check_containers(kind: Kind, name: str, where: str, spec: Raw) -> None:
    containers: list[Any] = spec.get("containers") or []
    if not containers:
        raise invalid(kind, name, f"{where}.containers: Required value")
    for place, one in enumerate(containers):
        for field in ("name", "image"):
            if not one.get(field):
                raise invalid(kind, name, f"{where}.containers[{place}].{field}: Required value")
    names = [one["name"] for one in containers]
    for place, one in enumerate(names):
        if one in names[:place]:
            raise invalid(kind, name, f'{where}.containers[{place}].name: Duplicate value: "{one}"')
