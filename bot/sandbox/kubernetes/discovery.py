"""What a server says about itself, as far as kubectl asks. Pure."""

from bot.sandbox.kubernetes.resources import (
    AUTOSCALERS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    KINDS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    Kind,
    Raw,
)

VERSION: Raw = {"major": "1", "minor": "31", "gitVersion": "v1.31.0+sandbox", "platform": "linux/amd64"}
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
REVIEWS = "authorization.k8s.io"
METRICS = "metrics.k8s.io"
ALL = (PODS, SERVICES, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS, AUTOSCALERS)
"""What `kubectl get all` lists."""

OTHERS = {REVIEWS: "v1", METRICS: "v1beta1"}


def discovered(path: str) -> Raw | None:
    """The answer for a path; `None`: it is not about discovery."""
    match [part for part in path.split("/") if part]:
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = [_group(group, versions) for group, versions in _groups().items() if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in _groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, _groups()[group])}
        case ["api", "v1"]:
            return _resources("", "v1")
        case ["apis", group, version] if version in _groups().get(group, ()):
            return _resources(group, version)
    return None


def _groups() -> dict[str, tuple[str, ...]]:
    return {kind.group: kind.versions for kind in KINDS} | {group: (version,) for group, version in OTHERS.items()}


def _group(group: str, versions: tuple[str, ...]) -> Raw:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def _resources(group: str, version: str) -> Raw:
    found = [entry for kind in KINDS if kind.group == group and version in kind.versions for entry in _entries(kind)]
    if group == REVIEWS:
        found.append(_entry("selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False, verbs=["create"]))
    if group == METRICS:
        found.append(_entry("pods", "PodMetrics", namespaced=True, verbs=["get", "list"]))
    within = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": within, "resources": found}


def _entries(kind: Kind) -> list[Raw]:
    first = _entry(kind.plural, kind.kind, namespaced=kind.namespaced, verbs=VERBS, short=kind.short)
    found = [first | ({"categories": ["all"]} if kind in ALL else {})]
    if kind.scalable:
        found.append(_entry(f"{kind.plural}/scale", "Scale", namespaced=True, verbs=["get", "patch", "update"]))
    if kind is PODS:
        found.append(_entry("pods/log", "Pod", namespaced=True, verbs=["get"]))
    return found


def _entry(name: str, kind: str, *, namespaced: bool, verbs: list[str], short: tuple[str, ...] = ()) -> Raw:
    made: Raw = {"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": verbs}
    return made | ({"shortNames": list(short)} if short else {})
