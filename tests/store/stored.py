"""Steps that many tests of the store take: put a run there, lease it, read it back."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.ids import ChannelId, MessageKey, RunId, UserId
from bot.domain.invocation import Invocation, Origin
from bot.domain.run import Run
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.ports.store import Leased, Transaction
from bot.store.database import Database
from tests.builders import NOW, a_request, a_run

MINUTE = timedelta(minutes=1)


class WentWrongError(Exception):
    """Something else than the database failed inside a transaction."""


def go_wrong() -> None:
    """What a fault of ours does to a transaction."""
    raise WentWrongError


def undone() -> AbstractContextManager[object]:
    """A block whose transaction must end by that fault."""
    return pytest.raises(WentWrongError)


def heard(key: str = "k1", *, text: str = "status", at: datetime = NOW) -> Invocation:
    """ann typed something."""
    return Invocation(key, Origin.SLASH, UserId("U0ANN"), text, ChannelId("C0DEPLOYS"), at)


def telling(key: str, text: str = "hello", **options: Any) -> Telling:
    """A message for #deploys."""
    return Telling(MessageKey(key), "#deploys", Content(text), **options)


async def added(
    tx: Transaction, run_id: str = "api-prod-1", *, wake_at: datetime = NOW, at: datetime = NOW, **request: Any
) -> Run:
    """A new run of api in prod, stored."""
    run = a_run(id=RunId(run_id), created_at=at, request=a_request(**request))
    await tx.next_number(run.request.target)
    await tx.add_run(run, wake_at=wake_at)
    return run


async def leased(store: Database, *, owner: str = "a", now: datetime = NOW, limit: int = 10) -> list[Leased]:
    """What a worker gets when it asks for due runs."""
    async with store.transaction() as tx:
        return [*await tx.lease_due(owner, now, duration=MINUTE, limit=limit)]


async def only_lease(store: Database, *, owner: str = "a", now: datetime = NOW) -> Leased:
    """The one run that is due, leased."""
    [one] = await leased(store, owner=owner, now=now)
    return one


async def saved(store: Database, one: Leased, run: Run, *, wake_at: datetime | None) -> None:
    """A pass ends."""
    async with store.transaction() as tx:
        await tx.save(run, before=one.run, lease=one.lease, wake_at=wake_at)


async def stored(store: Database, run_id: str = "api-prod-1") -> Run:
    """A run as the database has it."""
    async with store.transaction() as tx:
        run = await tx.run(RunId(run_id))
    assert run is not None
    return run
