"""The table of rights is what the adapters use: with less nothing works, and nothing is in it for later.

The sandbox's cluster refuses what no Role has; tests marked `real` of the Role are in tests/adapters.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_usage import KubernetesUsage
from bot.doctor.rights import KINDS, ROUTERS, Need, rights_of
from bot.domain.errors import RefusedError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.domain.traffic import Router
from bot.ports.cluster import JobPhase
from bot.sandbox.kubernetes.access import Right
from tests.contracts import sandbox_cluster
from tests.contracts.canary_steps import NEW, every, remove, shift
from tests.contracts.clusters import change, fence, image
from tests.contracts.route_worlds import SandboxWorld
from tests.contracts.routes import firmly, ready
from tests.contracts.sandbox_cluster import NAMESPACE, SandboxCluster
from tests.contracts.test_cluster_jobs import job
from tests.real.servers import Namespace


@dataclass(frozen=True, slots=True)
class Scene:
    """A cluster, and the adapter on it."""

    sandbox: SandboxCluster
    cluster: KubernetesCluster

    @property
    def used(self) -> set[Right]:
        """The rights that were needed since the Role was bound."""
        return self.sandbox.server.access.used

    async def workload(self, kind: WorkloadKind = WorkloadKind.DEPLOYMENT) -> WorkloadRef:
        """A workload that runs."""
        place = Namespace(NAMESPACE, self.sandbox.client)
        replicas = {} if kind is WorkloadKind.DAEMONSET else {"replicas": 1}
        ref = await place.workload(image("v1"), kind=kind, **replicas)
        await self.sandbox.until(lambda: self.cluster.observe(ref), lambda state: state.settled)
        return ref

    def bind(self, *needs: Need) -> None:
        """From now on there are no other rights than for these needs."""
        access = self.sandbox.server.access
        access.bind(
            NAMESPACE,
            [{"apiGroups": [r.group], "resources": [r.resource], "verbs": r.verbs} for r in rights_of(needs)],
        )
        access.used.clear()


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """On virtual time."""
    async with (
        sandbox_cluster.running() as sandbox,
        KubernetesCluster("main", sandbox.connection, sandbox.clock) as cluster,
    ):
        yield Scene(sandbox, cluster)


def granted(needs: Iterable[Need]) -> set[Right]:
    """What a Role for these has."""
    return {
        (one.namespace, one.verb, one.group, one.resource)
        for right in rights_of(needs)
        for one in right.permissions(NAMESPACE)
    }


@pytest.mark.parametrize("kind", WorkloadKind)
async def test_a_release_needs_exactly_its_rights(kind: WorkloadKind) -> None:
    """To look, to change the image, to follow, and to tell why a pod does not come up."""
    needs = (Need.RELEASE, KINDS[kind])
    async with scene() as there:
        ref = await there.workload(kind)
        there.bind(*needs)
        there.cluster.watch(ref, lambda _: None)
        await there.cluster.set_image(ref, change("v2-crash"), fence())
        seen = await there.sandbox.until(lambda: there.cluster.observe(ref), lambda state: bool(state.faults))
        await there.cluster.recent_events(ref)
        await there.cluster.logs(ref, seen.faults[0].pod, "app")
        assert there.used == granted(needs)


async def test_a_job_needs_exactly_its_rights() -> None:
    """To make it once, to follow it, to read its last lines, to remove it."""
    async with scene() as there:
        ref = await there.workload()
        there.bind(Need.RELEASE, Need.DEPLOYMENT, Need.JOB)
        spec = job(ref, "v2")
        run: Callable[[], Awaitable[object]] = lambda: there.cluster.run_job(spec, fence())  # noqa: E731 - named for its type
        await there.sandbox.until(run, lambda state: getattr(state, "phase", None) is JobPhase.SUCCEEDED)
        await there.cluster.delete_job(ref, spec.name)
        assert {right for right in there.used if right[3] == "jobs"} == granted([Need.JOB])


@every
async def test_a_canary_needs_exactly_its_rights(router: Router) -> None:
    """A survey, a canary beside fresh baseline pods, a share, the clean-up."""
    more = (Need.CANARY, *ROUTERS[router])
    async with scene() as there:
        world = SandboxWorld(there.cluster, there.sandbox)
        route = await world.route(router, pods=1, fresh=True)
        there.bind(Need.RELEASE, Need.DEPLOYMENT, *more)
        assert (await world.canaries.survey(route)).problems == ()
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        await ready(world, route)
        await shift(world, route, 30)
        await remove(world, route)
        assert granted(more) <= there.used


async def test_usage_and_reports_need_exactly_their_rights() -> None:
    """Each is one list."""
    async with scene() as there:
        there.bind(Need.USAGE, Need.SCANS)
        await there.cluster.scans.reports(NAMESPACE)
        usage = KubernetesUsage({"main": there.sandbox.connection}, there.sandbox.clock)
        async with usage:
            await usage.pods("main", NAMESPACE)
        assert there.used == granted([Need.USAGE, Need.SCANS])


async def test_without_the_right_to_patch_nothing_is_released() -> None:
    """The stand-in does refuse: else the tests above would show nothing."""
    async with scene() as there:
        ref = await there.workload()
        there.bind(Need.RELEASE, Need.STATEFULSET)
        with pytest.raises(RefusedError, match="verb 'get' on 'deployments'"):
            await there.cluster.set_image(ref, change("v2"), fence())
