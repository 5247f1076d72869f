"""The process that serves: opened in the right order, found by Slack, stopped by a signal."""

import asyncio
import hashlib
import hmac
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from structlog.testing import capture_logs

from bot.domain.approval import Ballot
from bot.domain.errors import RefusedError, SetupError
from bot.domain.ids import RunId
from bot.opening import opened
from bot.serving import serve, wake_ballots, watch
from bot.settings import Settings
from tests.builders import NOW, a_running_run
from tests.fakes.clock import FakeClock
from tests.slack.scripted_api import ScriptedApi, fault, ok, scripted
from tests.store.stored import added

SECRET = "s3cret"
CATALOGUE = """
clusters: {main: {kubeconfig: %s}}
environments: {staging: {cluster: main, namespace: staging}}
services: {api: {image: registry.example/acme/api, workload: deployment/api, channel: "#deploys"}}
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: nobody, user: {token: nothing}}]
"""
ME = ok(team_id="T1", user_id="U0SLUICE", bot_id="B1", user="sluice", team="acme")
ANN = {"id": "U0ANN", "team_id": "T1", "name": "ann", "is_bot": False, "deleted": False}


def a_free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def settings(folder: Path, **more: object) -> Settings:
    """An installation in a folder."""
    (folder / "kubeconfig").write_text(KUBECONFIG)
    (folder / "sluice.yaml").write_text(CATALOGUE % (folder / "kubeconfig"))
    given: Mapping[str, object] = {
        "config": folder / "sluice.yaml",
        "database_url": f"sqlite:///{folder}/sluice.db",
        "host": "127.0.0.1",
        "port": a_free_port(),
        "slack_bot_token": "xoxb-1-real",
        "slack_signing_secret": SECRET,
    }
    return Settings.model_validate({**given, **more})


@dataclass(slots=True)
class Served:
    """A serving process in our own, as Slack and an operator reach it."""

    api: ScriptedApi
    http: httpx.AsyncClient

    async def types(self, command: str, text: str) -> httpx.Response:
        """ann types a slash command, signed by Slack."""
        form = {"command": command, "text": text, "trigger_id": "1.2.a", "user_id": "U0ANN", "channel_id": "C0DEPLOYS"}
        body, stamp = urlencode(form | {"team_id": "T1"}), str(int(time.time()))
        signature = hmac.new(SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={signature}",
        }
        return await self.http.post("/slack/events", content=body, headers=headers)

    async def answer(self) -> dict[str, str]:
        """The private answer to the first command."""
        return await self.api.next_call("chat.postEphemeral")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    """A process that serves inside the block, and is told to stop at its end."""
    answers = {
        "users_info": ok(user=ANN),
        "chat_postEphemeral": ok(message_ts="1.2"),
        "usergroups_list": ok(usergroups=[]),
    }
    async with scripted(auth_test=ME, **answers) as (client, api), asyncio.timeout(20):
        configured = settings(folder, slack_api_url=client.base_url)
        process = asyncio.create_task(serve(configured))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{configured.port}", trust_env=False) as http:
            await until_ready(http, process)
            yield Served(api, http)
        os.kill(os.getpid(), signal.SIGTERM)
        await process


async def until_ready(http: httpx.AsyncClient, process: "asyncio.Task[None]") -> None:
    """Wait until it says so; its own error is raised when it ends before."""
    while not (await asyncio.wait({process}, timeout=0.05))[0]:
        try:
            if (await http.get("/readyz")).is_success:
                return
        except httpx.TransportError:
            continue  # it does not listen yet
    await process


async def test_a_command_is_acknowledged_and_answered(tmp_path: Path) -> None:
    """From the signed request to the private answer, over real HTTP; then SIGTERM ends it."""
    async with served(tmp_path) as there:
        assert "on it" in (await there.types("/release", "help deploy")).text
        answer = await there.answer()
    assert (answer["channel"], answer["user"]) == ("C0DEPLOYS", "U0ANN")
    assert "&lt;service&gt;" in answer["text"]


async def test_an_edited_catalogue_is_read_at_sighup(tmp_path: Path) -> None:
    """Without a restart."""
    async with served(tmp_path) as there:
        edit(tmp_path / "sluice.yaml", "services: {api:", "services: {shop:")
        os.kill(os.getpid(), signal.SIGHUP)
        await there.types("/release", "status shop")
        assert "Nothing is under way" in (await there.answer())["text"]


async def test_a_faulty_catalogue_leaves_the_former_one(tmp_path: Path) -> None:
    """A slip in a file stops nobody's release."""
    async with served(tmp_path) as there:
        edit(tmp_path / "sluice.yaml", "services: {api:", "services: {api: 7, shop:")
        os.kill(os.getpid(), signal.SIGHUP)
        await there.types("/release", "status api")
        assert "Nothing is under way" in (await there.answer())["text"]


def edit(path: Path, old: str, new: str) -> None:
    """Somebody edits a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


async def test_a_token_that_is_no_good_ends_the_start(tmp_path: Path) -> None:
    """With Slack's reason; waiting would not help."""
    async with scripted(auth_test=fault("invalid_auth")) as (client, _):
        with pytest.raises(RefusedError, match="the bot's token is wrong: check SLACK_BOT_TOKEN"):
            await serve(settings(tmp_path, slack_api_url=client.base_url))


async def test_a_catalogue_with_faults_ends_the_start(tmp_path: Path) -> None:
    """All of them, before anything is opened."""
    configured = settings(tmp_path)
    edit(tmp_path / "sluice.yaml", "cluster: main", "cluster: mian")
    with pytest.raises(SetupError, match=r"sluice\.yaml:3:.*there is no cluster 'mian'"):
        await serve(configured)


# --- the database of a process ---


async def test_a_start_recovers_what_a_dead_process_held(tmp_path: Path) -> None:
    """Its leases are released at once, not when they would run out."""
    async with opened(settings(tmp_path)) as store, store.transaction() as tx:
        await added(tx)
        await tx.lease_due("dead", NOW, duration=timedelta(days=1), limit=1)
    async with opened(settings(tmp_path)) as store, store.transaction() as tx:
        assert len(await tx.lease_due("alive", NOW, duration=timedelta(1), limit=1)) == 1


async def test_a_second_process_on_the_same_file_is_refused(tmp_path: Path) -> None:
    """Before it could release the leases of the first."""
    async with opened(settings(tmp_path)) as store:
        async with store.transaction() as tx:
            await added(tx)
            await tx.lease_due("first", NOW, duration=timedelta(days=1), limit=1)
        with pytest.raises(SetupError, match="another `sluice serve` uses"):
            async with opened(settings(tmp_path)):
                pytest.fail("it should not open")
        async with store.transaction() as tx:
            assert await tx.lease_due("second", NOW, duration=timedelta(1), limit=1) == []


async def test_the_watchdog_names_runs_that_are_late(tmp_path: Path) -> None:
    """And is silent about those that are not."""
    clock = FakeClock(NOW)
    async with opened(settings(tmp_path)) as store:
        async with store.transaction() as tx:
            await added(tx)
        for late in (timedelta(seconds=30), timedelta(seconds=90)):
            clock.advance_to(NOW + late)
            with capture_logs() as said:
                await watch(store, clock)
            assert [(line["event"], line["late_s"]) for line in said] == (
                [("runs are late", 90.0)] if late > timedelta(minutes=1) else []
            )


async def test_open_ballots_are_looked_at_after_a_silence(tmp_path: Path) -> None:
    """Votes may have been missed; what asks nobody is left asleep."""
    open_ballot = Ballot(1, "3f9a-c21e", NOW)
    asking = a_running_run(ballot=open_ballot)
    decided = a_running_run(id=RunId("api-prod-2"), ballot=replace(open_ballot, closed="approved by bob"))
    async with opened(settings(tmp_path)) as store:
        async with store.transaction() as tx:
            for run in (asking, decided):
                await tx.add_run(run, wake_at=NOW + timedelta(hours=1))
        await wake_ballots(store, FakeClock(NOW))
        async with store.transaction() as tx:
            leased = await tx.lease_due("a", NOW, duration=timedelta(1), limit=9)
        assert [one.run.id for one in leased] == [asking.id]
