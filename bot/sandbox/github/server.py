"""The sandbox's GitHub over HTTP, and its repositories by name."""

from http import HTTPStatus

from aiohttp import web

from bot.ports.clock import Clock
from bot.sandbox.github.api import Asked, answered
from bot.sandbox.github.repository import Repository
from bot.sandbox.loopback import Outage

TOKEN = "sandbox"
PAGES = "https://github.com"


class GitHubServer:
    """Whoever shows `token` may read and dispatch. `web` is what stands before `/owner/name` in links for people.
    `outage` takes the server down."""

    def __init__(self, clock: Clock, *, token: str = TOKEN, web: str = PAGES) -> None:
        self._clock, self._token, self._web = clock, token, web
        self._repositories: dict[str, Repository] = {}
        self.outage = Outage("github")

    def repository(self, project: str) -> Repository:
        """The repository `owner/name`; a new, empty one where there was none."""
        if project not in self._repositories:
            self._repositories[project] = Repository(self._clock, project, self._web)
        return self._repositories[project]

    def application(self) -> web.Application:
        """The server, to be served; its address is what stands before `/repos`."""
        made = web.Application(middlewares=[self.outage()])
        made.router.add_route("*", "/repos/{rest:.*}", self._answered)
        return made

    async def _answered(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").partition(" ")[2] != self._token:
            return web.json_response({"message": "Bad credentials"}, status=HTTPStatus.UNAUTHORIZED)
        accept, body = request.headers.get("Accept", ""), await request.read()
        reply = answered(self._repositories, Asked(request.method, request.path, request.query, accept, body))
        return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type})
