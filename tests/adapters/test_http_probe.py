"""Redirects, methods and odd answers of smoke tests."""

import httpx
import pytest

from bot.adapters.http_probe import HttpProber
from bot.domain.errors import PermanentError, UnreachableError
from bot.domain.json import Json
from bot.ports.probe import ProbeAnswer, ProbeRequest

Pages = dict[str, httpx.Response]
URL = "https://api.test/healthz"


class Site(httpx.AsyncBaseTransport):
    """Pages by address; whatever else is asked for is a fault of the test."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the page."""
        await request.aread()
        self.requests.append(request)
        return self.pages[str(request.url)]


async def send(site: Site, request: ProbeRequest) -> ProbeAnswer:
    """Ask once."""
    async with HttpProber(transport=site) as prober:
        return await prober.send(request)


async def test_method_headers_and_body_are_sent() -> None:
    """The body as JSON, under its own content type."""
    site = Site({URL: httpx.Response(201, json={"id": 1})})
    answer = await send(site, ProbeRequest(URL, "POST", {"X-Smoke": "yes"}, {"name": "x"}))
    sent = site.requests[0]
    assert (sent.method, sent.headers["X-Smoke"], sent.headers["Content-Type"]) == ("POST", "yes", "application/json")
    assert sent.content == b'{"name": "x"}'
    assert (answer.status, answer.json) == (201, {"id": 1})


async def test_a_redirect_within_the_host_is_followed() -> None:
    """A missing slash is no failure."""
    site = Site(
        {URL: httpx.Response(307, headers={"Location": "/healthz/"}), f"{URL}/": httpx.Response(200, text="ok")}
    )
    assert (await send(site, ProbeRequest(URL))).text == "ok"


@pytest.mark.parametrize("to", ["https://login.test/", "http://api.test/healthz", "https://api.test:8443/healthz"])
async def test_a_redirect_to_another_host_is_the_answer(to: str) -> None:
    """Headers of ours must not go there, and a login page is not the service."""
    site = Site({URL: httpx.Response(302, headers={"Location": to})})
    assert (await send(site, ProbeRequest(URL, headers={"Authorization": "t"}))).status == 302
    assert len(site.requests) == 1


async def test_a_redirect_without_end_is_a_failure() -> None:
    """Five are followed."""
    site = Site({URL: httpx.Response(302, headers={"Location": URL})})
    with pytest.raises(PermanentError, match="redirects more than 5 times"):
        await send(site, ProbeRequest(URL))


@pytest.mark.parametrize(
    ("content", "parsed"),
    [(b'{"a": [1]}', {"a": [1]}), (b"true", True), (b"", None), (b"ok", None), (b"\xff\xfe", None)],
)
async def test_json_is_told_by_the_body(content: bytes, parsed: Json) -> None:
    """Whatever its content type says; anything else is text."""
    assert (await send(Site({URL: httpx.Response(200, content=content)}), ProbeRequest(URL))).json == parsed


async def test_a_flood_is_cut_off() -> None:
    """One mebibyte is read, and not taken for JSON."""
    flood = b"[" + b"1," * 1_000_000 + b"1]"
    answer = await send(Site({URL: httpx.Response(200, content=flood)}), ProbeRequest(URL))
    assert (answer.json, len(answer.text)) == (None, 2_000)


async def test_an_unknown_encoding_does_no_harm() -> None:
    """The text is read as well as it can be."""
    page = httpx.Response(200, content=b"ok", headers={"Content-Type": "text/plain; charset=klingon"})
    assert (await send(Site({URL: page}), ProbeRequest(URL))).text == "ok"


@pytest.mark.parametrize("url", ["ftp://api.test/", "healthz", "https://api.test:port/"])
async def test_what_is_no_address_is_a_permanent_error(url: str) -> None:
    """Trying it again would not help."""
    async with HttpProber() as prober:
        with pytest.raises(PermanentError, match=r"^not an address that can be asked"):
            await prober.send(ProbeRequest(url))


async def test_a_dropped_connection_is_unreachable() -> None:
    """The service died while it answered."""

    class Dropping(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("connection reset")

    async with HttpProber(transport=Dropping()) as prober:
        with pytest.raises(UnreachableError, match=r"^cannot be reached: connection reset"):
            await prober.send(ProbeRequest(URL))
