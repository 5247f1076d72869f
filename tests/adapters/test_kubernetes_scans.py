"""Scan reports of a cluster that has none to give."""

from pathlib import Path

import pytest

from bot.adapters.kubernetes_scans import VULNERABILITY_REPORTS
from bot.domain.errors import NotFoundError, RefusedError, UnreadableError
from tests.adapters.kube_api import KubeApi
from tests.adapters.kube_cluster import cluster_on

PATH = f"{VULNERABILITY_REPORTS.api}/namespaces/staging/{VULNERABILITY_REPORTS.plural}"


async def test_a_cluster_without_the_operator_is_named(tmp_path: Path) -> None:
    """With what to install."""
    api = KubeApi()
    api.missing = (VULNERABILITY_REPORTS.api,)
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(NotFoundError, match="cluster main has no VulnerabilityReports; install the Trivy Operator"):
            await cluster.scans.reports("staging")


async def test_a_missing_right_is_named(tmp_path: Path) -> None:
    """As the Role writes it."""
    api = KubeApi()
    api.failing = {"GET": (403, "forbidden")}
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(RefusedError, match="add the verb 'list' on 'vulnerabilityreports'"):
            await cluster.scans.reports("staging")


async def test_an_object_without_a_report_is_refused(tmp_path: Path) -> None:
    """It is not what its kind says; nobody knows what it was about."""
    api = KubeApi()
    api.put(PATH, {"metadata": {"name": "x"}, "report": "clean"})
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(UnreadableError, match="a VulnerabilityReport in staging without one"):
            await cluster.scans.reports("staging")
