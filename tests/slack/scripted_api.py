"""A loopback Web API that answers what a test tells it to: for faults and corners that no emulator shows."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.web_api import open_client


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `body` is JSON, or text where it is a string."""

    body: Mapping[str, Any] | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def ok(**fields: Any) -> Answer:
    """Slack says yes."""
    return Answer({"ok": True, **fields})


def fault(error: str, **fields: Any) -> Answer:
    """Slack says no."""
    return Answer({"ok": False, "error": error, **fields})


class ScriptedApi:
    """Answers each method in the given order; the last answer is given for ever."""

    def __init__(self, **answers: Sequence[Answer] | Answer) -> None:
        self._answers = {
            method.replace("_", "."): list(given) if isinstance(given, Sequence) else [given]
            for method, given in answers.items()
        }
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._arrived = asyncio.Event()

    async def next_call(self, method: str) -> dict[str, Any]:
        """The first call of a method, as soon as it has come."""
        async with asyncio.timeout(5):
            while not self.calls[method]:
                await self._arrived.wait()
                self._arrived.clear()
        return self.calls[method][0]

    async def handle(self, request: web.Request) -> web.Response:
        """One call."""
        method = request.match_info["method"]
        sent: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            sent |= await request.json()
        else:
            sent |= dict(await request.post())
        self.calls[method].append(sent)
        self._arrived.set()
        given = self._answers[method]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer.body, str):
            return web.Response(
                text=answer.body, status=answer.status, content_type="text/html", headers=answer.headers
            )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)


@asynccontextmanager
async def scripted(**answers: Sequence[Answer] | Answer) -> AsyncIterator[tuple[AsyncWebClient, ScriptedApi]]:
    """A client of a scripted API; `chat_postMessage` is the method `chat.postMessage`."""
    api = ScriptedApi(**answers)
    app = web.Application()
    app.router.add_route("*", "/api/{method}", api.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with open_client("xoxb-test", base_url=f"http://{host}:{port}/api/") as client:
            yield client, api
    finally:
        await runner.cleanup()
