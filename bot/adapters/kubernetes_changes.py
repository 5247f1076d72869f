"""Changes a workload: one patch a change, bound to what was read, behind the fence."""

from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import STRATEGIC_MERGE, WORKLOADS, Call, Raw
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_containers import chosen_container, image_of
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_workload_objects import Workload
from bot.adapters.kubernetes_workloads import KubernetesWorkloads
from bot.domain.errors import RefusedError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import RUN_MARK, Fence, ImageChange, WorkloadState


class KubernetesChanges:
    """Writes to workloads. The patch carries the resourceVersion that was read: whatever happened between is a
    ConflictError, never a lost update."""

    def __init__(self, client: KubernetesClient, workloads: KubernetesWorkloads) -> None:
        self._client, self._workloads = client, workloads

    async def set_image(self, ref: WorkloadRef, change: ImageChange, fence: Fence) -> WorkloadState:
        """See `Cluster.set_image`. An image that is there already gets the mark only, so that no pod restarts."""
        workload = await self._workloads.fetch(ref)
        found = workload.metadata.annotations
        marks.admit(ref, found, fence)
        marks.refuse_owned(ref, marks.owner(workload.metadata))
        _refuse_manual(ref, workload)
        container = chosen_container(ref, workload)
        running = image_of(workload, container)
        there = running == change.image
        if not there:
            marks.refuse_foreign(ref, running, change)
        if not there or found.get(RUN_MARK) != fence.run_id:
            spec = None if there else _with_image(container, change.image)
            workload = await self._patch(ref, workload, marks.change(change, fence), spec)
        return await self._workloads.state(ref, workload)

    async def claim(self, ref: WorkloadRef, fence: Fence) -> WorkloadState:
        """See `Cluster.claim`."""
        workload = await self._workloads.fetch(ref)
        marks.admit(ref, workload.metadata.annotations, fence)
        marks.refuse_owned(ref, marks.owner(workload.metadata))
        return await self._workloads.state(ref, await self._patch(ref, workload, marks.marks(fence), None))

    async def _patch(
        self, ref: WorkloadRef, workload: Workload, annotations: dict[str, str], spec: Raw | None
    ) -> Workload:
        metadata = {"resourceVersion": workload.metadata.resource_version, "annotations": annotations}
        body = {"metadata": metadata} | ({"spec": spec} if spec else {})
        call = Call("patch", WORKLOADS[ref.kind], ref.namespace, ref.name)
        return read(Workload, await self._client.send(call, body, content_type=STRATEGIC_MERGE))


def _refuse_manual(ref: WorkloadRef, workload: Workload) -> None:
    """Strategies by which some pods would keep the old image for ever, so that no rollout could be proven."""
    strategy = workload.spec.update_strategy
    patch = f"kubectl patch -n {ref.namespace} {ref.kind} {ref.name} -p"
    if strategy.type == "OnDelete":
        raise RefusedError(
            f"{ref} has the update strategy OnDelete: its pods keep the old image until somebody deletes them. "
            f'Allow rolling updates: `{patch} \'{{"spec":{{"updateStrategy":{{"type":"RollingUpdate"}}}}}}\'`'
        )
    if partition := strategy.rolling_update.partition:
        fixed = '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'
        raise RefusedError(
            f"{ref} has the partition {partition}: pods below that number would keep the old image. "
            f"Let all of them be updated: `{patch} '{fixed}'`"
        )


def _with_image(container: str, image: str) -> Raw:
    """The part of a strategic merge patch that touches one container, found by its name."""
    return {"template": {"spec": {"containers": [{"name": container, "image": image}]}}}
