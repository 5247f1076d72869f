"""A canary made from what stands: stable's pod template with another image, a Service with its ports. Pure."""

import copy

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_canary_marks import SUFFIX
from bot.adapters.kubernetes_containers import chosen_container
from bot.adapters.kubernetes_job_manifest import MANAGED
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.traffic import Route, Router
from bot.ports.cluster import Fence

TRACK = {marks.PREFIX + "track": "canary"}
"""The label that tells canary pods apart where they keep the labels of stable ones."""

KEPT_OF_A_DEPLOYMENT = ("minReadySeconds", "progressDeadlineSeconds", "strategy")
KEPT_OF_A_SERVICE = ("sessionAffinity", "sessionAffinityConfig", "publishNotReadyAddresses", "ipFamilyPolicy")
TRACKING = (
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
)
"""Labels by which GitOps controllers know their objects; with one of these they would delete ours as a stranger."""


def selector(route: Route, stable: Workload) -> dict[str, str]:
    """What the canary's Deployment selects its pods by; no stable pod has these labels.

    With a router the values change, so that stable's Services and controllers pass these pods by. Without one the
    Service must find them: their own label is added.
    """
    written = stable.spec.selector.match_labels
    if route.router is Router.REPLICAS:
        return {**written, **TRACK}
    return {key: f"{value}{SUFFIX}".removeprefix("-") for key, value in written.items()}


def pod_labels(route: Route, stable: Workload) -> dict[str, str]:
    """The labels of the canary's pods."""
    return {**stable_labels(stable), **selector(route, stable)}


def stable_labels(stable: Workload) -> dict[str, str]:
    """The labels of the stable pods, as their template has them."""
    return dict((stable.spec.template.get("metadata") or {}).get("labels") or {})


def deployment(route: Route, raw: Raw, wish: tuple[str, int], fence: Fence) -> Raw:
    """The canary's Deployment, from stable's as it came; `wish` are image and pods. Raises RefusedError where several
    containers could be meant."""
    image, pods = wish
    stable = read(Workload, raw)
    container = chosen_container(route.workload, stable)
    template = copy.deepcopy(stable.spec.template)
    template["metadata"] = {**(template.get("metadata") or {}), "labels": pod_labels(route, stable)}
    next(one for one in template["spec"]["containers"] if one["name"] == container)["image"] = image
    spec = raw["spec"]
    kept = {key: copy.deepcopy(spec[key]) for key in KEPT_OF_A_DEPLOYMENT if spec.get(key) is not None}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": route.canary.name,
            "namespace": route.workload.namespace,
            "labels": {**MANAGED, **TRACK},
            "annotations": {**_mine(route, fence), **canary_marks.wrote(image, pods)},
        },
        "spec": {
            **kept,
            "replicas": pods,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": selector(route, stable)},
            "template": template,
        },
    }


def service(route: Route, stable: Raw, workload: Workload, fence: Fence) -> Raw:
    """The canary's Service: the ports, and those labels of the stable one by which metrics are collected."""
    spec = stable.get("spec") or {}
    labels = (stable["metadata"].get("labels") or {}).items()
    kept = {key: copy.deepcopy(spec[key]) for key in KEPT_OF_A_SERVICE if spec.get(key) is not None}
    headless = {"clusterIP": "None"} if spec.get("clusterIP") == "None" else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": canary_marks.canary_service(route),
            "namespace": route.workload.namespace,
            "labels": {key: value for key, value in labels if not key.startswith(TRACKING)} | MANAGED | TRACK,
            "annotations": _mine(route, fence),
        },
        "spec": {
            **kept,
            **headless,
            "type": "ClusterIP",
            "ports": [{key: port[key] for key in port if key != "nodePort"} for port in spec.get("ports") or []],
            "selector": selector(route, workload),
        },
    }


def _mine(route: Route, fence: Fence) -> dict[str, str]:
    return {**marks.marks(fence), marks.WORKLOAD: f"{route.workload.kind}/{route.workload.name}"}
