"""What a write does."""

import pytest

from tests.sandbox.kubernetes.cluster import APPS, CORE, Raw, config, deployment, serving

MAPS = f"{CORE}/configmaps"
API = f"{APPS}/deployments/api"


async def test_a_new_object_gets_an_identity_and_a_version() -> None:
    """All that the server adds to its metadata."""
    async with serving() as api:
        made = await api.make(MAPS, config("one"))
        found = await api.get(f"{MAPS}/one")
    assert made == found
    assert set(found["metadata"]) >= {"uid", "resourceVersion", "creationTimestamp", "namespace"}
    assert (found["kind"], found["data"]) == ("ConfigMap", {"a": "1", "b": "2"})


async def test_a_name_is_taken_once() -> None:
    """409, and not the reason of a stale write."""
    async with serving(config("one")) as api:
        answer = await api.http.post(MAPS, json=config("one"))
    assert (answer.status_code, answer.json()["reason"]) == (409, "AlreadyExists")
    assert answer.json()["message"] == 'configmaps "one" already exists'


async def test_what_is_not_there_is_not_found() -> None:
    """With the kind's qualified name, for reading as for writing."""
    async with serving() as api:
        answers = [
            await api.http.get(API),
            await api.patch(API, {}),
            await api.http.delete(API),
        ]
        nowhere = await api.http.post("/api/v1/namespaces/nowhere/configmaps", json={"metadata": {"name": "one"}})
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["message"] for answer in answers} == {'deployments.apps "api" not found'}
    assert nowhere.json()["message"] == 'namespaces "nowhere" not found'


async def test_an_unknown_kind_is_no_kubernetes_answer() -> None:
    """As a server without that API says it."""
    async with serving() as api:
        answer = await api.http.get("/apis/argoproj.io/v1alpha1/namespaces/staging/rollouts")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_stale_write_is_a_conflict(method: str) -> None:
    """It names a version that is not the newest any more; nothing is changed."""
    async with serving(config("one")) as api:
        old = await api.get(f"{MAPS}/one")
        await api.patch(f"{MAPS}/one", {"data": {"a": "9"}})
        headers = {"Content-Type": "application/merge-patch+json"}
        stale = old | {"data": {"a": "5"}}
        answer = await api.http.request(method, f"{MAPS}/one", json=stale, headers=headers)
        found = await api.get(f"{MAPS}/one")
    assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")
    assert "the object has been modified" in answer.json()["message"]
    assert found["data"] == {"a": "9", "b": "2"}


async def test_what_changes_nothing_is_no_write() -> None:
    """The version stays."""
    async with serving(config("one")) as api:
        before = await api.get(f"{MAPS}/one")
        await api.patch(f"{MAPS}/one", {"data": {"a": "1"}})
        assert await api.get(f"{MAPS}/one") == before


async def test_a_put_replaces_all() -> None:
    """But for what is the server's own."""
    async with serving(config("one")) as api:
        before = await api.get(f"{MAPS}/one")
        body = {"metadata": {"name": "one"}, "data": {"c": "3"}}
        after = (await api.http.put(f"{MAPS}/one", json=body)).json()
    assert (after["data"], "labels" in after["metadata"]) == ({"c": "3"}, False)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize(
    ("how", "body"),
    [
        ("merge", {"data": {"a": None, "c": "3"}}),
        ("strategic-merge", {"data": {"a": None, "c": "3"}}),
        ("json", [{"op": "remove", "path": "/data/a"}, {"op": "add", "path": "/data/c", "value": "3"}]),
    ],
)
async def test_every_kind_of_patch_adds_and_removes(how: str, body: object) -> None:
    """Each in its own words."""
    async with serving(config("one")) as api:
        answer = await api.patch(f"{MAPS}/one", body, how=how)
    assert answer.json()["data"] == {"b": "2", "c": "3"}


async def test_a_strategic_merge_joins_containers_by_name() -> None:
    """Only a JSON merge patch replaces the list."""
    change = {"spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "p1"}]}}}}
    async with serving(deployment()) as api:
        joined = (await api.patch(API, change)).json()
        replaced = (await api.patch(API, change, how="merge")).json()
    names = [[one["name"] for one in raw["spec"]["template"]["spec"]["containers"]] for raw in (joined, replaced)]
    assert names == [["app", "proxy"], ["proxy"]]


async def test_custom_resources_know_no_strategic_merge() -> None:
    """415, as for a patch of any unknown type."""
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "spec": {}}
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/staging/httproutes/api"
    async with serving({**route, "metadata": {"name": "api", "namespace": "staging"}}) as api:
        refused = await api.patch(path, {"spec": {"rules": []}})
        merged = await api.patch(path, {"spec": {"rules": []}}, how="merge")
    assert (refused.status_code, merged.status_code) == (415, 200)


async def test_annotations_count_into_a_deployments_generation() -> None:
    """Labels do not, and a ReplicaSet's annotations do not either."""
    async with serving(deployment()) as api:
        (name,) = await api.names(f"{APPS}/replicasets")
        before = (await api.get(API))["metadata"]["generation"]
        note: Raw = {"metadata": {"annotations": {"team": "api"}}}
        noted = (await api.patch(API, note)).json()["metadata"]["generation"]
        labelled = (await api.patch(API, {"metadata": {"labels": {"x": "y"}}})).json()["metadata"]["generation"]
        of_set = [(await api.get(f"{APPS}/replicasets/{name}"))["metadata"]["generation"]]
        of_set.append((await api.patch(f"{APPS}/replicasets/{name}", note)).json()["metadata"]["generation"])
    assert (noted - before, labelled - noted, of_set[1] - of_set[0]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"selector": {"matchLabels": {"app": "b"}}}, "does not match template"),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1"),
        ({"strategy": {"rollingUpdate": {"maxSurge": "some"}}}, "maxSurge: Invalid value: 'some'"),
        ({"template": {"spec": {"containers": [{"name": "b"}]}}}, "containers[1].image: Required value"),
    ],
)
async def test_what_no_controller_could_work_with_is_invalid(change: Raw, said: str) -> None:
    """422 with the field, and nothing is written."""
    async with serving(deployment()) as api:
        before = await api.get(API)
        answer = await api.patch(API, {"spec": change})
        assert await api.get(API) == before
    assert (answer.status_code, answer.json()["reason"]) == (422, "Invalid")
    assert said in answer.json()["message"]


@pytest.mark.parametrize("bound", ["uid", "resourceVersion"])
async def test_a_deletion_may_be_bound_to_what_was_read(bound: str) -> None:
    """Another object of the name, or another version of it, stays."""
    async with serving(config("one")) as api:
        found = (await api.get(f"{MAPS}/one"))["metadata"]
        refused = await api.http.request("DELETE", f"{MAPS}/one", json={"preconditions": {bound: "1"}})
        done = await api.http.request("DELETE", f"{MAPS}/one", json={"preconditions": {bound: found[bound]}})
        gone = await api.http.get(f"{MAPS}/one")
    assert (refused.status_code, done.status_code, gone.status_code) == (409, 200, 404)
    assert "Precondition failed" in refused.json()["message"]


async def test_a_deployment_can_be_scaled_by_its_scale() -> None:
    """As `kubectl scale` does it."""
    async with serving(deployment()) as api:
        scale = await api.get(f"{API}/scale")
        answer = await api.http.put(f"{API}/scale", json=scale | {"spec": {"replicas": 3}})
        found = await api.get(API)
    assert (scale["spec"], answer.json()["spec"], found["spec"]["replicas"]) == ({"replicas": 2}, {"replicas": 3}, 3)


async def test_a_dry_run_changes_nothing() -> None:
    """It answers what would be."""
    async with serving(config("one")) as api:
        made = await api.http.post(f"{MAPS}?dryRun=All", json=config("two"))
        await api.http.delete(f"{MAPS}/one?dryRun=All")
        assert await api.names(MAPS) == ["one"]
    assert made.json()["metadata"]["name"] == "two"


@pytest.mark.parametrize("body", ["{", "[]", '"text"'])
async def test_a_body_that_is_no_object_is_a_bad_request(body: str) -> None:
    """400, for each way to write."""
    async with serving(config("one")) as api:
        answers = [await api.http.request(method, f"{MAPS}/one", content=body) for method in ("PUT", "DELETE")]
        answers.append(await api.http.post(MAPS, content=body))
        headers = {"Content-Type": "application/merge-patch+json"}
        answers.append(await api.http.patch(f"{MAPS}/one", content=body, headers=headers))
    assert [answer.status_code for answer in answers] == [400] * 4
