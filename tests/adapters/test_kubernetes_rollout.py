"""When a rollout is complete, and what counts as the same template."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_pod_objects import Pod
from bot.adapters.kubernetes_rollout import available_pods, progress, same_template, seen, template_sha256
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.target import WorkloadKind
from tests.adapters import kube_objects as kube

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def complete(kind: WorkloadKind, raw: dict[str, Any]) -> bool:
    """Whether the rollout is over."""
    workload = read(Workload, raw)
    return seen(workload) and progress(kind, workload).complete


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ({}, True),
        ({"observedGeneration": 0}, False),
        ({"updatedReplicas": 1}, False),
        ({"replicas": 3}, False),
        ({"availableReplicas": 1}, False),
        ({"availableReplicas": None, "readyReplicas": 1}, False),
        ({"availableReplicas": None, "readyReplicas": 2}, True),
    ],
)
@pytest.mark.parametrize("kind", [WorkloadKind.DEPLOYMENT, WorkloadKind.STATEFULSET])
def test_deployments_and_stateful_sets(kind: WorkloadKind, status: dict[str, Any], over: bool) -> None:
    """Seen, all updated, none left over, all available (or ready, where availability is not counted yet)."""
    assert complete(kind, kube.workload(status=status)) is over


def test_a_workload_scaled_to_nothing_is_complete() -> None:
    """Zero of zero pods."""
    none = {"replicas": None, "updatedReplicas": None, "availableReplicas": None, "readyReplicas": None}
    assert complete(WorkloadKind.DEPLOYMENT, kube.workload(spec={"replicas": 0}, status=none))


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ({}, True),
        ({"observedGeneration": 0}, False),
        ({"updatedNumberScheduled": 1}, False),
        ({"updatedNumberScheduled": None}, False),
        ({"numberAvailable": 1}, False),
        ({"currentNumberScheduled": 1}, False),
    ],
)
def test_daemon_sets(status: dict[str, Any], over: bool) -> None:
    """Every node that should have a pod has a new, available one."""
    assert complete(WorkloadKind.DAEMONSET, kube.daemon_set(status=status)) is over


@pytest.mark.parametrize(
    ("conditions", "available"),
    [
        ([{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-02T08:59:50Z"}], 1),
        ([{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-02T08:59:51Z"}], 0),
        ([{"type": "Ready", "status": "True", "lastTransitionTime": None}], 1),
        ([{"type": "Ready", "status": "False"}], 0),
        ([], 0),
    ],
)
def test_a_pod_is_available_after_its_time(conditions: list[dict[str, Any]], available: int) -> None:
    """Ready for ten seconds, as `minReadySeconds` asks here."""
    pods = [read(Pod, kube.pod(conditions=conditions))]
    assert available_pods(pods, now=NOW, min_ready_s=10) == available


def test_a_pod_that_goes_away_is_not_available() -> None:
    """Ready, but no longer for anybody."""
    pod = read(Pod, kube.pod(metadata={"deletionTimestamp": NOW.isoformat()}))
    assert available_pods([pod], now=NOW + timedelta(days=1), min_ready_s=0) == 0


def test_our_own_annotations_do_not_change_the_template() -> None:
    """Neither do the fields that servers of different age add or leave out."""
    plain = kube.template()
    ours = copy.deepcopy(plain)
    ours["metadata"] |= {"annotations": {"sluice.dev/run": "api-prod-1"}, "creationTimestamp": None}
    assert template_sha256(ours) == template_sha256(plain)


@pytest.mark.parametrize(
    "metadata", [{"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}, {"labels": {"app": "other"}}]
)
def test_anything_else_changes_the_template(metadata: dict[str, Any]) -> None:
    """A restart by hand is a change of the template, too."""
    changed = {**kube.template(), "metadata": {"labels": {"app": "api"}, **metadata}}
    assert template_sha256(changed) != template_sha256(kube.template())


def test_a_replica_set_runs_the_deployments_template() -> None:
    """But for the label that the controller adds."""
    template = kube.template("api:v1")
    assert same_template(template, kube.replica_set(image="api:v1")["spec"]["template"])
    assert not same_template(template, kube.replica_set(image="api:v2")["spec"]["template"])
