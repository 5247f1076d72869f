"""The Role that `sluice rbac` prints, bound to a service account of a real API server."""

from pathlib import Path

import pytest
import yaml

from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.system_clock import SystemClock
from bot.doctor.examination import examined
from bot.doctor.finding import Area, Finding, Grade
from bot.doctor.roles import Account, roles
from bot.domain.errors import RefusedError
from bot.settings import Settings
from runbooks.configuration import load
from tests.adapters.test_kubernetes_canaries_real import BINDINGS, ROLES
from tests.adapters.test_kubernetes_real import restricted
from tests.contracts.clusters import change, fence, image
from tests.contracts.test_cluster_jobs import job
from tests.real.servers import namespace, until

pytestmark = pytest.mark.real

CATALOGUE = """
clusters: {{main: {{kubeconfig: "{kubeconfig}"}}}}
environments: {{staging: {{cluster: main, namespace: {namespace}}}}}
services: {{api: {{image: registry.test/acme/api, workload: deployment/api, channel: "#deploys"}}}}
"""


async def looked(path: Path) -> list[Finding]:
    """What the doctor finds wrong in the cluster."""
    settings = Settings.model_validate({"config": path})
    found = await examined(settings, clock=SystemClock(), areas=[Area.CLUSTER])
    return [finding for finding in found if finding.grade is not Grade.OK]


async def test_the_printed_role_is_what_a_release_needs(tmp_path: Path) -> None:
    """Without it the doctor names every right; with it all is well, a release goes through, and a Job does not."""
    async with namespace() as place:
        ref = await place.workload(image("v1"), replicas=1)
        bot = await restricted(place, tmp_path)
        catalogue = tmp_path / "sluice.yaml"
        catalogue.write_text(CATALOGUE.format(kubeconfig=bot.kubeconfig, namespace=place.name))
        before = await looked(catalogue)
        text = roles(load(catalogue), account=Account(place.name, "bot"))
        for resource, document in zip((ROLES, BINDINGS), yaml.safe_load_all(text), strict=True):
            await place.create(resource, document)
        await until(lambda: looked(catalogue), lambda bad: bad == [])
        async with KubernetesCluster("main", bot, SystemClock()) as cluster:
            hinted: list[object] = []
            cluster.watch(ref, hinted.append)
            await cluster.set_image(ref, change("v2-crash"), fence())
            seen = await until(lambda: cluster.observe(ref), lambda state: any(f.pod for f in state.faults))
            assert await until(lambda: cluster.recent_events(ref), bool)
            await cluster.logs(ref, seen.faults[0].pod, "app")
            assert hinted
            with pytest.raises(RefusedError, match="'get' on 'jobs'"):
                await cluster.run_job(job(ref, "v2"), fence())
    assert before[0].subject == f"{place.name} of cluster main"
    assert "for Deployments (get, list, watch, patch deployments.apps; list replicasets.apps)" in before[0].seen
