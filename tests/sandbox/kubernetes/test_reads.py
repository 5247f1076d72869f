"""What a list, a watch and a log tell."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.sandbox.kubernetes.cluster import CORE, Api, Raw, config, deployment, serving

MAPS = f"{CORE}/configmaps"
Next = Callable[[], Awaitable[Raw]]


@asynccontextmanager
async def watching(api: Api, **query: str) -> AsyncIterator[Next]:
    """A stream of ConfigMaps; its next event."""
    async with api.http.stream("GET", MAPS, params={"watch": "1", **query}) as answer:
        lines = answer.aiter_lines()

        async def coming() -> Raw:
            event: Raw = json.loads(await asyncio.wait_for(anext(lines), 5))
            return event

        yield coming


def told(event: Raw) -> tuple[str, str]:
    """What happened to whom."""
    return event["type"], event["object"]["metadata"]["name"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"labelSelector": "app=a"}, ["one", "two"]),
        ({"labelSelector": "app==a,tier!=web"}, ["one"]),
        ({"labelSelector": "app in (a, b),tier"}, ["two"]),
        ({"labelSelector": "app notin (a)"}, ["three"]),
        ({"labelSelector": "!tier"}, ["one", "three"]),
        ({"fieldSelector": "metadata.name=two"}, ["two"]),
        ({"fieldSelector": "metadata.name!=two", "labelSelector": "app=a"}, ["one"]),
    ],
)
async def test_selectors_choose(query: dict[str, str], names: list[str]) -> None:
    """By labels, sets of them, and fields."""
    objects = (config("one", app="a"), config("two", app="a", tier="web"), config("three", app="b"))
    async with serving(*objects) as api:
        assert sorted(await api.names(MAPS, **query)) == sorted(names)


async def test_a_selector_that_cannot_be_read_is_a_bad_request() -> None:
    """Not an empty list."""
    async with serving() as api:
        answer = await api.http.get(MAPS, params={"labelSelector": "a=b=c"})
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


async def test_a_long_list_comes_in_pages() -> None:
    """Each begins after the last one, also when that is gone by then."""
    async with serving(*(config(f"m{number}") for number in range(5))) as api:
        first = await api.get(MAPS, limit="2")
        await api.http.delete(f"{MAPS}/m1")
        token = first["metadata"]["continue"]
        second = await api.get(MAPS, **{"limit": "2", "continue": token})
        third = await api.names(MAPS, **{"limit": "2", "continue": second["metadata"]["continue"]})
        odd = await api.http.get(MAPS, params={"continue": "???"})
    assert [one["metadata"]["name"] for one in second["items"]] == ["m2", "m3"]
    assert (third, odd.status_code) == (["m4"], 400)


async def test_metadata_alone_may_be_asked_for() -> None:
    """Without what the objects hold."""
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    async with serving(config("one")) as api:
        found = (await api.http.get(MAPS, headers={"Accept": accept})).json()
    assert found["kind"] == "PartialObjectMetadataList"
    assert [set(one) for one in found["items"]] == [{"kind", "apiVersion", "metadata"}]


async def test_an_object_is_served_in_the_version_that_is_asked_for() -> None:
    """Gateway API routes have two."""
    metadata = {"name": "api", "namespace": "staging"}
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata}
    async with serving(route) as api:
        listed = await api.get("/apis/gateway.networking.k8s.io/v1beta1/namespaces/staging/httproutes")
    assert [one["apiVersion"] for one in listed["items"]] == ["gateway.networking.k8s.io/v1beta1"]


async def test_a_watch_tells_what_happened_since_a_version() -> None:
    """First what was missed, then what happens, nothing twice."""
    async with serving() as api:
        version = (await api.get(MAPS))["metadata"]["resourceVersion"]
        await api.make(MAPS, config("one"))
        async with watching(api, resourceVersion=version) as coming:
            seen = [told(await coming())]
            await api.patch(f"{MAPS}/one", {"data": {"a": "9"}})
            await api.http.delete(f"{MAPS}/one")
            seen += [told(await coming()), told(await coming())]
    assert seen == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


async def test_an_object_that_is_no_longer_selected_is_gone_for_a_watch() -> None:
    """And new when it is again."""
    async with serving() as api:
        version = (await api.get(MAPS))["metadata"]["resourceVersion"]
        async with watching(api, resourceVersion=version, labelSelector="app=a") as coming:
            await api.make(MAPS, config("one", app="a"))
            for app in ("b", "a"):
                await api.patch(f"{MAPS}/one", {"metadata": {"labels": {"app": app}}})
            seen = [told(await coming())[0] for _ in range(3)]
    assert seen == ["ADDED", "DELETED", "ADDED"]


async def test_a_watch_without_a_version_begins_with_all_there_is() -> None:
    """Nobody needs to list before."""
    async with serving(config("one"), config("two")) as api, watching(api) as coming:
        assert {told(await coming()), told(await coming())} == {("ADDED", "one"), ("ADDED", "two")}


async def test_a_version_that_is_forgotten_is_gone() -> None:
    """410 within the stream, as API servers say it."""
    async with serving(config("one")) as api:
        version = (await api.get(MAPS))["metadata"]["resourceVersion"]
        api.kube.server.forget()
        async with watching(api, resourceVersion=version) as coming:
            event = await coming()
        fresh = (await api.get(MAPS))["metadata"]["resourceVersion"]
        async with watching(api, resourceVersion=fresh) as coming:
            await api.make(MAPS, config("two"))
            assert told(await coming()) == ("ADDED", "two")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_watch_ends_in_its_time_with_a_bookmark() -> None:
    """The client may go on from there."""
    async with serving() as api:
        query = {"timeoutSeconds": "60", "allowWatchBookmarks": "true", "resourceVersion": "1"}
        async with watching(api, **query) as coming:
            api.kube.passes(61)
            mark = await coming()
            with pytest.raises(StopAsyncIteration):
                await coming()
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["metadata"]["resourceVersion"] == (await api.get(MAPS))["metadata"]["resourceVersion"]


async def test_logs_are_of_this_life_or_the_one_before() -> None:
    """The last lines, the last life's, and none where there was none."""
    async with serving(deployment("v1"), deployment("v1-crash", name="bad")) as api:
        (pod, *_), (bad, *_) = (
            await api.names(f"{CORE}/pods", labelSelector="app=api"),
            await api.names(f"{CORE}/pods", labelSelector="app=bad"),
        )
        now = await api.http.get(f"{CORE}/pods/{pod}/log")
        last = await api.http.get(f"{CORE}/pods/{bad}/log", params={"previous": "true", "tailLines": "1"})
        none = await api.http.get(f"{CORE}/pods/{pod}/log", params={"previous": "true"})
        wrong = await api.http.get(f"{CORE}/pods/{pod}/log", params={"container": "web"})
    assert (now.text, last.text) == ("started registry.test/acme/api:v1\n", "exit status 1\n")
    assert (none.status_code, wrong.status_code) == (400, 400)
    assert none.json()["message"] == f'previous terminated container "app" in pod "{pod}" not found'


async def test_the_server_tells_what_it_has() -> None:
    """As kubectl asks before anything else."""
    async with serving() as api:
        groups = [one["name"] for one in (await api.get("/apis"))["groups"]]
        listed = [one["name"] for one in (await api.get("/apis/apps/v1"))["resources"]]
        version = (await api.get("/version"))["major"]
    assert {"apps", "batch", "gateway.networking.k8s.io", "metrics.k8s.io"} <= set(groups)
    assert {"deployments", "deployments/scale", "replicasets"} <= set(listed)
    assert version == "1"


async def test_kubectl_gets_its_columns() -> None:
    """A table, when asked for one."""
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    async with serving(deployment()) as api:
        found = (await api.http.get("/apis/apps/v1/deployments", headers={"Accept": accept})).json()
    assert [one["name"] for one in found["columnDefinitions"]] == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    assert [row["cells"] for row in found["rows"]] == [["api", "2/2", "2", "2", "60m"]]


async def test_pods_are_measured() -> None:
    """By the function that is given, for pods that run."""
    async with serving(deployment(replicas=1)) as api:
        api.kube.server.measure(lambda _namespace, _pod: 0.25)
        (found,) = (await api.get("/apis/metrics.k8s.io/v1beta1/namespaces/staging/pods"))["items"]
    assert found["containers"][0]["usage"]["cpu"] == "250000000n"


async def test_while_it_is_down_nobody_is_answered() -> None:
    """Neither well nor wrongly."""
    async with serving(config("one")) as api:
        api.kube.server.outage.down = True
        answer: httpx.Response = await api.http.get(MAPS)
        api.kube.server.outage.down = False
        assert await api.names(MAPS) == ["one"]
    assert answer.status_code == 503
