"""Routers whose one object holds weighted backends in rules: reads it, and patches its rules as a whole."""

from bot.adapters import kubernetes_canary_marks as canary_marks
from bot.adapters import kubernetes_marks as marks
from bot.adapters import kubernetes_weights as weights
from bot.adapters.kubernetes_calls import JSON_MERGE, Call, Raw, Resource
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_objects import Metadata, read
from bot.adapters.kubernetes_routing import NO_TRACES, Standing
from bot.adapters.kubernetes_weights import Dialect
from bot.domain.errors import NotFoundError
from bot.domain.traffic import Route
from bot.ports.cluster import RUN_MARK, Fence

VERSION = "apiVersion"


class KubernetesRules:
    """`Routing` over an object with weighted backends. The patch is bound to the resourceVersion that was read."""

    def __init__(self, client: KubernetesClient, dialect: Dialect) -> None:
        self._client, self._dialect = client, dialect

    async def read(self, route: Route) -> Standing:
        """See `Routing`. The newest version of the API that the cluster serves."""
        raw = await first_served(self._client, self._dialect.resources, route.workload.namespace, route.name)
        metadata, spec = read(Metadata, raw.get("metadata") or {}), raw.get("spec") or {}
        return Standing(
            weights=weights.shares(self._dialect, route, spec),
            entry=canary_marks.entry_of(route, metadata.annotations),
            problems=tuple(weights.problems(self._dialect, route, spec)),
            risks=tuple(weights.risks(self._dialect, route, spec)),
            owner=owner(metadata),
            raw=raw,
        )

    async def remains(self, route: Route) -> Standing:
        """See `Routing`."""
        try:
            return await self.read(route)
        except NotFoundError:
            return Standing()

    async def write(self, route: Route, standing: Standing, weight: int, fence: Fence) -> None:
        """See `Routing`."""
        spec = standing.raw.get("spec") or {}
        before = standing.entry.before if standing.entry else weights.before(self._dialect, route, spec)
        note = canary_marks.entry_note(route, weight, fence, before=before)
        rules = weights.divided(self._dialect, route, spec, weight)
        await self._patch(route, standing.raw, rules, {**note, **marks.marks(fence)})

    async def leave(self, route: Route, standing: Standing) -> None:
        """See `Routing`. Marks of a run that has a canary of another service on the same object stay."""
        annotations = read(Metadata, standing.raw.get("metadata") or {}).annotations
        gone: dict[str, str | None] = {canary_marks.entry_key(route): None}
        if standing.entry and annotations.get(RUN_MARK) == standing.entry.mark.run:
            gone |= dict.fromkeys((RUN_MARK, marks.STEP, marks.FENCE))
        rules = weights.left(self._dialect, route, standing.raw.get("spec") or {}, standing.entry)
        await self._patch(route, standing.raw, rules, gone)

    async def _patch(
        self, route: Route, raw: Raw, rules: list[Raw], annotations: dict[str, str] | dict[str, str | None]
    ) -> None:
        served = next(
            (one for one in self._dialect.resources if one.api.endswith(f"/{raw.get(VERSION, '')}")),
            self._dialect.resources[0],
        )
        version = read(Metadata, raw.get("metadata") or {}).resource_version
        body = {
            "metadata": {"resourceVersion": version, "annotations": annotations},
            "spec": {self._dialect.rules: rules},
        }
        call = Call("patch", served, route.workload.namespace, route.name)
        await self._client.send(call, body, content_type=JSON_MERGE)


async def first_served(client: KubernetesClient, resources: tuple[Resource, ...], namespace: str, name: str) -> Raw:
    """An object from the first of an API's versions that knows it. Raises NotFoundError, in the last one's words."""
    *newer, last = resources
    for resource in newer:
        try:
            return await client.send(Call("get", resource, namespace, name))
        except NotFoundError:
            continue
    return await client.send(Call("get", last, namespace, name))


def owner(metadata: Metadata) -> str:
    """The controller that would undo a change of weights: those of workloads, and others that shift traffic."""
    if found := marks.owner(metadata):
        return found
    if metadata.annotations.get(marks.ALLOW) == "true":
        return ""
    if metadata.labels.get("app.kubernetes.io/managed-by", "").lower() == "flagger":
        return "Flagger"
    traces = (*metadata.labels, *metadata.annotations)
    return "Argo Rollouts" if any(key.startswith(NO_TRACES) for key in traces) else ""
