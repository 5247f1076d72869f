"""Releases from Slack to a cluster, end to end, with the bot as a process of its own."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.real.servers import until
from tests.real.stage import push, stage

pytestmark = pytest.mark.real


async def test_a_deploy_to_staging(tmp_path: Path) -> None:
    """The Deployment runs the digest, in exactly one new revision; one live message shows its end; history has it."""
    async with stage(tmp_path) as here:
        digests = await push(here, "v2")
        acknowledged = await here.slack.types("alice", "/deploy api v2 staging")
        assert acknowledged["status"] == 200
        end = await here.ends()
        assert "`v2` runs in *staging*" in end["text"]
        assert (await here.image("staging")).endswith(digests["v2"])
        assert await here.revision("staging") == 2
        assert (await here.deployment("staging"))["metadata"]["generation"] == 2
        assert await here.settled("staging")
        assert len(await here.releases()) == 1
        assert here.health.asked == 1


async def test_votes_before_prod(tmp_path: Path) -> None:
    """No change before two yes of the group; requester, guest, bot and a withdrawn yes do not count."""
    async with stage(tmp_path) as here:
        await push(here, "v2")
        before = await here.image("prod")
        await here.slack.types("alice", "/deploy api v2 prod")
        ts = (await here.ballot())["ts"]
        for user in ("alice", "eve", "dave", "bob"):
            await here.slack.reacts(user, ts)
        await here.slack.reacts("bob", ts, remove=True)
        await here.slack.reacts("carol", ts)
        await until(here.releases, lambda found: "1 of 2" in found[-1]["text"])
        assert await here.image("prod") == before
        await here.slack.reacts("bob", ts)
        end = await here.ends()
        assert "`v2` runs in *prod*" in end["text"]
        assert await here.revision("prod") == 2


async def test_one_no_ends_it(tmp_path: Path) -> None:
    """One eligible rejection is enough."""
    async with stage(tmp_path) as here:
        await push(here, "v2")
        await here.slack.types("alice", "/deploy api v2 prod")
        ts = (await here.ballot())["ts"]
        await here.slack.reacts("bob", ts)
        await here.slack.reacts("carol", ts, "x")
        end = await until(here.releases, lambda found: "reject" in found[-1]["text"] and "~" in found[-1]["text"])
        assert "<@U0CAROL>" in end[-1]["text"]
        assert await here.revision("prod") == 1


async def test_a_moved_tag_voids_the_ballot(tmp_path: Path) -> None:
    """Two votes for one digest are none for another; a new ballot with another seal is asked for."""
    async with stage(tmp_path) as here:
        await push(here, "v2")
        await here.slack.types("alice", "/deploy api v2 prod")
        ts = (await here.ballot())["ts"]
        await here.slack.reacts("bob", ts)
        moved = await here.images.push(here.repository, "v2", labels={"other": "image"})
        await here.slack.reacts("carol", ts)
        second = await here.ballot(count=2)
        assert second["ts"] != ts
        assert await here.revision("prod") == 1
        for user in ("bob", "carol"):
            await here.slack.reacts(user, second["ts"])
        await here.ends(count=2)
        assert (await here.image("prod")).endswith(moved)


async def test_votes_after_the_time_of_use_do_nothing(tmp_path: Path) -> None:
    """Paused past the time of use, the approval is void: a new ballot is asked for, nothing changes."""
    async with stage(tmp_path, use_within="2s") as here:
        await push(here, "v2")
        await here.slack.types("alice", "/deploy api v2 prod")
        ts = (await here.ballot())["ts"]
        await here.slack.types("alice", "/release pause api prod")
        for user in ("bob", "carol"):
            await here.slack.reacts(user, ts)
        await until(here.releases, lambda found: "approved by" in found[-1]["text"])
        await asyncio.sleep(2.5)
        await here.slack.types("alice", "/release resume api prod")
        await here.ballot(count=2)
        assert await here.revision("prod") == 1


@pytest.mark.parametrize(
    ("tag", "cause"),
    [("v2-crash", "CrashLoopBackOff"), ("v2-badpull", "ImagePullBackOff"), ("v2-notready", "NotReady")],
)
async def test_a_bad_image_is_undone(tmp_path: Path, tag: str, cause: str) -> None:
    """The cause is named within 30 s; the version before is back and smoke-tested, without another vote."""
    async with stage(tmp_path) as here:
        await push(here, tag)
        before = await here.image("staging")
        await here.slack.types("alice", f"/deploy api {tag} staging")
        end = await here.ends(within_s=60)
        assert cause in end["text"]
        assert "restored" in end["text"]
        assert await here.image("staging") == before
        await until(lambda: here.settled("staging"), bool)
        assert here.health.asked == 1


async def test_rollback_is_one_command(tmp_path: Path) -> None:
    """Back to the version before, which the answer names."""
    async with stage(tmp_path) as here:
        await push(here, "v2")
        before = await here.image("staging")
        await here.slack.types("alice", "/deploy api v2 staging")
        await here.ends()
        await here.slack.types("bob", "/rollback api staging")
        end = await here.ends(count=2)
        assert "`v1` runs in *staging*" in end["text"]
        assert await here.image("staging") == before


async def test_socket_mode_needs_no_address(tmp_path: Path) -> None:
    """The same road over a socket of ours: command, votes, release."""
    async with stage(tmp_path, socket_mode=True) as here:
        await push(here, "v2")
        await here.slack.types("alice", "/deploy api v2 prod")
        ts = (await here.ballot())["ts"]
        for user in ("bob", "carol"):
            await here.slack.reacts(user, ts)
        assert "`v2` runs in *prod*" in (await here.ends())["text"]


async def test_unsigned_requests_are_refused(tmp_path: Path) -> None:
    """Without Slack's signature nothing is heard: 401, and the log says so without the payload."""
    async with stage(tmp_path) as here, httpx.AsyncClient() as http:
        form = {"command": "/deploy", "text": "api v2 staging", "user_id": "U0ALICE"}
        answer = await http.post(f"http://127.0.0.1:{here.port}/slack/events", data=form)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
        log = here.log()
        assert "U0ALICE" not in log
        assert '"level": "warning"' in log
