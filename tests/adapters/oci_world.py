"""Our client of a registry in memory, and somebody who has pushed there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from bot.adapters.oci_auth import Login
from bot.adapters.oci_registry import OciRegistry
from tests.adapters.oci_server import OciServer
from tests.real.servers import Registry

API = "ghcr.io/acme/api"


async def pushed(server: OciServer, *tags: str, path: str = "acme/api") -> Registry:
    """Push images to the server."""
    registry = Registry(httpx.AsyncClient(transport=server, base_url="https://ghcr.io"), "ghcr.io")
    for tag in tags:
        await registry.push(path, tag)
    server.requests.clear()
    return registry


@asynccontextmanager
async def asking(server: OciServer, **logins: Login) -> AsyncIterator[OciRegistry]:
    """Our client; `ghcr` is the login for ghcr.io, `hub` that for Docker Hub."""
    hosts = {"ghcr": "ghcr.io", "hub": "docker.io"}
    async with OciRegistry(transport=server, logins={hosts[key]: value for key, value in logins.items()}) as registry:
        yield registry
