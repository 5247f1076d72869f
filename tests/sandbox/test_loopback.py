"""How stand-ins are served."""

import httpx
from aiohttp import web

from bot.sandbox.loopback import Outage, listening


async def _fine(_request: web.Request) -> web.Response:
    return web.Response(text="fine")


async def test_a_stand_in_can_be_taken_down_and_comes_back() -> None:
    """While it is down it answers as a load balancer does before a server that is away."""
    outage = Outage("the registry")
    application = web.Application(middlewares=[outage()])
    application.router.add_get("/", _fine)
    async with listening(application) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/")).text == "fine"
        outage.down = True
        answer = await client.get("/")
        assert (answer.status_code, answer.text) == (503, "the registry is down\n")
        outage.down = False
        assert (await client.get("/")).text == "fine"
