"""The HTTP server: health, readiness, metrics, and the door for Slack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
from aiohttp import web

from bot.domain.ids import MessageKey
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.store.database import Database
from bot.web import Handler, Server
from tests.fakes.clock import START, FakeClock
from tests.store.stored import added, heard


async def ok(_request: web.Request) -> web.Response:
    """What Slack's handler would answer."""
    return web.Response(text="ok")


@asynccontextmanager
async def served(
    folder: Path, *, unready: str | None = None, slack: Handler | None = ok, migrated: bool = True
) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    """A server on a free port, and a client of it."""
    async with Database(f"sqlite+aiosqlite:///{folder}/sluice.db") as store:
        if migrated:
            await store.migrate()
        server = Server(store=store, clock=FakeClock(), ready=lambda: unready, slack=slack)
        async with (
            server.listening("127.0.0.1", 0) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            yield client, store


async def test_a_process_that_runs_is_healthy(tmp_path: Path) -> None:
    """Whatever else is down: a restart would not mend it."""
    async with served(tmp_path, unready="the socket to Slack is not connected", migrated=False) as (client, _):
        assert (await client.get("/healthz")).status_code == 200


async def test_a_process_that_can_work_is_ready(tmp_path: Path) -> None:
    """It hears Slack, and its database answers."""
    async with served(tmp_path) as (client, _):
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.text) == (200, "ready\n")


async def test_a_process_that_cannot_hear_is_not_ready(tmp_path: Path) -> None:
    """It says why."""
    async with served(tmp_path, unready="the socket to Slack is not connected") as (client, _):
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "the socket to Slack is not connected\n")


async def test_a_process_without_a_database_is_not_ready(tmp_path: Path) -> None:
    """The same."""
    async with served(tmp_path, migrated=False) as (client, _):
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.text.startswith("the database does not answer: no such table")


async def test_metrics_count_what_waits(tmp_path: Path) -> None:
    """Runs by phase, messages, invocations, and how late the latest is."""
    async with served(tmp_path) as (client, store):
        async with store.transaction() as tx:
            await added(tx, wake_at=START - timedelta(seconds=90))
            await tx.tell([Telling(MessageKey("m"), "#deploys", Content("hello"))], at=START)
            await tx.hear(heard(at=START))
        said = (await client.get("/metrics")).text.splitlines()
        assert 'sluice_runs{phase="queued"} 1.0' in said
        assert "sluice_messages_waiting 1.0" in said
        assert "sluice_invocations_waiting 1.0" in said
        assert "sluice_due_late_seconds 90.0" in said


async def test_a_phase_without_runs_is_not_counted_any_more(tmp_path: Path) -> None:
    """A gauge of the past would be a lie."""
    async with served(tmp_path) as (client, store):
        async with store.transaction() as tx:
            await added(tx, wake_at=START)
        await client.get("/metrics")
        async with store.transaction() as tx:
            [leased] = await tx.lease_due("a", START, duration=timedelta(minutes=1), limit=1)
            run, _ = leased.run.turn_came(at=START)
            await tx.save(run, before=leased.run, lease=leased.lease, wake_at=START)
        said = (await client.get("/metrics")).text
        assert 'phase="planning"} 1.0' in said
        assert "queued" not in said


async def test_slacks_requests_are_handed_on_and_timed(tmp_path: Path) -> None:
    """The acknowledgement is what Slack measures us by."""
    async with served(tmp_path) as (client, _):
        assert (await client.post("/slack/events", content=b"{}")).text == "ok"
        assert "sluice_ack_seconds_count 1.0" in (await client.get("/metrics")).text


async def test_in_socket_mode_there_is_no_door(tmp_path: Path) -> None:
    """Nobody has to guard what is not there."""
    async with served(tmp_path, slack=None) as (client, _):
        assert (await client.post("/slack/events", content=b"{}")).status_code == 404
