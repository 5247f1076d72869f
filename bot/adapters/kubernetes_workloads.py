"""Looks at a workload, at what its newest revision is, and at the pods of that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import CONTROLLER_REVISIONS, PODS, REPLICASETS, WORKLOADS, Call, Resource
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_containers import cpu_cores_of
from bot.adapters.kubernetes_faults import READY_WITHIN_S, Patience, faults
from bot.adapters.kubernetes_objects import Model, read
from bot.adapters.kubernetes_pod_objects import Pod
from bot.adapters.kubernetes_rollout import available_pods, progress, same_template, seen, template_sha256
from bot.adapters.kubernetes_workload_objects import ControllerRevision, Workload
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.clock import Clock
from bot.ports.cluster import WorkloadState

REVISION_LABEL = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class Revision:
    """What the newest pods have in common: who makes them, and the hash in their label (empty for a ReplicaSet's)."""

    maker: Workload
    label: str = ""

    def has(self, pod: Pod) -> bool:
        """Whether this pod is one of them."""
        controller = pod.metadata.controller
        if controller is None or controller.uid != self.maker.metadata.uid:
            return False
        return not self.label or pod.metadata.labels.get(REVISION_LABEL) == self.label


class KubernetesWorkloads:
    """Reads only; every method raises as `KubernetesClient.send`."""

    def __init__(self, client: KubernetesClient, clock: Clock) -> None:
        self._client, self._clock = client, clock

    async def fetch(self, ref: WorkloadRef) -> Workload:
        """The object itself."""
        return read(Workload, await self._client.send(Call("get", WORKLOADS[ref.kind], ref.namespace, ref.name)))

    async def state(
        self, ref: WorkloadRef, workload: Workload, *, ready_within_s: float | None = None
    ) -> WorkloadState:
        """The workload with its newest pods and their faults; none of both until the controller has seen the change."""
        counted, state = progress(ref.kind, workload), self._without_pods(ref, workload)
        newest = await self.newest(ref, workload)
        if newest is None:
            return state
        found = await self._owned(Pod, PODS, ref, workload)
        pods = [pod for pod in found if newest.has(pod)]
        patience = Patience(self._clock.now(), READY_WITHIN_S if ready_within_s is None else ready_within_s)
        return replace(
            state,
            updated_available=available_pods(pods, now=patience.now, min_ready_s=workload.spec.min_ready_seconds),
            settled=counted.complete,
            faults=faults(workload, newest.maker, pods, patience),
        )

    def _without_pods(self, ref: WorkloadRef, workload: Workload) -> WorkloadState:
        """What the object alone says."""
        counted, metadata = progress(ref.kind, workload), workload.metadata
        return WorkloadState(
            ref=ref,
            uid=metadata.uid,
            resource_version=metadata.resource_version,
            generation=metadata.generation,
            observed_generation=workload.status.observed_generation,
            images={container.name: container.image for container in workload.pod.containers},
            template_sha256=template_sha256(workload.spec.template),
            desired=counted.desired,
            updated=counted.updated,
            updated_available=0,
            available=counted.available,
            total=counted.total,
            settled=False,
            paused=workload.spec.paused,
            annotations=metadata.annotations,
            owner=marks.owner(metadata),
            cpu_cores=cpu_cores_of(ref, workload),
        )

    async def newest(self, ref: WorkloadRef, workload: Workload) -> Revision | None:
        """The revision that the template asks for; `None` while its controller has not made it."""
        if not seen(workload):
            return None
        match ref.kind:
            case WorkloadKind.DEPLOYMENT:
                return await self._newest_replica_set(ref, workload)
            case WorkloadKind.STATEFULSET:
                label = workload.status.update_revision
                return Revision(workload, label) if label else None
            case WorkloadKind.DAEMONSET:
                return await self._newest_controller_revision(ref, workload)

    async def _newest_replica_set(self, ref: WorkloadRef, workload: Workload) -> Revision | None:
        """The ReplicaSet with the Deployment's own template, as its controller looks for it: after a rollback that is
        not the youngest one."""
        sets = await self._owned(Workload, REPLICASETS, ref, workload)
        mine = (one for one in sets if _made_by(one.metadata.controller, workload))
        return next((Revision(one) for one in mine if same_template(workload.spec.template, one.spec.template)), None)

    async def _newest_controller_revision(self, ref: WorkloadRef, workload: Workload) -> Revision | None:
        revisions = await self._owned(ControllerRevision, CONTROLLER_REVISIONS, ref, workload)
        mine = [one for one in revisions if _made_by(one.metadata.controller, workload)]
        newest = max(mine, key=lambda one: one.revision, default=None)
        return Revision(workload, newest.metadata.labels.get(REVISION_LABEL, "")) if newest else None

    async def _owned(
        self, model: type[Model], resource: Resource, ref: WorkloadRef, workload: Workload
    ) -> Sequence[Model]:
        """Objects with the workload's labels; whose they are is decided by their owner references."""
        query = {"labelSelector": str(workload.spec.selector)}
        return [
            read(model, raw) for raw in await self._client.items(Call("list", resource, ref.namespace, query=query))
        ]


def _made_by(controller: object, workload: Workload) -> bool:
    return getattr(controller, "uid", None) == workload.metadata.uid
