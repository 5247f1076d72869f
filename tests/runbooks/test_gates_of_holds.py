"""freeze and lock, as gates: what holds a change back never lets it pass by an accident."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import UnreachableError, UsageError
from bot.domain.hold import EVERYTHING, Freeze, Lock
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.plan import Verb
from bot.domain.target import Target
from bot.ports.execution import StepContext
from bot.store.database import Database
from runbooks.gates.freeze import FreezeGate
from runbooks.gates.lock import LockGate
from runbooks.windows import FreezeWindow
from tests.builders import NOW, a_plan, a_planned_run, a_running_run, a_step
from tests.fakes.people import ANN, BOB
from tests.store.conftest import sqlite

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PROD = Target("api", "prod")
WINDOW = FreezeWindow.model_validate({"cron": "0 12 * * MON", "for": "1h", "reason": "Mondays"})


def a_context(*, gating: bool = True, **plan: object) -> StepContext:
    """A pass over a gate, at noon of a Monday, for what ann wants."""
    run = (a_planned_run if gating else a_running_run)(plan=a_plan(**plan))
    return StepContext(run, a_step("gate", section="gates"), NOW, token=1)


@pytest.fixture
def store(tmp_path: Path, template: Path) -> Database:
    """An empty database."""
    return Database(sqlite(tmp_path, template))


FREEZES = {
    "with no end": Freeze("prod", BOB, NOW, None, "x"),
    "its first second": Freeze("prod", BOB, NOW, NOW + HOUR, "x"),
    "its last second": Freeze("prod", BOB, NOW - HOUR, NOW + SECOND, "x"),
    "of one's own": Freeze("prod", ANN, NOW, None, "x"),
    "of everything": Freeze(EVERYTHING, BOB, NOW, None, "x"),
}


@pytest.mark.parametrize("gating", [True, False])
@pytest.mark.parametrize("freeze", FREEZES.values(), ids=FREEZES)
async def test_a_freeze_never_lets_a_change_pass(store: Database, freeze: Freeze, gating: bool) -> None:
    """Neither while gates are asked nor right before the change, whoever froze it."""
    async with store:
        async with store.transaction() as tx:
            await tx.freeze(freeze)
        found = await FreezeGate(store, lambda _environment: ()).reconcile(a_context(gating=gating))
    assert isinstance(found, Pending if not gating or freeze.until == NOW + SECOND else Failed)


@pytest.mark.parametrize("verb", [Verb.DEPLOY, Verb.CANARY, Verb.PROMOTE])
async def test_a_window_never_lets_a_change_pass(store: Database, verb: Verb) -> None:
    """By whatever verb it was asked for."""
    async with store:
        found = await FreezeGate(store, lambda _environment: [WINDOW]).reconcile(a_context(gating=False, verb=verb))
    assert found == Pending("prod is frozen until 2026-03-02 13:00 UTC: Mondays", timedelta(minutes=1))


async def test_an_exemption_does_not_pass_what_stops_everything(store: Database) -> None:
    """It passes the others."""
    async with store:
        gate, context = FreezeGate(store, lambda _environment: [WINDOW]), a_context(exempt="must")
        assert await gate.reconcile(context) == Succeeded("frozen, exempt: must")
        async with store.transaction() as tx:
            await tx.freeze(FREEZES["of everything"])
        assert isinstance(await gate.reconcile(context), Failed)


async def test_an_environment_that_is_gone_from_the_catalogue_does_not_pass(store: Database) -> None:
    """Nobody can tell whether it is frozen."""

    def unknown(environment: str) -> tuple[FreezeWindow, ...]:
        raise UsageError(f"There is no environment '{environment}'")

    async with store:
        found = await FreezeGate(store, unknown).reconcile(a_context())
    assert isinstance(found, Failed)


@pytest.mark.parametrize("verb", [Verb.DEPLOY, Verb.CANARY, Verb.PROMOTE])
async def test_anothers_lock_never_lets_a_change_pass(store: Database, verb: Verb) -> None:
    """The owner's own wishes and the way back do."""
    async with store:
        async with store.transaction() as tx:
            await tx.lock(Lock(PROD, BOB, NOW, "mine"))
        gate = LockGate(store)
        found: Outcome = await gate.reconcile(a_context(verb=verb))
        assert isinstance(found, Pending)
        assert found.why == "locked by <@U0BOB> since 2026-03-02 12:00 UTC: mine"
        assert isinstance(await gate.reconcile(a_context(verb=verb, requester=BOB)), Succeeded)
        assert isinstance(await gate.reconcile(a_context(verb=Verb.ROLLBACK)), Succeeded)


async def test_an_exemption_from_a_freeze_is_none_from_a_lock(store: Database) -> None:
    """Two things."""
    async with store:
        async with store.transaction() as tx:
            await tx.lock(Lock(PROD, BOB, NOW, "mine"))
        assert isinstance(await LockGate(store).reconcile(a_context(exempt="must")), Pending)


async def test_a_lock_of_another_place_is_no_hindrance(store: Database) -> None:
    """Neither of the same service elsewhere nor of another service there."""
    async with store:
        async with store.transaction() as tx:
            await tx.lock(Lock(replace(PROD, environment="staging"), BOB, NOW, "mine"))
            await tx.lock(Lock(replace(PROD, service="web"), BOB, NOW, "mine"))
        assert await LockGate(store).reconcile(a_context()) == Succeeded("not locked")


@pytest.mark.parametrize("kind", ["freeze", "lock"])
async def test_a_database_that_is_away_lets_nothing_pass(tmp_path: Path, kind: str) -> None:
    """The engine waits for it."""
    store = Database(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    gate = FreezeGate(store, lambda _environment: ()) if kind == "freeze" else LockGate(store)
    async with store:
        with pytest.raises(UnreachableError):
            await gate.reconcile(a_context())
