"""The sandbox's world on virtual time: what stands in it, moved by hand."""

from datetime import timedelta

from bot.sandbox import scenery
from bot.sandbox.kubernetes.panel import DeploymentShown
from bot.sandbox.scenery import Manifest
from bot.sandbox.surroundings import Surroundings
from tests.fakes.clock import FakeClock

REGISTRY = "registry.example"


class World:
    """Surroundings as `sluice sandbox` furnishes them, without a bot."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.around = Surroundings(self.clock)
        for service in scenery.SERVICES:
            for tag in scenery.VERSIONS:
                self.around.registry.push(f"acme/{service}", tag)
        self.around.furnish(scenery.manifests(REGISTRY))

    def passes(self, seconds: float) -> None:
        """Let time pass, each thing in its moment."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while (coming := self.around.advance()) is not None and coming <= until:
            self.clock.advance_to(coming)
        self.clock.advance_to(until)
        self.around.advance()

    def deploy(self, tag: str, *, service: str = "api", namespace: str = "staging", pods: int = 2) -> None:
        """What `kubectl set image` would do."""
        self._apply(namespace, scenery.deployment(service, f"{REGISTRY}/acme/{service}:{tag}", pods))

    def canary(self, tag: str, weight: int, *, pods: int = 1) -> None:
        """A canary of api in prod with this share of the requests, in per cent; it is at rest when this returns."""
        name = "api-canary"
        self._apply("prod", scenery.deployment(name, f"{REGISTRY}/acme/api:{tag}", pods))
        self._apply("prod", scenery.kubernetes_service(name))
        refs = [{"name": "api", "port": 80, "weight": 100 - weight}, {"name": name, "port": 80, "weight": weight}]
        self._apply("prod", scenery.route("api") | {"spec": {"rules": [{"backendRefs": refs}]}})
        self.passes(20)

    def deployment(self, name: str, namespace: str = "staging") -> DeploymentShown:
        """One of the cluster's Deployments now."""
        return next(each for each in self.around.cluster.shown() if (each.name, each.namespace) == (name, namespace))

    def _apply(self, namespace: str, manifest: Manifest) -> None:
        self.around.cluster.apply(manifest | {"metadata": manifest["metadata"] | {"namespace": namespace}})
