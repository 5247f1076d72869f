"""Servers that hang: what they keep from being known, and what not."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

from bot.domain.ids import StepKey
from bot.domain.outcome import Outcome
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import Plan, Request
from bot.engine.reconciler import Reconciler
from bot.ports.execution import Executor, StepContext
from tests.builders import a_plan, a_step
from tests.engine.stage import Paper, Script, Stage

Opening = AbstractAsyncContextManager
GATES = (a_step("soak", section="gates"), a_step("image", section="gates"))
AT_ONCE = timedelta(0)


class HangingScript(Script):
    """`soak` never answers."""

    def get(self, kind: str) -> Executor:
        """See `Executors`."""
        return _Hangs() if kind == "soak" else self


class _Hangs:
    async def reconcile(self, context: StepContext) -> Outcome:
        del context
        await asyncio.Event().wait()
        raise AssertionError("it has answered")


class HangingPaper(Paper):
    """Planning that never ends."""

    async def plan(self, request: Request) -> Plan:
        """See the port."""
        del request
        await asyncio.Event().wait()
        raise AssertionError("it has a plan")


async def test_a_gate_that_hangs_keeps_no_other_from_answering(engine: Opening[Stage]) -> None:
    """What the others said stands, and the one that hangs fails with its deadline, whatever it waits for."""
    async with engine as stage:
        needs = replace(stage.needs, executors=HangingScript(), longest_ask=AT_ONCE)
        stage.worker = stage.staffed(Reconciler(needs))
        run = await stage.begins(gates=GATES)
        assert run.phase is Phase.GATING
        assert run.step(StepKey("gates.image")).phase is StepPhase.SUCCEEDED
        assert run.step(StepKey("gates.soak")).why == "no answer within 0 s"
        await stage.passes(GATES[0].deadline + timedelta(seconds=10))
        run = await stage.run(run.id)
        assert run.phase is Phase.REFUSED
        assert "no answer within" in run.reason


async def test_a_plan_whose_servers_hang_says_so(engine: Opening[Stage]) -> None:
    """And is tried again, for an hour."""
    async with engine as stage:
        needs = replace(stage.needs, planning=HangingPaper(a_plan()), longest_ask=AT_ONCE)
        stage.worker = stage.staffed(Reconciler(needs))
        run = await stage.asks()
        await stage.worker.settle()
        assert (await stage.run(run.id)).waiting_for.startswith("the servers that the plan needs have not answered")
        await stage.passes(timedelta(minutes=61))
        assert (await stage.run(run.id)).phase is Phase.REFUSED
