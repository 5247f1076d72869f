"""How a stand-in is served: on the loopback interface alone, with a switch that takes it down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HOST = "127.0.0.1"


class Outage:
    """A middleware that answers everything with 503 while `down`: what a load balancer says before a server that is
    away. `name` is in the text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.down = False

    def __call__(self) -> Middleware:
        """The middleware, to be given to `web.Application(middlewares=[...])`."""

        @web.middleware
        async def standing(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.down:
                return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=f"{self.name} is down\n")
            return await handler(request)

        return standing


@asynccontextmanager
async def listening(application: web.Application, *, port: int = 0) -> AsyncIterator[str]:
    """Serve inside the block; yields `http://127.0.0.1:PORT`. Port 0: a free one. Raises OSError for a taken one."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
