"""What pods go through."""

from typing import Any

import pytest

from bot.sandbox.kubernetes.selectors import matches
from tests.sandbox.kubernetes.cluster import APPS, CORE, Kube, Raw, deployment, serving

PODS = f"{CORE}/pods"


def pod(tag: str = "v1", *containers: str, **spec: Any) -> Raw:
    """A pod that nobody owns."""
    made = [{"name": name, "image": f"registry.test/acme/api:{tag}"} for name in containers or ("app",)]
    metadata = {"name": "one", "namespace": "staging"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": made, **spec}}


@pytest.mark.parametrize(("policy", "restarts"), [("Always", True), ("OnFailure", True), ("Never", False)])
async def test_a_restart_is_a_matter_of_policy(policy: str, restarts: bool) -> None:
    """What failed is started again, or not."""
    async with serving(pod("v1-oom", restartPolicy=policy)) as api:
        status = (await api.get(f"{PODS}/one"))["status"]
    (container,) = status["containerStatuses"]
    ended = (container["lastState"] if restarts else container["state"])["terminated"]
    assert (container["restartCount"] > 0, ended["reason"], ended["exitCode"]) == (restarts, "OOMKilled", 137)
    assert status["phase"] == ("Running" if restarts else "Failed")


async def test_init_containers_come_first() -> None:
    """Waiting at first, over before the others begin."""
    init = [{"name": "setup", "image": "registry.test/acme/setup:v1"}]
    async with serving() as api:
        await api.make(PODS, pod(initContainers=init))
        api.kube.passes(0.1)
        early = (await api.get(f"{PODS}/one"))["status"]
        api.kube.passes(5)
        late = (await api.get(f"{PODS}/one"))["status"]
    states = [next(iter(one["initContainerStatuses"][0]["state"])) for one in (early, late)]
    assert (states, early["phase"], late["phase"]) == (["waiting", "terminated"], "Pending", "Running")


async def test_one_that_hangs_takes_its_whole_grace() -> None:
    """Unless it is asked for none."""
    async with serving(pod("v1-hang", terminationGracePeriodSeconds=20)) as api:
        await api.http.delete(f"{PODS}/one")
        api.kube.passes(19)
        assert (await api.http.get(f"{PODS}/one")).status_code == 200
        api.kube.passes(2)
        assert (await api.http.get(f"{PODS}/one")).status_code == 404
        await api.make(PODS, pod("v1-hang"))
        api.kube.passes(5)
        await api.http.delete(f"{PODS}/one", params={"gracePeriodSeconds": "0"})
        assert (await api.http.get(f"{PODS}/one")).status_code == 404


async def test_a_log_needs_a_container_that_has_run() -> None:
    """Each refusal says what to do or to wait for."""
    async with serving(pod("v1", "app", "proxy"), deployment("v1-badpull", replicas=1)) as api:
        (waiting,) = await api.names(PODS, labelSelector="app=api")
        several = await api.http.get(f"{PODS}/one/log")
        unpulled = await api.http.get(f"{PODS}/{waiting}/log")
        missing = await api.http.get(f"{PODS}/two/log")
    assert "choose one of: [app proxy]" in several.json()["message"]
    assert f'"{waiting}" is waiting to start: ' in unpulled.json()["message"]
    assert [answer.status_code for answer in (several, unpulled, missing)] == [400, 400, 404]


def test_a_pod_counts_as_available_after_its_time() -> None:
    """`minReadySeconds` slows a rollout down."""
    kube = Kube()
    kube.server.apply(deployment(minReadySeconds=10))
    kube.server.settle()
    kube.server.apply(deployment("v2", minReadySeconds=10))
    took_s = kube.until(lambda: kube.tags(ready=False) == ["v2", "v2"])
    assert 20 < took_s < 26


async def test_one_that_is_bad_for_a_moment_is_ready_again() -> None:
    """Its container runs on."""
    async with serving(deployment(replicas=1)) as api:
        api.kube.server.behave("v1", "notready")
        api.kube.passes(1)
        bad = (await api.get(f"{APPS}/deployments/api"))["status"]
        api.kube.server.behave("v1", None)
        api.kube.passes(1)
        good = (await api.get(f"{APPS}/deployments/api"))["status"]
        restarts = [one.restarts for shown in api.kube.server.shown() for one in shown.pods]
    assert (bad.get("readyReplicas", 0), good["readyReplicas"], restarts) == (0, 1, [0])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "tier", "operator": "In", "values": ["web", "api"]}, True),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "tier", "operator": "Exists"}, True),
        ({"key": "tier", "operator": "DoesNotExist"}, False),
    ],
)
def test_expressions_choose_labels(expression: Raw, expected: bool) -> None:
    """Beside the labels that must be equal."""
    assert (
        matches({"matchLabels": {"app": "api"}, "matchExpressions": [expression]}, {"app": "api", "tier": "web"})
        is expected
    )


@pytest.mark.parametrize(
    ("path", "cells"),
    [
        (f"{PODS}", ["1/1", "Running", "0"]),
        (f"{APPS}/replicasets", ["1", "1", "1"]),
        (f"{CORE}/configmaps", []),
    ],
)
async def test_every_kind_has_columns_of_its_own(path: str, cells: list[str]) -> None:
    """As kubectl prints them, between name and age."""
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "staging"}}
    async with serving(deployment(replicas=1), config) as api:
        found = (await api.http.get(path, headers={"Accept": accept})).json()
    assert [row["cells"][1:-1] for row in found["rows"]] == [cells]
