"""What scanners in a cluster have found in the images that run there."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.json import JsonObject


class Scans(Protocol):
    """The scan reports of one cluster, as the Trivy Operator keeps them."""

    async def reports(self, namespace: str) -> Sequence[JsonObject]:
        """Every `report` of a VulnerabilityReport (aquasecurity.github.io/v1alpha1) in a namespace, as it stands.

        Raises NotFoundError where the cluster does not know that kind, RefusedError (403: the text names the right that
        is missing), UnreadableError, UnreachableError.
        """
        ...


class ScannedClusters(Protocol):
    """The clusters of the catalogue, as places with scan reports."""

    def scans(self, name: str) -> Scans:
        """The cluster of that name. Raises NotFoundError."""
        ...
