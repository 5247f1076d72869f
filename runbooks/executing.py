"""Executors as the engine uses them: outputs of earlier steps are looked up just before a step runs."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from bot.domain.outcome import Failed, Outcome
from bot.ports.execution import Effect, Executor, StepContext
from runbooks.lookups import resolve, resolve_outputs, spoken
from runbooks.registry import STEP_KINDS

TOLD = frozenset(kind.name for kind in STEP_KINDS if kind.spec.told)
"""Kinds whose parameters people read."""


class LookedUp:
    """`bot.ports.execution.Executors` over the registry's executors."""

    def __init__(self, executors: Mapping[str, Executor]) -> None:
        self._executors = executors

    def get(self, kind: str) -> Executor:
        """See the port."""
        return _Resolving(self._executors[kind])

    def effect(self, kind: str) -> Effect:
        """See the port."""
        found = self._executors[kind]
        if not isinstance(found, Effect):
            raise KeyError(f"'{kind}' changes nothing")
        return found


class _Resolving:
    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def reconcile(self, context: StepContext) -> Outcome:
        run = context.run
        said = {key.partition(".")[2]: step.outputs for key, step in run.steps.items() if key.startswith("steps.")}
        if context.step.kind in TOLD:
            said = {step: {key: spoken(value) for key, value in outputs.items()} for step, outputs in said.items()}
        params = resolve_outputs(resolve(context.step.params, {"run": run.id}), said)
        try:
            return await self._executor.reconcile(replace(context, step=replace(context.step, params=params)))
        except ValidationError as exc:
            fault = exc.errors(include_url=False, include_context=False)[0]
            key = ".".join(str(part) for part in fault["loc"])
            return Failed(f"'{key}' does not take what an earlier step said: {fault['msg']}")
