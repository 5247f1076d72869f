"""The sandbox's cluster over loopback HTTP on virtual time, for the contracts that hold there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from bot.adapters.kubernetes_calls import PODS, Call
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_login import Connection
from bot.sandbox.kubernetes.server import KubernetesServer, kubeconfig
from bot.sandbox.loopback import listening
from tests.fakes.clock import FakeClock

Seen = TypeVar("Seen")
NAMESPACE = "staging"


@dataclass(frozen=True, slots=True)
class SandboxCluster:
    """The server, its clock, how to get there, and a client of its own."""

    server: KubernetesServer
    clock: FakeClock
    connection: Connection
    client: KubernetesClient

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        """Let time pass, by half seconds, until it holds."""
        for _ in range(240):
            if holds(seen := await look()):
                return seen
            self.clock.advance(timedelta(seconds=0.5))
            self.server.advance()
            # Streams get their turn while this is on its way.
            await self.client.send(Call("list", PODS, NAMESPACE))
        pytest.fail(f"not within two minutes; seen last: {seen}")


@asynccontextmanager
async def running() -> AsyncIterator[SandboxCluster]:
    """A cluster with the namespace `staging`."""
    clock = FakeClock()
    server = KubernetesServer(clock)
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    server.settle()
    with TemporaryDirectory() as folder:
        async with listening(server.application()) as url:
            path = Path(folder) / "kubeconfig"
            path.write_text(kubeconfig(url))
            connection = Connection(str(path))
            client = KubernetesClient("main", connection, clock)
            await client.open()
            try:
                yield SandboxCluster(server, clock, connection, client)
            finally:
                await client.close()
