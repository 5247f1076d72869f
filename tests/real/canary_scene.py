"""What a stage needs for canaries: a router's object, a metrics server that scrapes the pods, and their traffic."""

import itertools
import os
import re
from dataclasses import dataclass
from typing import Any

import httpx

from bot.adapters.kubernetes_calls import DEPLOYMENTS, HTTP_ROUTES, SERVICES, Call, Raw
from bot.domain.errors import NotFoundError
from bot.domain.traffic import Router
from tests.real import servers
from tests.real.stage import Scene, Stage

NUMBERS = itertools.count(1)
RUNBOOK = """
name: quick
about: A canary as the library has it, at the pace of a test.
gates: [image]
steps:
  - approval
  - canary: {weight: 25%, judge: {for: 2m, least: 10s}}
  - canary: {weight: 50%, judge: {for: 2m, least: 5s}}
  - promote
  - smoke
  - watch: 5s
on_failure:
  - restore
  - smoke
  - recovery: 20s
"""


def scene(router: Router) -> Scene:
    """api in prod behind this router, scraped every second."""
    app = f"api-{os.getpid()}-{next(NUMBERS)}"
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    objects: list[tuple[Any, Raw]] = [
        (SERVICES, {"metadata": {"name": "api"}, "spec": {"selector": {"name": "api"}, "ports": ports}})
    ]
    if router is Router.GATEWAY_API:
        rule = {"backendRefs": [{"name": "api", "port": 80}]}
        head = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "api"}}
        objects.append((HTTP_ROUTES[0], {**head, "spec": {"rules": [rule]}}))
    catalogue = f"""
    traffic: {{router: {router}}}
    signals:
      interval: 1s
      labels: {{namespace: null}}
      match: {{app: {app}}}
      guards: ["error_rate < 50%"]
      margins: {{min_bake: 15s}}
metrics: {{main: {{prometheus: {{url: "{servers.named("PROMETHEUS_URL")}"}}}}}}
runbooks_dir: own
"""
    return Scene(app, catalogue, objects)


@dataclass(slots=True)
class Traffic:
    """The traffic program: it sends requests to the ready pods, and each version answers as it is told."""

    http: httpx.AsyncClient
    app: str

    async def answers(self, version: str, **how: float) -> None:
        """How the pods of a version answer from now on; a version that is not there yet is told beforehand."""
        track = {"app": self.app, "version": version, **how}
        (await self.http.post(f"/tracks/{self.app}-{version}", json=track)).raise_for_status()

    async def counted(self) -> tuple[float, float]:
        """Requests until now, and the failed ones of them."""
        text = (await self.http.get("/metrics")).raise_for_status().text
        found = re.findall(rf'^http_requests_total{{app="{self.app}",.*code="(\d+)".*}} (\S+)$', text, re.MULTILINE)
        counts = [(code, float(value)) for code, value in found]
        return sum(count for _, count in counts), sum(count for code, count in counts if code == "500")


async def weight(here: Stage, router: Router) -> int:
    """The canary's share as the cluster has it, in per cent; of the pods where there is no router."""
    if router is Router.REPLICAS:
        found = await optional(here, DEPLOYMENTS, "api-canary")
        return int(found["spec"]["replicas"]) if found else 0
    found = await optional(here, HTTP_ROUTES[0], "api")
    refs = found["spec"]["rules"][0]["backendRefs"]
    weights = {ref["name"]: ref.get("weight", 1) for ref in refs}
    if "api-canary" in weights:
        assert sum(weights.values()) == 100, weights
    return int(weights.get("api-canary", 0))


async def optional(here: Stage, resource: Any, name: str) -> Raw:
    """The object in prod, empty when there is none."""
    try:
        return await here.prod.client.send(Call("get", resource, here.prod.name, name))
    except NotFoundError:
        return {}


async def leftovers(here: Stage) -> list[str]:
    """What there is of a canary in prod."""
    places = {"deployment": DEPLOYMENTS, "service": SERVICES}
    return [name for name, resource in places.items() if await optional(here, resource, "api-canary")]
