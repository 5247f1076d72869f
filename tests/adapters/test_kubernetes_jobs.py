"""What a Job takes over from its workload, and how it ends."""

from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes_job_manifest import job_manifest
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.errors import RefusedError
from bot.ports.cluster import JobPhase, JobSpec, JobState
from tests.adapters import kube_objects as kube
from tests.adapters.kube_api import KubeApi
from tests.adapters.kube_cluster import DEPLOYMENT, FENCE, cluster_on

SPEC = JobSpec("api-7-migrate", DEPLOYMENT, "api:v2", ("migrate", "up"), 120, {"MODE": "migrate"})

SERVER = {
    "name": "app",
    "image": "api:v1",
    "args": ["serve"],
    "ports": [{"containerPort": 8080}],
    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
    "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
    "env": [
        {"name": "MODE", "value": "serve"},
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db"}}},
    ],
    "envFrom": [{"configMapRef": {"name": "api"}}],
    "volumeMounts": [{"name": "certs", "mountPath": "/certs"}, {"name": "claimed", "mountPath": "/data"}],
    "resources": {"limits": {"memory": "256Mi"}},
}
POD = {
    "serviceAccountName": "api",
    "imagePullSecrets": [{"name": "registry"}],
    "volumes": [{"name": "certs", "secret": {"secretName": "certs"}}],
    "initContainers": [{"name": "wait", "image": "wait:v1"}],
    "readinessGates": [{"conditionType": "load-balancer"}],
    "containers": [SERVER, {"name": "proxy", "image": "proxy:v1"}],
}


def manifest(**spec: Any) -> dict[str, Any]:
    """The Job made from a server with everything."""
    metadata = {"labels": kube.LABELS, "annotations": {"vault/inject": "true"}}
    workload = kube.workload(spec={"template": {"metadata": metadata, "spec": POD}, **spec})
    return job_manifest(SPEC, read(Workload, workload), "app", FENCE)


def test_a_job_keeps_what_a_migration_needs() -> None:
    """Account, pull secrets, environment, volumes, resources and the template's annotations."""
    template = manifest()["spec"]["template"]
    pod, container = template["spec"], template["spec"]["containers"][0]
    assert (pod["serviceAccountName"], pod["imagePullSecrets"]) == ("api", [{"name": "registry"}])
    assert container["envFrom"] == SERVER["envFrom"]
    assert container["resources"] == SERVER["resources"]
    assert template["metadata"]["annotations"]["vault/inject"] == "true"


def test_a_job_runs_its_own_command_with_the_new_image() -> None:
    """Once, without a second try, within its deadline; the step's variables win."""
    job = manifest()
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert (container["image"], container["command"]) == ("api:v2", ["migrate", "up"])
    assert {one["name"]: one.get("value") for one in container["env"]} == {"MODE": "migrate", "DATABASE_URL": None}
    assert (pod["restartPolicy"], job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (
        "Never",
        0,
        120,
    )
    assert job["spec"]["ttlSecondsAfterFinished"] == 86_400


def test_a_job_is_no_server() -> None:
    """Neither probes, ports and hooks, nor the other containers, nor volumes that only a StatefulSet has."""
    pod = manifest()["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert [one["name"] for one in pod["containers"]] == ["app"]
    assert not {"initContainers", "readinessGates"} & pod.keys()
    assert not {"args", "ports", "readinessProbe", "livenessProbe", "lifecycle"} & container.keys()
    assert container["volumeMounts"] == [{"name": "certs", "mountPath": "/certs"}]


def test_no_service_catches_a_jobs_pods() -> None:
    """They have none of the workload's labels, and say whose they are."""
    job = manifest()
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/managed-by": "sluice", "sluice.dev/job": "api-7-migrate"}
    assert job["metadata"]["annotations"] == {
        "sluice.dev/run": "api-staging-7",
        "sluice.dev/step": "steps.set_image",
        "sluice.dev/fence": "1",
        "sluice.dev/workload": "deployment/api",
    }


@pytest.mark.parametrize(
    ("selector", "refused"),
    [
        ({"matchLabels": {"app.kubernetes.io/managed-by": "sluice"}}, True),
        ({"matchExpressions": [{"key": "sluice.dev/job", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["api"]}]}, False),
        ({"matchLabels": {"app": "api"}}, False),
    ],
)
def test_a_selector_that_takes_everything_is_refused(selector: dict[str, Any], refused: bool) -> None:
    """The workload would adopt the Job's pods, or a Service with the same selector would."""
    if refused:
        with pytest.raises(RefusedError, match="also selects pods of Jobs"):
            manifest(selector=selector)
    else:
        assert manifest(selector=selector)


def finished(kind: str, reason: str = "", message: str = "") -> dict[str, Any]:
    """A Job that is over."""
    return {"metadata": {"name": SPEC.name}, "status": {"conditions": [kube.condition(kind, "True", reason, message)]}}


def job_pod(name: str, made: str, **fields: Any) -> dict[str, Any]:
    """A pod of the Job."""
    metadata = {"labels": {"job-name": SPEC.name}, "creationTimestamp": made}
    return kube.pod(name, owner=kube.owned_by("Job", SPEC.name, "uid-job"), metadata=metadata, **fields)


async def state_of(api: KubeApi, folder: Path) -> JobState:
    """What a pass over the Job learns."""
    async with cluster_on(api, folder) as cluster:
        return await cluster.run_job(SPEC, FENCE)


async def test_a_finished_job_gives_its_newest_pods_lines(tmp_path: Path) -> None:
    """A node that failed may have left an older one."""
    api = KubeApi()
    api.put(kube.JOBS, finished("Complete"))
    api.put(kube.PODS, job_pod("old", "2026-03-02T08:00:00Z"))
    api.put(kube.PODS, job_pod("new", "2026-03-02T08:30:00Z"))
    api.logs |= {("old", "app", False): "lost\n", ("new", "app", False): "one\ntwo\n"}
    assert await state_of(api, tmp_path) == JobState(SPEC.name, JobPhase.SUCCEEDED, "", ("one", "two"))


async def test_a_failed_job_without_pods_still_says_why(tmp_path: Path) -> None:
    """They may have been cleaned up."""
    api = KubeApi()
    api.put(kube.JOBS, finished("Failed", "DeadlineExceeded", "was active too long"))
    seen = await state_of(api, tmp_path)
    assert seen == JobState(SPEC.name, JobPhase.FAILED, "DeadlineExceeded: was active too long")


async def test_a_job_that_cannot_start_says_why_while_it_runs(tmp_path: Path) -> None:
    """Kubernetes itself would only tell after the deadline."""
    api = KubeApi()
    status = {"containerStatuses": [kube.container({"waiting": {"reason": "ImagePullBackOff", "message": "no image"}})]}
    api.put(kube.JOBS, {"metadata": {"name": SPEC.name}, "status": {"active": 1}})
    api.put(kube.PODS, job_pod("new", "2026-03-02T08:30:00Z", status=status))
    seen = await state_of(api, tmp_path)
    assert seen == JobState(SPEC.name, JobPhase.RUNNING, "ImagePullBackOff: no image")


async def test_a_job_that_somebody_else_made_meanwhile_is_read(tmp_path: Path) -> None:
    """The answer to our own creation was lost: the name is the same, so it is ours."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    api.after_read = lambda: api.put(kube.JOBS, finished("Complete"))
    assert (await state_of(api, tmp_path)).phase is JobPhase.SUCCEEDED


async def test_quota_refuses_a_job_with_the_clusters_words(tmp_path: Path) -> None:
    """A permanent answer, not a wait."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    api.failing["POST"] = (403, "jobs is forbidden: exceeded quota: small")
    with pytest.raises(RefusedError, match="exceeded quota: small"):
        await state_of(api, tmp_path)
