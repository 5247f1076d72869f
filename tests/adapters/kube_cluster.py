"""A `KubernetesCluster` whose API server is a test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_login import Connection
from bot.adapters.kubernetes_watch import WatchTimes
from bot.domain.ids import RunId, StepKey
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.cluster import Fence, Hint, ImageChange
from tests.adapters.kube_api import KubeApi, serving
from tests.fakes.clock import FakeClock

DEPLOYMENT = WorkloadRef("main", "staging", WorkloadKind.DEPLOYMENT, "api")
STATEFUL_SET = WorkloadRef("main", "staging", WorkloadKind.STATEFULSET, "api")
DAEMON_SET = WorkloadRef("main", "staging", WorkloadKind.DAEMONSET, "api")

CHANGE = ImageChange("api:v2", "sluice: deploy v2")
FENCE = Fence(RunId("api-staging-7"), StepKey("steps.set_image"), 1)

MOMENT = timedelta(milliseconds=10)
QUICK = WatchTimes(first_wait=MOMENT, longest_wait=MOMENT * 4, refused_wait=MOMENT)
"""No test waits for a pause that is meant for a server in trouble."""


@asynccontextmanager
async def cluster_on(api: KubeApi, folder: Path, *, listener: Hint | None = None) -> AsyncIterator[KubernetesCluster]:
    """The adapter, open, at nine o'clock of the fake clock."""
    async with serving(api, folder) as path:
        connection = Connection(path)
        async with KubernetesCluster("main", connection, FakeClock(), listener=listener, watch_times=QUICK) as cluster:
            yield cluster
