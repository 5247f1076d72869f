"""The page's own routes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from bot.sandbox.loopback import listening
from bot.sandbox.page_server import PAGE, PageServer


class ToldPanel:
    """A panel that shows what it was told."""

    def __init__(self) -> None:
        self.on: set[str] = set()
        self.kills = 0

    def scene(self) -> Mapping[str, Any]:
        """See `Panel`."""
        return {"people": [{"name": "ann", "about": ""}], "tries": [], "vocabulary": {}}

    def shown(self) -> Mapping[str, Any]:
        """See `Panel`."""
        return {"on": sorted(self.on), "kills": self.kills}

    def switch(self, name: str, *, on: bool) -> None:
        """See `Panel`."""
        if name not in {"errors", "slack"}:
            raise KeyError(name)
        self.on = self.on | {name} if on else self.on - {name}

    def kill(self) -> None:
        """See `Panel`."""
        self.kills += 1


@asynccontextmanager
async def page(told: ToldPanel) -> AsyncIterator[httpx.AsyncClient]:
    """A served page over it, and a browser's way to ask."""
    application = web.Application()
    PageServer(told).add_to(application)
    async with listening(application) as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
        yield http


async def test_the_page_allows_nothing_from_elsewhere() -> None:
    """Its policy has no word that opens it, and it is asked for anew each time."""
    async with page(ToldPanel()) as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
async def test_every_file_is_served_as_what_it_is(path: Any) -> None:
    """A browser that is told not to guess takes it."""
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    async with page(ToldPanel()) as http:
        answer = await http.get(f"/page/{path.name}")
    assert answer.content == path.read_bytes()
    assert answer.headers["content-type"].partition(";")[0] in {kinds[path.suffix], "application/javascript"}
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["nothing.js", "..%2fcli.py", "%2e%2e%2fpanel.py"])
async def test_no_other_file_is(name: str) -> None:
    """Only what lies in the page's folder, by its name."""
    async with page(ToldPanel()) as http:
        answer = await http.get(f"/page/{name}")
    assert answer.status_code == 404


async def test_the_scene_is_told() -> None:
    """As the panel has it."""
    told = ToldPanel()
    async with page(told) as http:
        assert (await http.get("/api/scene")).json() == told.scene()


async def test_the_panel_is_told_as_it_is_now() -> None:
    """Each time that it is asked for, and no connection stays open."""
    async with page(ToldPanel()) as http:
        before = (await http.get("/api/panel")).json()
        await http.post("/api/switch", json={"name": "errors", "on": True})
        after = await http.get("/api/panel")
    assert (before, after.json()) == ({"on": [], "kills": 0}, {"on": ["errors"], "kills": 0})
    assert after.headers["cache-control"] == "no-store"


async def test_a_switch_is_thrown_and_taken_back() -> None:
    """The answer is empty; the panel tells the rest."""
    told, seen = ToldPanel(), []
    async with page(told) as http:
        for on in (True, True, False):
            answer = await http.post("/api/switch", json={"name": "slack", "on": on})
            seen.append((answer.status_code, sorted(told.on)))
    assert seen == [(200, ["slack"]), (200, ["slack"]), (200, [])]


async def test_the_bot_is_killed() -> None:
    """Once for each time it is asked."""
    told = ToldPanel()
    async with page(told) as http:
        await http.post("/api/kill", json={})
    assert told.kills == 1


async def test_an_unknown_switch_is_404() -> None:
    """With its name in the answer."""
    async with page(ToldPanel()) as http:
        answer = await http.post("/api/switch", json={"name": "gravity", "on": True})
    assert (answer.status_code, answer.json()["error"]) == (404, "switch_not_found")
    assert "gravity" in answer.json()["text"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"name": "slack"}', b'{"name": 1, "on": true}', b'{"name": "slack", "on": 1}']
)
async def test_what_is_not_understood_throws_nothing(body: bytes) -> None:
    """Neither half a request nor another type."""
    told = ToldPanel()
    async with page(told) as http:
        answer = await http.post("/api/switch", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, told.on) == (400, set())


FOREIGN = [
    ({"Origin": "http://elsewhere.example"}, 403, "foreign_origin"),
    ({"Origin": "null"}, 403, "foreign_origin"),
    ({"Sec-Fetch-Site": "cross-site"}, 403, "foreign_origin"),
    ({"Host": "elsewhere.example"}, 403, "foreign_host"),
    ({"Content-Type": "text/plain"}, 415, "not_json"),
]


@pytest.mark.parametrize("path", ["/api/switch", "/api/kill"])
@pytest.mark.parametrize(("headers", "status", "error"), FOREIGN, ids=[str(each[0]) for each in FOREIGN])
async def test_another_page_breaks_nothing(path: str, headers: dict[str, str], status: int, error: str) -> None:
    """Whatever somebody has open beside it: its script, its form, or a name that leads here."""
    told = ToldPanel()
    async with page(told) as http:
        sent = {"Content-Type": "application/json", **headers}
        answer = await http.post(path, content=b'{"name": "slack", "on": true}', headers=sent)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert (told.on, told.kills) == (set(), 0)


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/scene", "/api/panel"])
async def test_another_page_reads_nothing(path: str) -> None:
    """Nor what is shown."""
    async with page(ToldPanel()) as http:
        answer = await http.get(path, headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["error"]) == (403, "foreign_host")
