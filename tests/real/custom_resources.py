"""The kinds of routers and scanners that a bare API server does not know: any object of theirs is accepted."""

from contextlib import suppress

from bot.adapters.kubernetes_calls import HTTP_ROUTES, VIRTUAL_SERVICES, Call, ClusterCall, Raw, Resource
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_scans import VULNERABILITY_REPORTS
from bot.domain.errors import ConflictError, NotFoundError
from tests.real import servers

DEFINITIONS = Resource("apis/apiextensions.k8s.io/v1", "customresourcedefinitions")


def definition(resource: Resource, kind: str) -> Raw:
    """A CustomResourceDefinition without a schema."""
    _, group, version = resource.api.split("/")
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"kind": kind, "plural": resource.plural, "singular": kind.lower()}
    versions = [{"name": version, "served": True, "storage": True, "schema": anything}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{resource.plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, only for tests"},
        },
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


async def installed(client: KubernetesClient) -> None:
    """HTTPRoutes of v1 and VirtualServices of v1beta1, once a cluster."""
    for resource, kind in ((HTTP_ROUTES[0], "HTTPRoute"), (VIRTUAL_SERVICES[1], "VirtualService")):
        await _installed(client, resource, kind)


async def scanner_installed(client: KubernetesClient) -> None:
    """VulnerabilityReports of the Trivy Operator, once a cluster."""
    await _installed(client, VULNERABILITY_REPORTS, "VulnerabilityReport")


async def _installed(client: KubernetesClient, resource: Resource, kind: str) -> None:
    async def served() -> bool:
        try:
            await client.send(Call("list", resource, "default"))
        except NotFoundError:
            return False
        return True

    if not await served():
        with suppress(ConflictError):
            await client.send(ClusterCall("create", DEFINITIONS, ""), definition(resource, kind))
        await servers.until(served, bool)
