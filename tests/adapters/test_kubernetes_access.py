"""What an API server says of itself and of our rights."""

from pathlib import Path

import pytest
from aiohttp import web

from bot.adapters.kubernetes_access import KubernetesAccess, Permission
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_login import Connection
from bot.domain.errors import UnreadableError
from bot.sandbox.kubernetes.server import kubeconfig
from bot.sandbox.loopback import listening
from tests.contracts import sandbox_cluster
from tests.fakes.clock import FakeClock

LOGS = Permission("staging", "", "pods/log", "get")


async def test_rights_are_asked_one_by_one() -> None:
    """By namespace, group, resource with its subresource, and verb."""
    async with sandbox_cluster.running() as there:
        access = KubernetesAccess(there.client)
        there.server.access.bind("staging", [{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}])
        others = [
            Permission("prod", "", "pods/log", "get"),
            Permission("staging", "", "pods", "get"),
            Permission("staging", "apps", "pods/log", "get"),
            Permission("staging", "", "pods/log", "list"),
        ]
        assert await access.may(LOGS)
        assert [await access.may(other) for other in others] == [False] * 4


async def test_the_server_says_its_version_and_its_time() -> None:
    """Both come with one answer."""
    async with sandbox_cluster.running() as there:
        access = KubernetesAccess(there.client)
        assert await access.version() == "v1.31.0+sandbox"
        assert "Date" in await access.headers()


async def test_answers_that_say_nothing_are_no_yes(tmp_path: Path) -> None:
    """A proxy may answer anything."""

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"kind": "Status"})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with listening(app) as url:
        path = tmp_path / "kubeconfig"
        path.write_text(kubeconfig(url))
        client = KubernetesClient("main", Connection(str(path)), FakeClock())
        await client.open()
        access = KubernetesAccess(client)
        with pytest.raises(UnreadableError, match="does not say what Sluice may do"):
            await access.may(LOGS)
        with pytest.raises(UnreadableError, match="does not say its version"):
            await access.version()
        await client.close()
