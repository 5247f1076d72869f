"""What is made beside stable, from what stands: its pod template with the canary's image or its own, a Service with its
ports. Pure."""

import copy

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_canary_marks import SUFFIX, Track, Wish
from bot.adapters.kubernetes_containers import chosen_container
from bot.adapters.kubernetes_job_manifest import MANAGED
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.traffic import Route, Router
from bot.ports.cluster import Fence

KEPT_OF_A_DEPLOYMENT = ("minReadySeconds", "progressDeadlineSeconds", "strategy")
KEPT_OF_A_SERVICE = ("sessionAffinity", "sessionAffinityConfig", "publishNotReadyAddresses", "ipFamilyPolicy")
TRACKING = (
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
)
"""Labels by which GitOps controllers know their objects; with one of these they would delete ours as a stranger."""


def selector(route: Route, stable: Workload, track: Track = Track.CANARY) -> dict[str, str]:
    """What a Deployment beside stable selects its pods by; no stable pod has these labels.

    With a router the canary's values change, so that stable's Services and controllers pass these pods by. Without one,
    and for a fresh baseline always, the Service must find the pods: their own label is added. Stable's Deployment would
    select these, too; it leaves them alone because they have another controller.
    """
    written = stable.spec.selector.match_labels
    if track is Track.BASELINE or route.router is Router.REPLICAS:
        return {**written, **track.label}
    return {key: f"{value}{SUFFIX}".removeprefix("-") for key, value in written.items()}


def pod_labels(route: Route, stable: Workload, track: Track = Track.CANARY) -> dict[str, str]:
    """The labels of the pods beside stable."""
    return {**stable_labels(stable), **selector(route, stable, track)}


def stable_labels(stable: Workload) -> dict[str, str]:
    """The labels of the stable pods, as their template has them."""
    return dict((stable.spec.template.get("metadata") or {}).get("labels") or {})


def deployment(route: Route, raw: Raw, wish: Wish, fence: Fence) -> Raw:
    """A Deployment beside stable, from stable's as it came. The canary's remembers how many stable pods there were.
    Raises RefusedError where several containers could be meant."""
    stable = read(Workload, raw)
    container = chosen_container(route.workload, stable)
    template = copy.deepcopy(stable.spec.template)
    template["metadata"] = {**(template.get("metadata") or {}), "labels": pod_labels(route, stable, wish.track)}
    next(one for one in template["spec"]["containers"] if one["name"] == container)["image"] = wish.image
    spec = raw["spec"]
    kept = {key: copy.deepcopy(spec[key]) for key in KEPT_OF_A_DEPLOYMENT if spec.get(key) is not None}
    noted = canary_marks.stable_pods(stable.spec.replicas) if wish.track is Track.CANARY else {}
    told = canary_marks.wrote(wish.image, wish.pods)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": wish.track.of(route).name,
            "namespace": route.workload.namespace,
            "labels": {**MANAGED, **wish.track.label},
            "annotations": {**canary_marks.made_for(route, fence), **told, **noted},
        },
        "spec": {
            **kept,
            "replicas": wish.pods,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": selector(route, stable, wish.track)},
            "template": template,
        },
    }


def service(route: Route, stable: Raw, workload: Workload, fence: Fence) -> Raw:
    """The canary's Service: the ports, and those labels of the stable one by which metrics are collected."""
    spec = stable.get("spec") or {}
    labels = (stable["metadata"].get("labels") or {}).items()
    collected = {key: value for key, value in labels if not key.startswith(TRACKING)}
    kept = {key: copy.deepcopy(spec[key]) for key in KEPT_OF_A_SERVICE if spec.get(key) is not None}
    headless = {"clusterIP": "None"} if spec.get("clusterIP") == "None" else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": canary_marks.canary_service(route),
            "namespace": route.workload.namespace,
            "labels": {**collected, **MANAGED, **Track.CANARY.label},
            "annotations": canary_marks.made_for(route, fence),
        },
        "spec": {
            **kept,
            **headless,
            "type": "ClusterIP",
            "ports": [{key: port[key] for key in port if key != "nodePort"} for port in spec.get("ports") or []],
            "selector": selector(route, workload),
        },
    }
