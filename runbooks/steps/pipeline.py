"""pipeline: a run of a CI pipeline has ended well, for example an integration suite."""

import re
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.errors import UnreachableError
from bot.domain.image import short
from bot.domain.json import JsonObject
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.ports.execution import StepContext
from bot.ports.pipelines import CheckState, CiServers, Conclusion, Order, PipelineRun, Pipelines
from runbooks.kinds import StepKind, StepSpec

NEXT_LOOK = timedelta(seconds=15)
SEARCH = timedelta(seconds=5)
AT_ONCE = timedelta(0)

FRESH = timedelta(seconds=20)
"""How soon after its announcement a run is started, or not at all: whoever owned the release before us may not start
one after we have looked for it."""

SHOWN_WITHIN = timedelta(minutes=5)
"""How long a run that was started may be missing from lists: what github.com/Codex-/return-dispatch gives a dispatched
run to appear (`workflow_timeout_seconds`). FRESH and the deadline of a request are well within it."""


class RunPipelineSpec(StepSpec):
    """`run`: the workflow's file, the job or the pipeline. `ref`: the branch or tag it runs on; empty: the server's
    default. `inputs`: its inputs, variables or parameters. `reads_only`: it changes nothing that people use, so that it
    may run before anybody is asked; it then ends by itself when a release is aborted."""

    shorthand: ClassVar[str | None] = "run"
    run: str = Field(min_length=1, max_length=200)
    ref: str = ""
    inputs: dict[str, str] = Field(default_factory=dict)
    reads_only: bool = Field(default=False, strict=True)
    server: str = Field(default="", description="One of `ci`; empty: the service's.")
    project: str = Field(default="", description="Its project there; empty: the service's.")

    def read_aloud(self) -> str:
        where = f" on {self.ref}" if self.ref else ""
        return f"Start the pipeline `{self.run}`{where}, and wait until it has ended well."


KIND = StepKind(
    name="pipeline",
    spec=RunPipelineSpec,
    # What a pipeline does, nobody here can know: it may deploy. Who wrote the runbook does, and may say so.
    changes=True,
    deadline=timedelta(hours=1),
    about="Start a run of a CI pipeline, and follow it to its end.",
)


class RunPipeline:
    """Starts a run once, and follows it.

    A start cannot be made twice without two runs, so that it is announced in one pass and made in the next one. Only
    the process that announced it may make it, once, and at once; whoever else finds the announcement, or does not know
    how a start ended, looks for the run by its key until every server would show it. Only then it is announced anew.
    """

    def __init__(self, servers: CiServers) -> None:
        self._servers = servers
        self._announced: set[str] = set()

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, order, ci = self._wanted(context)
        memo = context.seen.memo
        if memo.get("run"):
            return said(await ci.follow(order, str(memo["run"])), spec)
        announced = _announced(context)
        if announced is None:
            return self._announce(order, context.now)
        found = await ci.find(order, context.seen.started_at or announced)
        if found is not None:
            return said(found, spec)
        waited = context.now - announced
        mine = order.key in self._announced
        self._announced.discard(order.key)
        if mine and waited <= FRESH:
            started = await ci.start(order)
            return (
                said(started, spec)
                if started
                else Pending(f"{spec.run} was asked for", SEARCH, memo={**memo, "asked": True, "acted": True})
            )
        if waited < SHOWN_WITHIN:
            return Pending(f"looking whether {spec.run} was started", requeue_after=SEARCH)
        if memo.get("asked"):
            return Failed(
                f"{spec.run} was started, and no run shows the key {order.key}; let the pipeline take the input "
                "'sluice_key', and show it in its 'run-name'"
            )
        return self._announce(order, context.now)

    async def landed(self, context: StepContext) -> bool:
        """Whether it was started. No server refuses a former owner: who might still start it is waited for."""
        return await self._running(context) is not None

    async def overwritten(self, context: StepContext) -> str:
        """What a pipeline did, nobody can tell from outside."""
        del context
        return ""

    async def halt(self, context: StepContext) -> None:
        """Cancel the run: it must not go on in a release that people read as over."""
        run_id = await self._running(context)
        if run_id is not None:
            _, order, ci = self._wanted(context)
            await ci.cancel(order, run_id)

    async def _running(self, context: StepContext) -> str | None:
        """The id of the run; `None`: there is none, and none will come. Raises UnreachableError while one may."""
        spec, order, ci = self._wanted(context)
        if context.seen.memo.get("run"):
            return str(context.seen.memo["run"])
        announced = _announced(context)
        self._announced.discard(order.key)
        if announced is None:
            return None
        found = await ci.find(order, context.seen.started_at or announced)
        if found is None and context.now - announced < SHOWN_WITHIN:
            raise UnreachableError(f"{spec.run} may have been started a moment ago", retry_after=SEARCH)
        return found.id if found else None

    def _announce(self, order: Order, now: datetime) -> Pending:
        self._announced.add(order.key)
        memo: JsonObject = {"announced": now.isoformat(), "acted": False}
        return Pending(f"{order.name} is about to start", requeue_after=AT_ONCE, memo=memo)

    def _wanted(self, context: StepContext) -> tuple[RunPipelineSpec, Order, Pipelines]:
        spec = RunPipelineSpec.model_validate(context.params)
        order = Order(spec.project, spec.run, key_of(context), spec.ref, spec.inputs)
        return spec, order, self._servers.get(spec.server)


def key_of(context: StepContext) -> str:
    """Deterministic: run, step and artifact. A plan that is made anew for the same artifact finds the run that was
    made; a step of the failure steps is another one than the step of that name."""
    step = context.step.key.removeprefix("steps.").replace("on_failure.", "undo-")
    name = re.sub(r"[^A-Za-z0-9-]+", "-", f"{context.run.id}-{step}")
    return f"{name}.{short(context.plan.artifact.digest)[:8]}"


def said(run: PipelineRun, spec: RunPipelineSpec) -> Outcome:
    """What the state of a run means. Only success is good here: a run that was skipped has tested nothing."""
    if run.state is not CheckState.CONCLUDED:
        how = "is queued" if run.state is CheckState.QUEUED else "runs"
        return Pending(f"{spec.run} {how}", NEXT_LOOK, memo={"run": run.id, "acted": True}, link=run.url)
    ended = (run.conclusion or Conclusion.UNKNOWN).value
    if run.conclusion is not Conclusion.SUCCESS:
        seen = f": {run.url}" if run.url else ""
        return Failed(f"{spec.run} ended with {ended.replace('_', ' ')}{seen}", link=run.url)
    outputs: JsonObject = {"url": run.url, "conclusion": ended, "run": run.id}
    return Succeeded(f"{spec.run} {ended}", outputs, link=run.url)


def _announced(context: StepContext) -> datetime | None:
    written = context.seen.memo.get("announced")
    return datetime.fromisoformat(written) if isinstance(written, str) else None
