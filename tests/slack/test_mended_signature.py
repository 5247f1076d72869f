"""The door before Slack's requests: whatever is thrown at it, only what Slack signed comes in."""

import hashlib
import hmac

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.slack.signature import SignedOnly
from tests.builders import NOW
from tests.fakes.clock import FakeClock

SECRET = "s3cret"
STAMP = str(int(NOW.timestamp()))
JSON = {"content-type": "application/json"}


def signature(body: bytes, stamp: str = STAMP) -> str:
    """What Slack would send with such a body."""
    base = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()


async def status(body: bytes, headers: dict[str, str]) -> int:
    """How the door answers; 200 means that the request came in."""

    async def inside(_: web.Request) -> web.StreamResponse:
        return web.Response(text="in")

    clock = FakeClock()
    clock.advance_to(NOW)
    application = web.Application()
    application.router.add_post("/", SignedOnly(SECRET, clock=clock).before(inside))
    async with TestClient(TestServer(application)) as client:
        return (await client.post("/", data=body, headers=headers)).status


def signed(body: bytes, stamp: str = STAMP, **others: str) -> dict[str, str]:
    """The headers of a signed request."""
    return {**JSON, "x-slack-request-timestamp": stamp, "x-slack-signature": signature(body, stamp), **others}


@pytest.mark.parametrize("body", [b'{"type": "x"}', b"command=%2Fdeploy&text=" + "ü".encode(), b""])
async def test_what_slack_signed_comes_in(body: bytes) -> None:
    """Whatever payload it is."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert await status(body, {**signed(body), **({} if body.startswith(b"{") else form)}) == 200


@pytest.mark.parametrize("stamp", ["9" * 400, "9" * 5000, "", "now", "-1", "1" + "0" * 14])
async def test_a_time_that_is_none_is_turned_away(stamp: str) -> None:
    """Also when the rest is right."""
    assert await status(b"{}", signed(b"{}", stamp)) == 401


@pytest.mark.parametrize("given", ["", "v0=é", "v0=" + "0" * 64])
async def test_a_wrong_signature_is_turned_away(given: str) -> None:
    """Also one in another alphabet."""
    assert await status(b"{}", {**signed(b"{}"), "x-slack-signature": given}) == 401


async def test_a_body_that_is_not_utf_8_is_turned_away() -> None:
    """Slack writes nothing else, whoever signed it."""
    assert await status(b"\xff\xfe", signed(b"\xff\xfe")) == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"[" * 50_000])
async def test_a_signed_body_that_is_no_payload_is_told_so(body: bytes) -> None:
    """It never reaches a listener."""
    assert await status(body, signed(body)) == 400


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_an_unsigned_body_is_not_even_read(body: bytes) -> None:
    """Who did not sign learns nothing about what is wrong with it."""
    assert await status(body, JSON) == 401
