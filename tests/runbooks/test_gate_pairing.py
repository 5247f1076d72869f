"""pairing: what the gate makes of a world that does not answer as it should; it never passes then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import SluiceError, UsageError
from bot.domain.json import Json
from bot.domain.outcome import Failed, Succeeded
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.execution import StepContext
from bot.store.database import Database
from runbooks.gates.pairing import PairingGate, PairingSpec
from tests.builders import REPOSITORY, a_plan, a_run, a_step
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.fakes.image_registry import FakeRegistry

WEB = WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "web")
WEB_IMAGES = "registry.example/acme/web"


class Parlour:
    """prod runs web v1; api is to come."""

    def __init__(self, store: Database) -> None:
        self.store, self.clock, self.registry = store, FakeClock(), FakeRegistry()
        self.cluster = FakeCluster(self.clock)
        self.digest = self.registry.push(WEB_IMAGES, "v1", labels={"org.opencontainers.image.version": "1.4"})
        self.registry.push(REPOSITORY, "v2")
        self.cluster.add(WEB, f"{WEB_IMAGES}:v1@{self.digest}")

    async def asked(self, **params: Json) -> Any:
        """What the gate says, or the error that makes it wait or fail."""
        step = a_step("pairing", section="gates", params=params, deadline=timedelta(minutes=10))
        context = StepContext(a_run(plan=a_plan()), step, self.clock.now(), token=1)
        gate = PairingGate(FakeClusters(self.cluster), self.registry, self.store, self._workload_of)
        try:
            return await gate.reconcile(context)
        except SluiceError as exc:
            return exc

    def _workload_of(self, service: str, environment: str) -> WorkloadRef:
        if service != "web":
            raise UsageError(f"There is no service '{service}'")
        return WorkloadRef("main", environment, WorkloadKind.DEPLOYMENT, service)


def copied(template: Path, path: Path) -> Path:
    """A database of one's own."""
    path.write_bytes(template.read_bytes())
    return path


@asynccontextmanager
async def a_parlour(folder: Path, template: Path) -> AsyncIterator[Parlour]:
    """A parlour over an empty database."""
    async with Database(f"sqlite+aiosqlite:///{copied(template, folder / 'sluice.db')}") as store:
        yield Parlour(store)


def _down(parlour: Parlour) -> None:
    parlour.cluster.down = True


def _registry_down(parlour: Parlour) -> None:
    parlour.registry.down = True


def _private(parlour: Parlour) -> None:
    parlour.registry.private.add(WEB_IMAGES)


def _by_tag(parlour: Parlour) -> None:
    parlour.registry.push(WEB_IMAGES, "main-build")
    parlour.cluster.edit(WEB, image=f"{WEB_IMAGES}:main-build")


def _deleted(parlour: Parlour) -> None:
    parlour.cluster.edit(WEB, image=f"{WEB_IMAGES}:v1@sha256:{'0' * 64}")


def _nothing(parlour: Parlour) -> None:
    del parlour


@pytest.mark.parametrize(
    ("happens", "needs", "said"),
    [
        (_down, ">=1", "cannot be reached"),
        (_registry_down, ">=1", "cannot be reached"),
        (_private, ">=1", "HTTP 403"),
        (_by_tag, ">=1", "is no version that >=1 can be compared with"),
        (_deleted, ">=1", "has no image"),
        (_nothing, ">=2", "prod runs `v1`"),
        (_nothing, "<1.4", "prod runs `v1`"),
        (_nothing, "proven", "has not run healthy in staging beside any web"),
        (_by_tag, "proven", "has not run healthy in staging beside any web"),
    ],
)
async def test_what_is_not_known_to_fit_never_passes(
    tmp_path: Path, template: Path, happens: Any, needs: str, said: str
) -> None:
    """Servers away or closed, images gone, names that are no versions, pairs that nobody saw together."""
    async with a_parlour(tmp_path, template) as parlour:
        happens(parlour)
        answer = await parlour.asked(needs={"web": needs}, **{"in": "staging"})
        assert not isinstance(answer, Succeeded)
        assert said in (answer.reason if isinstance(answer, Failed) else str(answer))


async def test_a_service_that_is_gone_from_the_catalogue_is_named(tmp_path: Path, template: Path) -> None:
    """Edited since the plan was made."""
    async with a_parlour(tmp_path, template) as parlour:
        answer = await parlour.asked(needs={"db": ">=1", "web": ">=2"})
        assert isinstance(answer, Failed)
        assert answer.reason.startswith("nobody knows where db runs in prod: There is no service 'db'; api needs web")
        assert len(answer.evidence[0].lines) == 2
        assert await parlour.asked(needs={"web": "~=1.3"}) == Succeeded("goes with web v1")


async def test_what_does_not_run_yet_is_brought_first(tmp_path: Path, template: Path) -> None:
    """The command is in the answer; who needs it and does not run needs nothing."""
    async with a_parlour(tmp_path, template) as parlour:
        parlour.cluster.delete(WEB)
        said = "web does not run in prod yet; `/deploy web <ref> prod` first"
        assert await parlour.asked(needs={"web": ">=1"}) == Failed(said)
        assert await parlour.asked(needed_by={"web": ">=9"}) == Succeeded("goes with all that runs there")


async def test_who_may_need_it_and_is_not_known_never_passes(tmp_path: Path, template: Path) -> None:
    """A service that the catalogue has lost since may still run, and may still need it."""
    async with a_parlour(tmp_path, template) as parlour:
        answer = await parlour.asked(needed_by={"db": "<2"})
        assert answer == Failed("nobody knows where db runs in prod: There is no service 'db'")


async def test_the_first_environment_asks_for_no_proof(tmp_path: Path, template: Path) -> None:
    """Where a version comes to first, nothing can have been proven."""
    async with a_parlour(tmp_path, template) as parlour:
        assert isinstance(await parlour.asked(needs={"web": "proven"}), Succeeded)


def test_it_reads_aloud() -> None:
    """One sentence."""
    assert PairingSpec().read_aloud().startswith("What it needs, and who needs it")
