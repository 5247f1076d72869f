"""A release that two people vote for, and what must be true of it however often a process died meanwhile."""

from functools import partial

from tests.real.servers import until
from tests.real.stage import Stage, push


async def voted(here: Stage, number: int) -> tuple[str, str]:
    """The `number`th release of api to prod is asked for and has its votes; its digest and its message's timestamp."""
    tag = tag_of(number)
    digest = (await push(here, tag))[tag]
    await here.slack.types("alice", f"/deploy api {tag} prod")
    ts = str((await here.ballot(count=number))["ts"])
    for voter in ("bob", "carol"):
        await here.slack.reacts(voter, ts)
    return digest, ts


async def runs_once(here: Stage, number: int, digest: str, ts: str, *, within_s: float = 60) -> None:
    """It ends well: one new revision, one release message, and no thread message twice."""
    end = await here.ends(count=number, within_s=within_s)
    assert f"`{tag_of(number)}` runs in *prod*" in end["text"], (number, end["text"])
    assert (await here.image("prod")).endswith(digest)
    assert await here.revision("prod") == number + 1
    assert len(await here.releases()) == number
    thread = await until(partial(here.slack.thread, ts), lambda found: "runs in" in found[-1], within_s=within_s)
    assert len(thread) == len(set(thread)), thread


def tag_of(number: int) -> str:
    """What the `number`th release brings."""
    return f"v2-{number}"
