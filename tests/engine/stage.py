"""The engine alone, over a real store: what plans and executors say is scripted by the test."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bot.domain.errors import SluiceError
from bot.domain.events import Event
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.invocation import Invocation, Origin
from bot.domain.outcome import Outcome, Succeeded
from bot.domain.plan import Plan, Request
from bot.domain.run import Run, StepRun
from bot.engine.ballots import Ballots
from bot.engine.bells import Bells
from bot.engine.hints import Hints
from bot.engine.inbox import Inbox
from bot.engine.reconciler import Needs, Reconciler
from bot.engine.relay import Relay
from bot.engine.runs import Runs
from bot.engine.worker import Parts, Worker
from bot.ports.execution import Effect, Executor, StepContext
from bot.ports.store import Heard
from bot.slack.narrator import SlackNarrator
from bot.store.database import Database
from tests.builders import REPOSITORY, a_plan, a_request
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.people import ANN
from tests.fakes.workspace import DEPLOYS, FakeWorkspace, Message

Answer = Outcome | SluiceError


@dataclass(slots=True)
class Script:
    """Executors that answer as they were told: each answer once, the last for ever; untold ones succeed."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    passes: list[StepContext] = field(default_factory=list)
    there: bool | SluiceError = False
    """Whether a change that was armed has landed; an error: nobody can tell."""
    foreign: str = ""
    """What somebody else has changed since."""
    halted: list[StepContext] = field(default_factory=list)
    halting: list[SluiceError] = field(default_factory=list)
    """What comes of the next attempts to halt a step."""

    def tell(self, kind: str, *answers: Answer) -> None:
        """What a kind answers from now on."""
        self.answers[kind] = [*answers]

    def times(self, kind: str) -> int:
        """How often a kind was asked."""
        return sum(1 for context in self.passes if context.step.kind == kind)

    def get(self, kind: str) -> Executor:
        """See `Executors`."""
        del kind
        return self

    def effect(self, kind: str) -> Effect:
        """See `Executors`."""
        del kind
        return self

    async def landed(self, context: StepContext) -> bool:
        """See `Effect`."""
        del context
        if isinstance(self.there, SluiceError):
            raise self.there
        return self.there

    async def overwritten(self, context: StepContext) -> str:
        """See `Effect`."""
        del context
        return self.foreign

    async def halt(self, context: StepContext) -> None:
        """See `Effect`."""
        self.halted.append(context)
        if self.halting:
            raise self.halting.pop(0)

    async def reconcile(self, context: StepContext) -> Outcome:
        """See `Executor`."""
        self.passes.append(context)
        told = self.answers[context.step.kind]
        answer = (told.pop(0) if len(told) > 1 else told[0]) if told else Succeeded()
        if isinstance(answer, SluiceError):
            raise answer
        return answer


@dataclass(slots=True)
class Paper:
    """Planning without a world. `error` is raised instead of a plan; `drifted` says why a plan no longer holds."""

    made: Plan = field(default_factory=a_plan)
    error: SluiceError | None = None
    drifted: str | None = None

    async def plan(self, request: Request) -> Plan:
        """See the port."""
        if self.error:
            raise self.error
        self.drifted = None  # a new plan describes the world as it is
        return replace(self.made, requester=request.requester)

    async def drift(self, request: Request, plan: Plan) -> str | None:
        """See the port."""
        del request, plan
        return self.drifted


class Stage:
    """One worker and everything it needs. Time moves only when a test says so."""

    def __init__(self, store: Database, script: Script | None = None) -> None:
        self.store = store
        self.clock = FakeClock()
        self.workspace = FakeWorkspace(self.clock)
        self.cluster = FakeCluster(self.clock)
        self.cluster.add(a_plan().workload, f"{REPOSITORY}:v1")
        self.script, self.planning = script or Script(), Paper()
        self.bells, narrator = Bells(), SlackNarrator()
        self.hints = Hints(self.bells.runs.set)
        self.runs = Runs(clock=self.clock, narrator=narrator)
        chat = self.workspace
        self.needs = Needs(
            clock=self.clock,
            store=store,
            narrator=narrator,
            planning=self.planning,
            executors=self.script,
            ballots=Ballots(chat=chat, directory=chat, planning=self.planning, store=store),
            hints=self.hints,
        )
        self.inbox = Inbox(
            store=store, clock=self.clock, narrator=narrator, handle=self._refuse, may_vote=self.needs.ballots.may_vote
        )
        self.relay = Relay(store=store, chat=chat, clock=self.clock)
        self.worker = self.staffed(Reconciler(self.needs))

    def staffed(self, reconciler: Reconciler, *, owner: str = "a") -> Worker:
        """A worker of this stage; another owner is another process."""
        parts = Parts(
            store=self.store,
            clock=self.clock,
            reconciler=reconciler,
            inbox=self.inbox,
            relay=self.relay,
            runs=self.runs,
            hints=self.hints,
            bells=self.bells,
        )
        return Worker(parts, owner=owner)

    async def sleeps(self, duration: timedelta) -> None:
        """The process stands still, and then goes on."""
        self.clock.advance(duration)
        await self.worker.settle()

    async def asks(self, **request: Any) -> Run:
        """Somebody asks for a release; nothing is done about it yet."""
        invocation = Invocation("k", Origin.SLASH, ANN, "deploy api v2 prod", DEPLOYS, self.clock.now())
        async with self.store.transaction() as tx:
            return await self.runs.request(tx, a_request(channel=DEPLOYS, **request), invocation)

    async def begins(self, **plan: Any) -> Run:
        """A run with such a plan goes as far as it can at once."""
        self.planning.made = a_plan(**plan)
        run = await self.asks()
        await self.worker.settle()
        return await self.run(run.id)

    async def passes(self, span: timedelta) -> None:
        """Time passes, and the worker works whenever something falls due."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            room_in = await self.worker.settle()
            async with self.store.reading() as tx:
                due = await tx.next_due(self.clock.now())
            room = None if room_in is None else self.clock.now() + room_in
            self.clock.advance_to(min(at for at in (due, room, end) if at))
        await self.worker.settle()

    async def run(self, run_id: str = "api-prod-1") -> Run:
        """A run as it is stored."""
        async with self.store.transaction() as tx:
            run = await tx.run(RunId(run_id))
        assert run is not None
        return run

    async def step(self, key: str) -> StepRun:
        """How far a step of the first run is."""
        return (await self.run()).step(StepKey(key))

    async def told(self, kind: type[Event]) -> list[Event]:
        """The events of a kind in the first run's history."""
        async with self.store.transaction() as tx:
            return [event for event in await tx.events(RunId("api-prod-1")) if isinstance(event, kind)]

    def ballot(self) -> Message:
        """The newest release message."""
        return [message for message in self.workspace.messages if "/live/" in message.key][-1]

    def votes(self, *people: UserId, emoji: str = "white_check_mark") -> None:
        """People react, and no event tells of it."""
        for person in people:
            self.workspace.reacts(person, self.ballot().place, emoji)

    async def _refuse(self, heard: Heard) -> None:
        raise AssertionError(f"no test of the engine types commands: {heard.invocation.text}")


@asynccontextmanager
async def stage(store: Database) -> AsyncIterator[Stage]:
    """A stage over an empty database."""
    async with store:
        yield Stage(store)
