"""Runs one-off Jobs."""

from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_calls import JOBS, PODS, Call
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_containers import chosen_container
from bot.adapters.kubernetes_faults import Patience, pod_faults
from bot.adapters.kubernetes_job_manifest import job_manifest
from bot.adapters.kubernetes_logs import KubernetesLogs
from bot.adapters.kubernetes_objects import Job, condition, read
from bot.adapters.kubernetes_pod_objects import Pod
from bot.adapters.kubernetes_workloads import KubernetesWorkloads
from bot.domain.errors import ConflictError, NotFoundError
from bot.domain.target import WorkloadRef
from bot.ports.clock import Clock
from bot.ports.cluster import Fence, JobPhase, JobSpec, JobState

LOG_LINES = 15


class KubernetesJobs:
    """Creates a Job at most once: its name is the idempotency key."""

    def __init__(
        self, client: KubernetesClient, clock: Clock, workloads: KubernetesWorkloads, logs: KubernetesLogs
    ) -> None:
        self._client, self._clock, self._workloads, self._logs = client, clock, workloads, logs

    async def run(self, spec: JobSpec, fence: Fence) -> JobState:
        """See `Cluster.run_job`. Only creating it needs the right to write; looking at it does not."""
        try:
            job = await self._fetch(spec)
        except NotFoundError:
            job = await self._create(spec, fence)
        return await self._state(spec, job)

    async def there(self, ref: WorkloadRef, name: str) -> bool:
        """See `Cluster.has_job`."""
        try:
            await self._client.send(Call("get", JOBS, ref.namespace, name))
        except NotFoundError:
            return False
        return True

    async def delete(self, ref: WorkloadRef, name: str) -> None:
        """See `Cluster.delete_job`."""
        call = Call("delete", JOBS, ref.namespace, name, query={"propagationPolicy": "Background"})
        try:
            await self._client.send(call)
        except NotFoundError:
            return

    async def _fetch(self, spec: JobSpec) -> Job:
        return read(Job, await self._client.send(Call("get", JOBS, spec.workload.namespace, spec.name)))

    async def _create(self, spec: JobSpec, fence: Fence) -> Job:
        workload = await self._workloads.fetch(spec.workload)
        marks.admit(spec.workload, workload.metadata.annotations, fence)
        manifest = job_manifest(spec, workload, chosen_container(spec.workload, workload), fence)
        try:
            return read(Job, await self._client.send(Call("create", JOBS, spec.workload.namespace), manifest))
        except ConflictError:
            # Somebody was faster: ours, before a crash that lost the answer.
            return await self._fetch(spec)

    async def _state(self, spec: JobSpec, job: Job) -> JobState:
        pod = await self._newest_pod(spec)
        phase, reason = _verdict(job)
        if phase is JobPhase.RUNNING:
            faults = pod_faults(pod, Patience(self._clock.now())) if pod else []
            stuck = next((f"{fault.kind}: {fault.message}" for fault in faults if fault.hopeless), "")
            return JobState(spec.name, phase, stuck)
        if pod is None or not pod.spec.containers:
            return JobState(spec.name, phase, reason)
        container = pod.spec.containers[0].name
        lines = await self._logs.current(spec.workload.namespace, pod.metadata.name, container, lines=LOG_LINES)
        return JobState(spec.name, phase, reason, lines)

    async def _newest_pod(self, spec: JobSpec) -> Pod | None:
        call = Call("list", PODS, spec.workload.namespace, query={"labelSelector": f"job-name={spec.name}"})
        pods = [read(Pod, raw) for raw in await self._client.items(call)]
        return max(pods, key=lambda pod: str(pod.metadata.creation_timestamp), default=None)


def _verdict(job: Job) -> tuple[JobPhase, str]:
    failed = condition(job.status.conditions, "Failed")
    if failed is not None and failed.status == "True":
        return JobPhase.FAILED, ": ".join(part for part in (failed.reason, failed.message) if part)
    complete = condition(job.status.conditions, "Complete")
    if complete is not None and complete.status == "True":
        return JobPhase.SUCCEEDED, ""
    return JobPhase.RUNNING, ""
