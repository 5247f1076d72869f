"""`Scans` over Kubernetes: the VulnerabilityReports that the Trivy Operator writes.

Source: aquasecurity/trivy-operator, docs/docs/crds/vulnerability-report.md. Sluice must be allowed to `list`
`vulnerabilityreports` of the API group aquasecurity.github.io.
"""

from collections.abc import Sequence

from bot.adapters.kubernetes_calls import Call, Resource
from bot.adapters.kubernetes_client import KubernetesClient
from bot.domain.errors import NotFoundError, UnreadableError
from bot.domain.json import JsonObject

VULNERABILITY_REPORTS = Resource("apis/aquasecurity.github.io/v1alpha1", "vulnerabilityreports")


class KubernetesScans:
    """The reports of one cluster."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    async def reports(self, namespace: str) -> Sequence[JsonObject]:
        """See `Scans`."""
        try:
            objects = await self._client.items(Call("list", VULNERABILITY_REPORTS, namespace))
        except NotFoundError as exc:
            raise NotFoundError(
                f"cluster {self._client.name} has no VulnerabilityReports; install the Trivy Operator there"
            ) from exc
        found = []
        for one in objects:
            report = one.get("report")
            if not isinstance(report, dict):
                raise UnreadableError(
                    f"cluster {self._client.name} has a VulnerabilityReport in {namespace} without one"
                )
            found.append(report)
        return found
