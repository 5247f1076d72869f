"""A sandbox from its start to its end, with the real process beside it."""

import asyncio
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bot.domain.errors import SetupError
from bot.sandbox import folder as own_folder
from bot.sandbox import scenery
from bot.sandbox.kept import CLUSTER, Kept
from bot.sandbox.kubernetes.server import KubernetesServer
from bot.sandbox.session import Sandbox, sandbox
from bot.sandbox.slack.records import Message
from bot.sandbox.slack.shown import Shown
from bot.slack.mrkdwn import plain
from tests.fakes.clock import FakeClock
from tests.sandbox.started import READY, beginning, ended, first_children, has_ended, started

WITHIN_S = 30
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc, and asks the kernel for a signal")


async def types(made: Sandbox, line: str) -> Shown:
    """ann types a line in #deploys."""
    return await made.around.slack.people.says("ann", "deploys", line)


async def message(made: Sandbox, words: str) -> Message:
    """The first message in the channel that says so, once it does."""
    slack = made.around.slack
    async with asyncio.timeout(WITHIN_S):
        while True:
            number = slack.changes.number
            found = [
                m for room in slack.workspace.rooms.values() for m in room.messages.values() if words in plain(m.text)
            ]
            if found:
                return found[0]
            await slack.changes.moved(number)


def runs(made: Sandbox, namespace: str) -> str:
    """The version of api that the cluster runs there."""
    return next(d.tag for d in made.around.cluster.shown() if (d.namespace, d.name) == (namespace, "api"))


def held(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(each.name for each in folder.iterdir())


async def test_its_page_and_its_bot_answer(tmp_path: Path) -> None:
    """When the block begins the page is there, and a command is taken."""
    async with sandbox(tmp_path) as made, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(made.url)).status_code == 200
        assert (await types(made, "/release status")).acknowledged


async def test_slack_finds_the_bot_again_after_a_kill(tmp_path: Path) -> None:
    """While it is away a command fails as in Slack; when it is back, at another port, one is taken."""
    async with sandbox(tmp_path) as made:
        before = made.around.slack.request_url
        await made.bot.killed()
        assert (await types(made, "/release status")).error == "dispatch_failed"
        await made.bot.serves()
        assert made.around.slack.request_url != before
        assert (await types(made, "/release status")).acknowledged


async def test_a_release_waits_for_github_and_goes_on(tmp_path: Path) -> None:
    """While the checks cannot be read the message and `why` name the server; nobody is asked to vote before."""
    async with sandbox(tmp_path) as made:
        made.switch("github", on=True)
        await types(made, "/deploy api sha123 prod")
        release = await message(made, "gates first")
        told = await message(made, "Gate ci waits: GitHub main answered HTTP 503")
        await types(made, "/release why api prod")
        await message(made, "is blocked in the gate `ci`")
        assert told.thread_ts == release.ts
        made.switch("github", on=False)
        asked = await message(made, "Vote on exactly this plan")
        assert asked.ts == release.ts


async def test_a_second_start_goes_on_with_the_history(tmp_path: Path) -> None:
    """The cluster runs what the records say, a line added by hand stays, and the way back leads where it did."""
    async with sandbox(tmp_path) as made:
        await types(made, "/deploy api sha123 staging")
        await message(made, "`sha123` runs in staging")
    catalogue = tmp_path / "sluice.yaml"
    catalogue.write_text(f"{catalogue.read_text()}# by hand\n")
    async with sandbox(tmp_path) as made:
        assert (runs(made, "staging"), runs(made, "prod")) == ("sha123", "sha100")
        assert catalogue.read_text().endswith("# by hand\n")
        await types(made, "/rollback api staging")
        await message(made, "`sha100` runs in staging")
        assert runs(made, "staging") == "sha100"


async def test_a_port_that_the_folder_needs_again_is_named(tmp_path: Path) -> None:
    """Its images are known by an address that somebody else has now: not another registry, but an error."""
    async with sandbox(tmp_path):
        port = own_folder.ports(tmp_path)["registry"]
    with closing(socket.socket()) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(SetupError, match=rf"needs its ports .*{port}"):
            async with sandbox(tmp_path):
                pytest.fail("it serves somewhere else")


def test_a_port_that_no_machine_has_is_not_asked_for(tmp_path: Path) -> None:
    """Somebody wrote in the folder: a free port is as good."""
    (tmp_path / own_folder.ADDRESSES).write_text('{"registry": "127.0.0.1:99999", "door": "http://127.0.0.1:80"}')
    assert own_folder.ports(tmp_path) == {"door": 80}


@pytest.mark.parametrize("written", [b"{", b"[1]", b"7", b"\xff"])
def test_a_cluster_that_cannot_be_read_is_named(tmp_path: Path, written: bytes) -> None:
    """With the file, and with what to do."""
    (tmp_path / CLUSTER).write_bytes(written)
    with pytest.raises(SetupError, match=r"cluster\.json cannot be read .* choose an empty --folder"):
        Kept(tmp_path)


async def test_a_full_disk_does_not_stop_the_cluster(tmp_path: Path) -> None:
    """What it runs cannot be kept for the next start; it runs all the same."""
    (tmp_path / "cluster.half").symlink_to("/dev/full")
    clock = FakeClock()
    cluster = KubernetesServer(clock)
    cluster.apply(scenery.deployment("api", "registry.example/acme/api:v1", 2))
    Kept(tmp_path).follow(cluster, [("default", "api")])
    cluster.settle()
    (seen,) = cluster.shown()
    assert (seen.tag, seen.ready) == ("v1", 2)
    assert not (tmp_path / CLUSTER).exists()


async def test_two_stand_side_by_side(tmp_path: Path) -> None:
    """Each has a workspace, a cluster and a bot of its own."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    async with sandbox(one) as first, sandbox(other) as second:
        await types(first, "/deploy api sha123 staging")
        await message(first, "`sha123` runs in staging")
        assert (runs(first, "staging"), runs(second, "staging")) == ("sha123", "sha100")
        assert (await types(second, "/release status")).acknowledged


async def test_a_folder_is_for_one_at_a_time(tmp_path: Path) -> None:
    """A second sandbox in the same folder is refused, and the first goes on."""
    async with sandbox(tmp_path) as made:
        with pytest.raises(SetupError, match="another sandbox uses"):
            async with sandbox(tmp_path):
                pytest.fail("two sandboxes share a folder")
        assert (await types(made, "/release status")).acknowledged


async def test_another_installations_files_are_left_alone(tmp_path: Path) -> None:
    """A catalogue that no sandbox wrote is neither overwritten nor used."""
    catalogue = tmp_path / "sluice.yaml"
    catalogue.write_text("clusters: {main: {}}\n")
    with pytest.raises(SetupError, match=r"holds sluice\.yaml of another installation"):
        async with sandbox(tmp_path):
            pytest.fail("it was used")
    assert held(tmp_path) == ["sluice.yaml"]
    assert catalogue.read_text() == "clusters: {main: {}}\n"


async def test_a_kubeconfig_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The same without a catalogue: the names are the sandbox's, the files are not."""
    (tmp_path / "kubeconfig").write_text("theirs")
    with pytest.raises(SetupError, match="holds kubeconfig of another installation"):
        async with sandbox(tmp_path):
            pytest.fail("it was used")
    assert (tmp_path / "kubeconfig").read_text() == "theirs"


async def test_a_catalogue_broken_by_hand_is_named_with_its_line(tmp_path: Path) -> None:
    """The error is the catalogue's own, and nothing was started."""
    async with sandbox(tmp_path):
        pass
    catalogue = tmp_path / "sluice.yaml"
    catalogue.write_text(f"{catalogue.read_text()}servces: {{}}\n")
    with pytest.raises(SetupError, match=r"sluice\.yaml:\d+:\d+.*servces"):
        async with sandbox(tmp_path):
            pytest.fail("it serves though its catalogue is broken")


async def test_a_port_that_is_taken_is_named_with_the_fix(tmp_path: Path) -> None:
    """Nothing is left of the start."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = await ended(tmp_path, "--port", str(port))
    assert (status, said) == (1, f"sluice: port {port} is taken; choose another with --port, or leave it out\n")
    assert held(tmp_path) == []


@pytest.mark.parametrize(
    ("folder", "wrong"),
    [
        ("a-file", "a-file cannot be used as a folder"),
        pytest.param("/proc", "nothing can be written", marks=linux_only),
    ],
)
async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, folder: str, wrong: str) -> None:
    """A file, or a place where nothing can be written."""
    (tmp_path / "a-file").touch()
    status, said = await ended(tmp_path, "--folder", str(tmp_path / folder))
    assert status == 1
    assert wrong in said
    assert "Traceback" not in said


@linux_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM: status 0, no process, no folder."""
    async with started(tmp_path) as made:
        assert len(held(tmp_path)) == 1
        made.process.send_signal(number)
        assert await made.process.wait() == 0
        assert has_ended(made.bot, within_s=0)
        assert held(tmp_path) == []


@linux_only
async def test_killed_it_leaves_no_bot(tmp_path: Path) -> None:
    """Not even `kill -9` of the sandbox leaves a bot behind."""
    async with started(tmp_path) as made:
        assert not has_ended(made.bot, within_s=0)
        made.process.kill()
        assert has_ended(made.bot, within_s=5)


@linux_only
async def test_it_ends_in_order_while_it_starts(tmp_path: Path) -> None:
    """SIGTERM when the bot has been started but does not serve yet: nothing is left either."""
    async with beginning(tmp_path) as process:
        (bot,) = await first_children(process.pid)
        process.terminate()
        said, _ = await process.communicate()
        assert (process.returncode, READY in said.decode()) == (0, False)
        assert has_ended(bot, within_s=0)
        assert held(tmp_path) == []
