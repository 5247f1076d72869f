"""Connection, credentials, deadline, pages and odd answers."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.adapters.kubernetes_calls import DEPLOYMENTS, PODS, Call
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_login import Connection, login
from bot.domain.errors import RefusedError, SetupError, UnreachableError, UnreadableError
from tests.adapters import kube_objects as kube
from tests.adapters.kube_api import KubeApi, kubeconfig, refused, serving
from tests.fakes.clock import FakeClock

GET = Call("get", DEPLOYMENTS, "staging", "api")
PERIOD = timedelta(seconds=5)


@asynccontextmanager
async def connected(
    api: KubeApi, folder: Path, *, clock: FakeClock | None = None, deadline_s: float = 5
) -> AsyncIterator[KubernetesClient]:
    """A client of `api`."""
    async with serving(api, folder) as path:
        wait = timedelta(seconds=deadline_s)
        client = KubernetesClient("main", Connection(path), clock or FakeClock(), deadline=wait)
        await client.open()
        try:
            yield client
        finally:
            await client.close()


async def test_it_shows_who_it_is(tmp_path: Path) -> None:
    """The kubeconfig's token, our name, and plain JSON."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    async with connected(api, tmp_path) as client:
        found = await client.send(GET)
    headers = api.requests[0].headers
    assert found["metadata"]["name"] == "api"
    assert (headers["Authorization"], headers["User-Agent"]) == ("Bearer secret", "sluice")


async def test_a_token_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    """A minute after it was read, not at every request."""
    api, clock = KubeApi(), FakeClock()
    api.put(kube.DEPLOYMENTS, kube.workload())
    async with connected(api, tmp_path, clock=clock) as client:
        await client.send(GET)
        (tmp_path / "token").write_text("fresh")
        await client.send(GET)
        clock.advance(timedelta(seconds=61))
        await client.send(GET)
    shown = [request.headers["Authorization"] for request in api.requests]
    assert shown == ["Bearer secret", "Bearer secret", "Bearer fresh"]


async def test_silence_is_unreachable(tmp_path: Path) -> None:
    """The deadline covers the whole call; the text names cluster and call."""
    api = KubeApi()
    api.silent = True
    async with connected(api, tmp_path, deadline_s=0.1) as client:
        with pytest.raises(
            UnreachableError, match=r"cluster main did not answer within 0\.1 s \(get deployments/api in"
        ):
            await client.send(GET)


async def test_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    """Nobody listens."""
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig("http://127.0.0.1:9"))
    client = KubernetesClient("main", Connection(str(path)), FakeClock())
    await client.open()
    with pytest.raises(UnreachableError, match="cluster main cannot be reached"):
        await client.send(GET)
    await client.close()


async def test_a_client_that_is_not_open_says_so(tmp_path: Path) -> None:
    """A fault of the program's wiring, not of the cluster."""
    client = KubernetesClient("main", Connection(), FakeClock())
    with pytest.raises(SetupError, match="main is not open"):
        await client.send(GET)
    await client.close()


@pytest.mark.parametrize("text", ["{", "a proxy's page", "[1]"])
async def test_what_is_no_object_is_unreadable(tmp_path: Path, text: str) -> None:
    """An answer 200 that is not what its protocol says."""
    api = KubeApi()
    api.answers.append(web.Response(text=text))
    async with connected(api, tmp_path) as client:
        with pytest.raises(UnreadableError, match="main did not answer get deployments/api"):
            await client.send(GET)


async def test_a_list_comes_in_pages(tmp_path: Path) -> None:
    """All of them are read, in order."""
    api = KubeApi()
    api.page = 2
    for number in range(5):
        api.put(kube.PODS, kube.pod(f"api-{number}"))
    async with connected(api, tmp_path) as client:
        found = await client.items(Call("list", PODS, "staging"))
    assert [one["metadata"]["name"] for one in found] == [f"api-{number}" for number in range(5)]
    assert len(api.requests) == 3


async def test_a_list_without_end_is_unreadable(tmp_path: Path) -> None:
    """A server that always has another page must not hold us for ever."""
    api = KubeApi()
    page = json.dumps({"items": [], "metadata": {"continue": "more"}})
    api.answers += [web.Response(text=page) for _ in range(30)]
    async with connected(api, tmp_path) as client:
        with pytest.raises(UnreadableError, match="more than 10000 objects"):
            await client.items(Call("list", PODS, "staging"))


async def test_a_stream_gives_events_until_it_is_cut(tmp_path: Path) -> None:
    """One JSON object a line."""
    api = KubeApi()
    seen = []
    async with connected(api, tmp_path) as client:
        call = Call("watch", PODS, "staging", query={"watch": "1"})
        async with aclosing(client.stream(call, period=PERIOD)) as events:
            api.on_watch = lambda: api.put(kube.PODS, kube.pod("api-1"))
            seen.append(await anext(events))
            api.cut()
            seen += [event async for event in events]
    assert [event["object"]["metadata"]["name"] for event in seen] == ["api-1"]


async def test_a_silent_stream_is_unreachable(tmp_path: Path) -> None:
    """A connection that died without a word."""
    api = KubeApi()
    async with connected(api, tmp_path) as client:
        call = Call("watch", PODS, "staging", query={"watch": "1"})
        with pytest.raises(UnreachableError, match="fell silent"):
            async for _ in client.stream(call, period=timedelta(seconds=0.1)):
                pass


async def test_a_refused_stream_is_refused(tmp_path: Path) -> None:
    """The status counts before the events."""
    api = KubeApi()
    api.answers.append(refused(403, "no"))
    async with connected(api, tmp_path) as client:
        with pytest.raises(RefusedError, match="'watch' on 'pods'"):
            async for _ in client.stream(Call("watch", PODS, "staging", query={"watch": "1"}), period=PERIOD):
                pass


@pytest.mark.parametrize("text", [None, "{nonsense", "{}"])
async def test_a_kubeconfig_that_is_of_no_use_is_named(tmp_path: Path, text: str | None) -> None:
    """Missing, not YAML, or empty: the program cannot start, and the text names the file."""
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    client = KubernetesClient("main", Connection(str(path)), FakeClock())
    with pytest.raises(SetupError, match=f"cannot log in to Kubernetes with {path}"):
        await client.open()


async def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A slip in the catalogue."""
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig("http://127.0.0.1:9"))
    with pytest.raises(SetupError, match="prd"):
        await KubernetesClient("main", Connection(str(path), "prd"), FakeClock()).open()


async def test_the_default_kubeconfig_is_read_when_none_is_named(tmp_path: Path) -> None:
    """As kubectl does."""
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig("http://127.0.0.1:9"))
    assert (await login(Connection(), FakeClock(), default=path)).host == "http://127.0.0.1:9"


async def test_without_any_kubeconfig_it_must_be_a_pod(tmp_path: Path) -> None:
    """This is none: the text names what was looked for."""
    with pytest.raises(SetupError, match="service account"):
        await login(Connection(), FakeClock(), default=tmp_path / "missing")
