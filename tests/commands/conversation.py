"""A chat with the dispatcher: a line goes in, the reply comes out; the store is real, the people are not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from bot.domain.approval import Ballot
from bot.domain.ids import RunId, StepKey, UserId, reply_key, slip_key
from bot.domain.image import Digest
from bot.domain.invocation import Invocation, Origin
from bot.domain.outcome import Pending, Succeeded
from bot.domain.plan import Artifact, Plan, Previous, Request
from bot.domain.release import ReleaseRecord
from bot.domain.run import Run
from bot.domain.target import Target
from bot.engine.runs import Runs
from bot.ports.narrator import Telling
from bot.ports.store import Heard
from bot.store.database import Database
from commands.dispatch import Dispatcher
from runbooks.catalogue import Catalogue
from runbooks.loader import load_library
from runbooks.planner import Facts, make_plan
from tests.fakes.clock import FakeClock
from tests.fakes.people import ANN
from tests.fakes.workspace import DEPLOYS, FakeWorkspace
from tests.runbooks.catalogues import a_catalogue

PROD = Target("api", "prod")
OLD = f"ghcr.io/acme/api:v0@sha256:{'0' * 64}"
LIBRARY = load_library()


class QuietNarrator:
    """Says nothing: these tests look at replies only."""

    def tell(self, before: Run | None, after: Run, events: object) -> tuple[Telling, ...]:
        """See the port."""
        del before, after, events
        return ()


class PaperPlanning:
    """Plans without a cluster and a registry. `error`, when set, is raised instead."""

    def __init__(self, catalogue: Catalogue, clock: FakeClock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self.error: Exception | None = None

    async def plan(self, request: Request) -> Plan:
        """See the port."""
        if self.error:
            raise self.error
        service, environment = request.target.service, request.target.environment
        ref = request.ref or "v0"
        digest = Digest(f"sha256:{'1' * 64}")
        since = self._clock.now() - timedelta(days=2)
        facts = Facts(
            workload=self._catalogue.workload(service, environment),
            protected=self._catalogue.environment(environment).protected,
            artifact=Artifact(f"ghcr.io/acme/api:{ref}@{digest}", digest, ref),
            previous=Previous(OLD, "v0", since, healthy=True),
            live_template="t",
            live_mark="",
            policy=self._catalogue.policy(environment, request.verb),
            channel=self._catalogue.channel(service, environment),
        )
        return make_plan(request, LIBRARY[request.runbook or "deploy"], facts)

    async def drift(self, request: Request, plan: Plan) -> str | None:
        """See the port."""
        del request, plan
        return None


@dataclass(slots=True)
class Conversation:
    """People, the dispatcher and what it remembers."""

    store: Database
    clock: FakeClock
    workspace: FakeWorkspace
    planning: PaperPlanning
    dispatcher: Dispatcher
    heard: int = 0

    async def says(self, text: str, *, by: UserId = ANN, origin: Origin = Origin.SLASH, thread_ts: str = "") -> str:
        """Somebody types a line; the text of the reply."""
        return (await self.telling(text, by=by, origin=origin, thread_ts=thread_ts)).content.text

    async def telling(
        self, text: str, *, by: UserId = ANN, origin: Origin = Origin.SLASH, thread_ts: str = ""
    ) -> Telling:
        """The same; the whole reply."""
        heard = await self.hears(text, by=by, origin=origin, thread_ts=thread_ts)
        await self.dispatcher.handle(heard)
        return await self._reply(heard)

    async def answer(self, heard: Heard) -> str:
        """What was answered to something that was handled."""
        return (await self._reply(heard)).content.text

    async def _reply(self, heard: Heard) -> Telling:
        async with self.store.transaction() as tx:
            letter = await tx.letter(reply_key(heard.number)) or await tx.letter(slip_key(heard.number))
        assert letter is not None
        return letter.telling

    async def hears(self, text: str, *, by: UserId, origin: Origin = Origin.SLASH, thread_ts: str = "") -> Heard:
        """Store what somebody typed, unhandled."""
        self.heard += 1
        now = self.clock.now()
        await self.store.hear(Invocation(f"k{self.heard}", origin, by, text, DEPLOYS, now, thread_ts=thread_ts))
        async with self.store.transaction() as tx:
            return (await tx.unhandled(now, limit=100))[-1]

    async def runs(self) -> list[Run]:
        """All runs, newest first."""
        async with self.store.transaction() as tx:
            return [*await tx.runs()]

    async def run(self, run_id: str) -> Run:
        """One run."""
        async with self.store.transaction() as tx:
            found = await tx.run(RunId(run_id))
        assert found is not None
        return found

    async def moves(self, run_id: str, move: Callable[[Run], Run]) -> None:
        """Do to a run what the engine would have done, its target taken."""
        async with self.store.transaction() as tx:
            now = self.clock.now()
            leased = next(
                one for one in await tx.lease_due("w", now, duration=timedelta(1), limit=9) if one.run.id == run_id
            )
            await tx.take_target(leased.run.request.target, leased.run.id, at=now)
            await tx.save(move(leased.run), before=leased.run, lease=leased.lease, wake_at=now)
            await tx.release_leases("w")

    async def planned(self, run_id: str) -> Run:
        """A run's turn has come and its plan is made."""
        plan = await self.planning.plan((await self.run(run_id)).request)
        now = self.clock.now()
        await self.moves(run_id, lambda run: run.turn_came(at=now)[0].planned(plan, at=now)[0])
        return await self.run(run_id)

    async def voting(self, run_id: str) -> Run:
        """A run waits for votes."""
        plan = (await self.planned(run_id)).sealed_plan()
        ballot = Ballot(1, plan.seal, self.clock.now())
        key = StepKey("steps.approval")
        now = self.clock.now()
        await self.moves(run_id, lambda run: replace(run.gates_passed().step_started(key, at=now)[0], ballot=ballot))
        return await self.run(run_id)

    async def changed(self, run_id: str) -> Run:
        """A run has changed the image and follows the rollout."""
        await self.planned(run_id)
        now = self.clock.now()

        def move(run: Run) -> Run:
            run = replace(run.gates_passed(), changed=True)
            for key in ("steps.approval", "steps.set_image"):
                run = run.step_succeeded(StepKey(key), Succeeded(), at=now)[0]
            run = run.step_started(StepKey("steps.rollout"), at=now)[0]
            wait = Pending("2 of 3 pods ready", timedelta(seconds=5))
            return run.step_waits(StepKey("steps.rollout"), wait, at=run.created_at)[0]

        await self.moves(run_id, move)
        return await self.run(run_id)

    async def released(self, ref: str, *, digit: str, healthy: bool = True) -> None:
        """api/prod was released to `ref` an hour after the release before."""
        self.clock.advance(timedelta(hours=1))
        image = f"ghcr.io/acme/api:{ref}@sha256:{digit * 64}"
        record = ReleaseRecord(PROD, image, ref, RunId("api-prod-9"), ANN, self.clock.now(), healthy=healthy)
        async with self.store.transaction() as tx:
            await tx.add_release(record)


@asynccontextmanager
async def conversation(folder: Path, catalogue: Catalogue | None = None) -> AsyncIterator[Conversation]:
    """An empty database and a quiet office."""
    known = catalogue or a_catalogue()
    clock = FakeClock()
    workspace, planning = FakeWorkspace(clock), PaperPlanning(known, clock)
    async with Database(f"sqlite+aiosqlite:///{folder}/sluice.db") as store:
        await store.migrate()
        dispatcher = Dispatcher(
            store=store,
            clock=clock,
            directory=workspace,
            catalogue=lambda: known,
            runbooks=lambda: LIBRARY,
            runs=Runs(clock=clock, narrator=QuietNarrator()),
            planning=planning,
        )
        yield Conversation(store, clock, workspace, planning, dispatcher)
