"""Jobs, StatefulSets and DaemonSets."""

from typing import Any

import pytest

from bot.sandbox.kubernetes.containers import made_up_digest
from bot.sandbox.kubernetes.server import KubernetesServer
from tests.fakes.clock import FakeClock
from tests.sandbox.kubernetes.cluster import APPS, CORE, Api, Raw, deployment, serving

JOB = "/apis/batch/v1/namespaces/staging/jobs/migrate"


def job(tag: str = "v1", **spec: Any) -> Raw:
    """A Job with one container."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": f"registry.test/acme/api:{tag}"}]}
    metadata = {"name": "migrate", "namespace": "staging"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}} | spec}


async def verdict(api: Api, body: Raw, *, after_s: float) -> tuple[Raw, list[Raw]]:
    """What a new Job says after a while, and its pods."""
    await api.make(JOB.rpartition("/")[0], body)
    api.kube.passes(after_s)
    (condition,) = (await api.get(JOB))["status"]["conditions"]
    return condition, (await api.get(f"{CORE}/pods", labelSelector="job-name=migrate"))["items"]


async def test_a_job_completes() -> None:
    """Its pod stays, for its log."""
    async with serving() as api:
        condition, (pod,) = await verdict(api, job(), after_s=5)
        log = (await api.http.get(f"{CORE}/pods/{pod['metadata']['name']}/log")).text
    assert (condition["type"], pod["status"]["phase"]) == ("Complete", "Succeeded")
    assert log.splitlines()[-1] == "exit status 0"


async def test_a_job_tries_again_until_its_limit() -> None:
    """Each time with a pod of its own."""
    async with serving() as api:
        condition, pods = await verdict(api, job("v1-jobfail", backoffLimit=2), after_s=120)
    assert (condition["type"], condition["reason"], len(pods)) == ("Failed", "BackoffLimitExceeded", 3)


async def test_a_job_that_takes_too_long_is_ended() -> None:
    """Its pods with it."""
    async with serving() as api:
        condition, pods = await verdict(api, job("v1-badpull", activeDeadlineSeconds=10), after_s=60)
    assert (condition["reason"], pods) == ("DeadlineExceeded", [])


async def test_a_job_goes_when_nobody_needs_it_any_more() -> None:
    """As long after its end as it says."""
    async with serving() as api:
        await verdict(api, job(ttlSecondsAfterFinished=60), after_s=30)
        api.kube.passes(60)
        assert (await api.http.get(JOB)).status_code == 404
        api.kube.passes(1)
        assert await api.names(f"{CORE}/pods") == []


async def test_a_stateful_set_is_updated_from_its_end() -> None:
    """Numbered pods, one at a time; each comes back under its name."""
    body = deployment(replicas=2) | {"kind": "StatefulSet"}
    body["spec"].pop("strategy")
    async with serving(body) as api:
        names = await api.names(f"{CORE}/pods")
        container = {"name": "app", "image": "registry.test/acme/api:v2"}
        await api.patch(f"{APPS}/statefulsets/api", {"spec": {"template": {"spec": {"containers": [container]}}}})
        first = {}
        while len(first) < 2:
            api.kube.passes(0.5)
            for pod in (await api.get(f"{CORE}/pods"))["items"]:
                if pod["spec"]["containers"][0]["image"].endswith("v2"):
                    first.setdefault(pod["metadata"]["name"], None)
        api.kube.passes(10)
        status = (await api.get(f"{APPS}/statefulsets/api"))["status"]
    assert (names, list(first)) == (["api-0", "api-1"], ["api-1", "api-0"])
    assert (status["updatedReplicas"], status["readyReplicas"]) == (2, 2)
    assert status["currentRevision"] == status["updateRevision"]


async def test_a_daemon_set_has_a_pod_on_every_node() -> None:
    """Each on its own."""
    body = deployment() | {"kind": "DaemonSet"}
    for field in ("strategy", "replicas"):
        body["spec"].pop(field)
    async with serving(body) as api:
        pods = (await api.get(f"{CORE}/pods"))["items"]
        status = (await api.get(f"{APPS}/daemonsets/api"))["status"]
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == ["node-1", "node-2", "node-3"]
    assert (status["desiredNumberScheduled"], status["numberAvailable"]) == (3, 3)


@pytest.mark.parametrize(
    ("bound", "allowed"),
    [({"minAvailable": 1}, 3), ({"minAvailable": "75%"}, 1), ({"maxUnavailable": 1}, 1), ({"minAvailable": 4}, 0)],
)
async def test_a_budget_says_how_many_pods_may_be_missing(bound: Raw, allowed: int) -> None:
    """Of those that are healthy; none while too few are."""
    spec = {"selector": {"matchLabels": {"app": "api"}}} | bound
    metadata = {"name": "api", "namespace": "staging"}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}
    path = "/apis/policy/v1/namespaces/staging/poddisruptionbudgets/api"
    async with serving(deployment(replicas=4), budget) as api:
        well = (await api.get(path))["status"]["disruptionsAllowed"]
        api.kube.server.behave("v1", "notready")
        api.kube.passes(1)
        ill = (await api.get(path))["status"]["disruptionsAllowed"]
    assert (well, ill) == (allowed, 0)


def test_an_image_that_no_registry_has_cannot_be_pulled() -> None:
    """The cluster asks whoever knows."""
    clock = FakeClock()
    server = KubernetesServer(clock, digest_of=lambda image: None if image.endswith(":v2") else made_up_digest(image))
    server.apply(deployment("v2"))
    server.settle()
    assert {pod.state for pod in server.shown()[0].pods} <= {"ErrImagePull", "ImagePullBackOff"}


async def test_a_pod_says_which_image_it_runs() -> None:
    """By its digest."""
    async with serving(deployment(f"v1@sha256:{'8c' * 32}", replicas=1)) as api:
        (pod,) = (await api.get(f"{CORE}/pods"))["items"]
    assert pod["status"]["containerStatuses"][0]["imageID"] == f"registry.test/acme/api@sha256:{'8c' * 32}"


async def test_the_same_event_again_is_counted() -> None:
    """One warning with a number, not a hundred; it goes an hour after it happened last."""
    async with serving(deployment("v1-crash", replicas=1)) as api:
        api.kube.passes(60)
        found = (await api.get(f"{CORE}/events", fieldSelector="type=Warning,reason=BackOff"))["items"]
        await api.http.delete(f"{APPS}/deployments/api")
        api.kube.passes(3700)
        later = await api.names(f"{CORE}/events")
    assert [one["count"] > 100 for one in found] == [True]
    assert later == []
