"""What speaks for a version in the sandbox, and that the bot reads it: the gates of prod over the stand-ins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.sandbox import folder as own_folder
from bot.sandbox.evidence import UNSIGNED, UNTESTED, VULNERABLE
from bot.sandbox.fast_tour import MORNING
from bot.sandbox.kept import Kept
from bot.sandbox.registry.signing import ImageSigner
from bot.sandbox.rehearsal import Rehearsal, settings_of, virtual_timing
from bot.sandbox.session import furnish
from bot.sandbox.surroundings import Addresses, Surroundings
from bot.sandbox.virtual_clock import VirtualClock
from runbooks.configuration import load


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[tuple[Rehearsal, Addresses]]:
    """The sandbox's world and the bot in it, on virtual time."""
    clock = VirtualClock(MORNING)
    around, signer = Surroundings(clock, timing=virtual_timing(clock)), ImageSigner()
    async with around.serving(folder) as at:
        configuration = load(own_folder.write(folder, at, public_key=signer.public_pem))
        furnish(around, at, Kept(folder), signer)
        stage = Rehearsal(around, clock, settings_of(folder, around))
        async with stage.running(configuration):
            yield stage, at


def channel(stage: Rehearsal) -> str:
    """What everybody reads."""
    rooms = stage.around.slack.workspace.rooms.values()
    return "\n".join(one.text for room in rooms for one in room.messages.values() if one.only_for is None)


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        (UNTESTED, "|ci>* failed"),
        (VULNERABLE, "|vulnerabilities>* failed"),
        (UNSIGNED, "*signature* failed"),
    ],
)
async def test_what_speaks_against_a_version_keeps_it_out_of_prod(tmp_path: Path, tag: str, said: str) -> None:
    """The gate that has found it says so, and nothing is changed."""
    async with staged(tmp_path) as (stage, _):
        await stage.around.slack.people.says("ann", "deploys", f"/deploy api {tag} prod")
        await stage.until(lambda: said in channel(stage), within=timedelta(minutes=5), about=said)
        assert "was *refused*" in channel(stage)
        assert {each.tag for each in stage.around.cluster.shown()} == {"sha100"}


async def test_a_check_that_failed_has_a_page(tmp_path: Path) -> None:
    """Its link says which one and how it ended; what is not there is not found."""
    async with staged(tmp_path) as (stage, at), httpx.AsyncClient(base_url=f"http://{at.github}") as client:
        await stage.around.slack.people.says("ann", "deploys", f"/deploy api {UNTESTED} prod")
        await stage.until(lambda: "|ci>* failed" in channel(stage), within=timedelta(minutes=5), about="a refusal")
        link = channel(stage).partition("*<")[2].partition("|ci>")[0]
        assert "check test: failure" in (await client.get(link)).text
        assert (await client.get("/acme/api/runs/9999")).status_code == 404
        assert (await client.get("/acme/other/commit/abc")).status_code == 404


async def test_a_good_version_passes_them_all_and_its_commits_are_told(tmp_path: Path) -> None:
    """Three checks, no finding, a signature; who wrote it is in the message, and the link leads to a page."""
    async with staged(tmp_path) as (stage, at):
        await stage.around.slack.people.says("ann", "deploys", "/deploy api sha123 prod")
        await stage.until(lambda: "*Vote* on" in channel(stage), within=timedelta(minutes=5), about="a ballot")
        text = channel(stage)
        assert all(
            part in text for part in ("|ci>* 3/3", "*vulnerabilities* no HIGH", "*signature* signed", "by `dave`")
        )
        links = [part.partition("|")[0] for part in text.split("<") if part.startswith(f"http://{at.github}/")]
        async with httpx.AsyncClient() as client:
            pages = [(await client.get(link)) for link in links]
        assert {page.status_code for page in pages} == {200}
        assert any("Prices are rounded once, at the end" in page.text for page in pages)
