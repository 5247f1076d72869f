"""job: a one-off Kubernetes Job with the new image has finished, for example a database migration."""

import hashlib
import json
import math
import re
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.errors import NotFoundError
from bot.domain.image import short
from bot.domain.json import JsonObject
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from bot.ports.cluster import Clusters, Hint, JobPhase, JobSpec
from bot.ports.execution import StepContext
from runbooks.kinds import StepKind, StepSpec

NEXT_LOOK = timedelta(seconds=3)
LONGEST_NAME = 63
LONGEST_LINE = 8192
"""Bytes of a Job's last line that are read for outputs."""

MOST_OUTPUTS = 50


class RunJobSpec(StepSpec):
    """`run`: the command and its arguments. `env`: variables beside those of the workload's container."""

    shorthand: ClassVar[str | None] = "run"
    run: tuple[str, ...] = Field(min_length=1)
    env: dict[str, str] = Field(default_factory=dict)

    def read_aloud(self) -> str:
        return f"Run `{' '.join(self.run)}` once in a Job with the new image, and wait until it has finished."


KIND = StepKind(
    name="job",
    spec=RunJobSpec,
    changes=True,
    deadline=timedelta(minutes=30),
    about="Run a command once as a Kubernetes Job made from the workload's own pod template.",
)


class RunJob:
    """Creates the Job under a deterministic name and follows it; a repeated pass finds it there."""

    def __init__(self, clusters: Clusters, hint: Hint) -> None:
        self._clusters = clusters
        self._hint = hint

    async def reconcile(self, context: StepContext) -> Outcome:
        plan, spec = context.plan, RunJobSpec.model_validate(context.params)
        cluster = self._clusters.get(plan.workload.cluster)
        cluster.watch(plan.workload, self._hint)
        job = JobSpec(
            name=job_name(context),
            workload=plan.workload,
            image=plan.artifact.image,
            command=spec.run,
            deadline_s=int(context.step.deadline.total_seconds()),
            env=spec.env,
        )
        state = await cluster.run_job(job, context.fence)
        match state.phase:
            case JobPhase.RUNNING:
                return Pending(f"job {job.name} is running", requeue_after=NEXT_LOOK)
            case JobPhase.SUCCEEDED:
                return Succeeded(f"job {job.name} finished", outputs(state.logs))
            case JobPhase.FAILED:
                logs = (Evidence(f"last lines of {job.name}", state.logs),) if state.logs else ()
                return Failed(f"job {job.name} failed: {state.reason or 'no reason given'}", evidence=logs)

    async def landed(self, context: StepContext) -> bool:
        """Whether the Job was made. The claim before the look refuses a former owner who would still make it."""
        workload = context.plan.workload
        cluster = self._clusters.get(workload.cluster)
        try:
            await cluster.claim(workload, context.fence)
        except NotFoundError:
            return False
        return await cluster.has_job(workload, job_name(context))

    async def overwritten(self, context: StepContext) -> str:
        """What a Job did, nobody can tell from outside."""
        del context
        return ""

    async def halt(self, context: StepContext) -> None:
        """Remove the Job with its pods: it must not go on in a release that people read as over."""
        workload = context.plan.workload
        await self._clusters.get(workload.cluster).delete_job(workload, job_name(context))


def job_name(context: StepContext) -> str:
    """Deterministic, at most 63 characters, a DNS label: run, step and artifact.

    A plan that is made anew for the same artifact finds the Job that ran already. A Job of the failure steps is another
    one than the step of that name.
    """
    step = context.step.key.removeprefix("steps.").replace("on_failure.", "undo-")
    artifact = short(context.plan.artifact.digest)[:8]
    name = re.sub(r"[^a-z0-9-]+", "-", f"{context.run.id}-{step}".lower()).strip("-")
    room = LONGEST_NAME - len(artifact) - 1
    if len(name) > room:
        # Two steps that differ only behind the cut must not be taken for one another.
        mark = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: room - len(mark) - 1].strip('-')}-{mark}"
    return f"{name}-{artifact}"


def outputs(logs: tuple[str, ...]) -> JsonObject:
    """What the Job said for later steps: its last line, where that is a JSON object of plain values.

    A log is anybody's text: what is longer than LONGEST_LINE bytes says nothing, only the first MOST_OUTPUTS keys
    count, and what is nested or cannot be stored is left out.
    """
    line = logs[-1] if logs else ""
    if len(line.encode("utf-8", "surrogatepass")) > LONGEST_LINE:
        return {}
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    plain = {_storable(key): value for key, value in said.items() if _is_plain(value)}
    return {
        key: _storable(value) if isinstance(value, str) else value for key, value in [*plain.items()][:MOST_OUTPUTS]
    }


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | bool | int)


def _storable(text: str) -> str:
    """Without what no database takes: lone surrogates and the NUL character."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
