"""ingress-nginx: a second Ingress with the canary annotations beside the stable one, which is not touched.

ingress-nginx takes TLS and all other settings of a host and path from the Ingress that is no canary.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import INGRESSES, JSON_MERGE, Call, Raw
from bot.adapters.kubernetes_canary_marks import SUFFIX
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_deletion import deleted
from bot.adapters.kubernetes_job_manifest import MANAGED
from bot.adapters.kubernetes_objects import Metadata, read
from bot.adapters.kubernetes_routing import Standing
from bot.domain.errors import NotFoundError
from bot.domain.traffic import Route
from bot.ports.cluster import Fence

PREFIX = "nginx.ingress.kubernetes.io/"
CANARY = PREFIX + "canary"
WEIGHT = PREFIX + "canary-weight"
CLASS = "kubernetes.io/ingress.class"


class KubernetesNginx:
    """`Routing` by a canary Ingress; `Standing.raw` is that one, its rules are made anew from the stable one's."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    async def read(self, route: Route) -> Standing:
        """See `Routing`."""
        stable = await self._client.send(self._call("get", route, route.name))
        return replace(await self.remains(route), problems=tuple(_problems(route, stable)))

    async def remains(self, route: Route) -> Standing:
        """See `Routing`. The canary's Ingress outlives the stable one."""
        if not (raw := await self._canary(route)):
            return Standing()
        found = read(Metadata, raw.get("metadata") or {}).annotations
        written = found.get(WEIGHT, "")
        weight = int(written) if written.isdecimal() and found.get(CANARY) == "true" else 0
        return Standing((weight,), canary_marks.entry_of(route, found), raw=raw)

    async def write(self, route: Route, standing: Standing, weight: int, fence: Fence) -> None:
        """See `Routing`."""
        note = canary_marks.entry_note(route, weight, fence)
        annotations = {CANARY: "true", WEIGHT: str(weight), **note, **marks.marks(fence)}
        if not standing.raw:
            stable = await self._client.send(self._call("get", route, route.name))
            await self._client.send(self._call("create", route), manifest(route, stable, annotations))
            return
        version = read(Metadata, standing.raw["metadata"]).resource_version
        body = {"metadata": {"resourceVersion": version, "annotations": annotations}}
        await self._client.send(self._call("patch", route, route.name + SUFFIX), body, content_type=JSON_MERGE)

    async def leave(self, route: Route, standing: Standing) -> None:
        """See `Routing`."""
        if standing.raw:
            await deleted(self._client, self._call("delete", route, route.name + SUFFIX), standing.raw)

    async def _canary(self, route: Route) -> Raw:
        try:
            return await self._client.send(self._call("get", route, route.name + SUFFIX))
        except NotFoundError:
            return {}

    def _call(self, verb: str, route: Route, name: str = "") -> Call:
        return Call(verb, INGRESSES, route.workload.namespace, name)


def manifest(route: Route, stable: Raw, annotations: dict[str, str]) -> Raw:
    """The canary's Ingress: hosts and paths of the stable one that lead to the service, with the backend exchanged."""
    spec = stable.get("spec") or {}
    kept = {key: spec[key] for key in ("ingressClassName",) if spec.get(key)}
    old = (stable["metadata"].get("annotations") or {}).get(CLASS)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": route.name + SUFFIX,
            "namespace": route.workload.namespace,
            "labels": dict(MANAGED),
            "annotations": annotations | ({CLASS: old} if old else {}),
        },
        "spec": {**kept, "rules": [_for_canary(route, rule) for rule in _ours(route, stable)]},
    }


def _ours(route: Route, stable: Raw) -> list[Raw]:
    """The rules that count (`rule` is a host, or a number from 1), each with only the paths to the service."""
    rules = (stable.get("spec") or {}).get("rules") or []
    chosen = [
        rule for place, rule in enumerate(rules) if not route.rule or route.rule in (rule.get("host"), str(place + 1))
    ]
    found = [(rule, [path for path in _paths(rule) if _service(path) == route.service]) for rule in chosen]
    return [{**rule, "http": {"paths": paths}} for rule, paths in found if paths]


def _for_canary(route: Route, rule: Raw) -> Raw:
    made = copy.deepcopy(rule)
    for path in _paths(made):
        path["backend"]["service"]["name"] = canary_marks.canary_service(route)
    return made


def _paths(rule: Raw) -> list[Raw]:
    paths: list[Raw] = (rule.get("http") or {}).get("paths") or []
    return paths


def _service(path: Raw) -> str:
    return str(((path.get("backend") or {}).get("service") or {}).get("name") or "")


def _problems(route: Route, stable: Raw) -> Iterator[str]:
    if not _ours(route, stable):
        which = f"rule '{route.rule}'" if route.rule else "no rule"
        verb = "does not lead" if route.rule else "leads"
        yield f"{which} of ingress {route.name} {verb} to the Service {route.service}; name another in `traffic:`"
    if (stable["metadata"].get("annotations") or {}).get(CANARY) == "true":
        yield f"ingress {route.name} is a canary itself; name the Ingress of the stable pods in `traffic:`"
