"""A health check whose answer a test decides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Health:
    """A tiny server that smoke checks ask; it can be made to fail."""

    def __init__(self) -> None:
        self.status = 200
        self.asked = 0
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Health"]:
        """Answer inside the block."""
        app = web.Application()
        app.router.add_get("/healthz", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, text="ok")
