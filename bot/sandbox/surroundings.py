"""Everything around the bot, put together: stand-ins, what stands in them, and traffic that follows the routes."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.ports.clock import Clock
from bot.sandbox.behaviour import Behaviour
from bot.sandbox.github.server import GitHubServer
from bot.sandbox.kubernetes.server import KubernetesServer, kubeconfig
from bot.sandbox.loopback import listening
from bot.sandbox.prometheus.server import PrometheusServer
from bot.sandbox.registry.server import RegistryServer
from bot.sandbox.scenery import Manifest
from bot.sandbox.service_door import ServiceDoor
from bot.sandbox.slack.acme import Acme
from bot.sandbox.slack.stand_in import SlackStandIn, Timing
from bot.sandbox.traffic import SECOND, Traffic


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stand-ins are. `registry` and `github` are hosts with their ports; the others are URLs; `kubeconfig` is
    a path."""

    kubeconfig: Path
    slack: str
    registry: str
    prometheus: str
    door: str
    github: str


@dataclass(frozen=True, slots=True)
class Backend:
    """A Kubernetes Service that gets requests."""

    namespace: str
    service: str


class Surroundings:
    """The stand-ins by name, on one clock. The same `seed` and the same course of things give the same figures.

    `rate` is in requests a second to each service; `tick` is how long the traffic is counted at once, and how often it
    is scraped; `usual` and `noisy` are as for `Traffic`.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        rate: float = 100.0,
        tick: timedelta = SECOND,
        acme: Acme | None = None,
        timing: Timing | None = None,
        usual: Behaviour | None = None,
        noisy: bool = True,
    ) -> None:
        self._clock, self.rate = clock, rate
        self.backends: tuple[Backend, ...] = ()
        self._pods: dict[tuple[str, str], int] = {}
        self.slack = SlackStandIn(clock, acme=acme, timing=timing)
        self.registry = RegistryServer(clock)
        self.cluster = KubernetesServer(clock, seed=seed)
        self.traffic = Traffic(
            clock, seed, rate=rate, tick=tick, usual=usual, noisy=noisy, version_of=self.registry.version_of
        )
        self.prometheus = PrometheusServer(clock, self.traffic)
        self.door = ServiceDoor(self.traffic)
        self.github = GitHubServer(clock)
        self.traffic.before_counting(self._catch_up)
        self.cluster.listen(self._follow)

    @property
    def now(self) -> datetime:
        """The present of all stand-ins."""
        return self._clock.now()

    @asynccontextmanager
    async def serving(self, folder: Path, *, ports: Mapping[str, int] | None = None) -> AsyncIterator[Addresses]:
        """Serve all of them inside the block; the kubeconfig is written into the folder. `ports` by name as in
        `Addresses`; free ones for the others. Raises OSError for one that is taken."""
        given = ports or {}
        async with AsyncExitStack() as stack:
            urls = [
                await stack.enter_async_context(listening(each.application(), port=given.get(name, 0)))
                for name, each in (
                    ("cluster", self.cluster),
                    ("registry", self.registry),
                    ("prometheus", self.prometheus),
                    ("door", self.door),
                    ("github", self.github),
                )
            ]
            slack = await stack.enter_async_context(self.slack.serving())
            path = folder / "kubeconfig"
            path.write_text(kubeconfig(urls[0]))
            self.github.web = urls[4]
            hosts = [url.removeprefix("http://") for url in urls]
            yield Addresses(path, slack, hosts[1], urls[2], urls[3], hosts[4])

    def furnish(self, manifests: Iterable[tuple[str, Manifest]]) -> None:
        """Put objects into their namespaces, at rest since a while. Each Service among them gets requests."""
        backends = []
        for namespace, manifest in manifests:
            named = manifest["metadata"] | {"namespace": namespace}
            self.cluster.apply(manifest | {"metadata": named})
            if manifest["kind"] == "Service":
                backends.append(Backend(namespace, manifest["metadata"]["name"]))
        self.backends += tuple(backends)
        self.cluster.settle()
        self._follow(self._clock.now())

    def advance(self) -> datetime | None:
        """Let all happen that is due by the clock; when the next thing is."""
        return self.cluster.advance()

    async def keep_going(self) -> None:
        """In real time: let everything happen in its moment, for ever."""
        while True:
            self.cluster.changed.clear()
            coming = self.advance()
            wait_s = None if coming is None else max(0.0, (coming - self._clock.now()).total_seconds())
            try:
                async with asyncio.timeout(wait_s):
                    await self.cluster.changed.wait()
            except TimeoutError:
                continue  # its moment has come

    def _catch_up(self) -> None:
        self.cluster.advance()

    def _follow(self, at: datetime) -> None:
        """Tell the traffic who gets which requests now, and which pods have ended or begun anew."""
        for backend in self.backends:
            found = self.cluster.endpoints(backend.namespace, backend.service)
            self.traffic.route(at, service=backend.service, namespace=backend.namespace, endpoints=found)
        there = {(each.namespace, pod.name): pod.restarts for each in self.cluster.shown() for pod in each.pods}
        for (namespace, pod), restarts in self._pods.items():
            if (namespace, pod) not in there:
                self.traffic.ended(at, pod=pod, namespace=namespace)
            elif there[namespace, pod] > restarts:
                self.traffic.restarted(at, pod=pod, namespace=namespace)
        self._pods = there
