"""The sandbox's GitHub over HTTP, and its repositories by name."""

from http import HTTPStatus

from aiohttp import web

from bot.ports.clock import Clock
from bot.sandbox.github.api import Asked, answered
from bot.sandbox.github.pages import commit_page, compare_page, run_page
from bot.sandbox.github.repository import Repository
from bot.sandbox.loopback import Outage

TOKEN = "sandbox"
PAGES = "https://github.com"
PAGES_BY = {"ref": commit_page, "span": compare_page, "number": run_page}
"""What is shown, by the part of the address that names it."""


class GitHubServer:
    """Whoever shows `token` may read and dispatch. `web` is what stands before `/owner/name` in links for people: of
    repositories that are made later. The server has a page for those that lead to it. `outage` takes it down."""

    def __init__(self, clock: Clock, *, token: str = TOKEN, web: str = PAGES) -> None:
        self._clock, self._token, self.web = clock, token, web
        self._repositories: dict[str, Repository] = {}
        self.outage = Outage("github")

    def repository(self, project: str) -> Repository:
        """The repository `owner/name`; a new, empty one where there was none."""
        if project not in self._repositories:
            self._repositories[project] = Repository(self._clock, project, self.web)
        return self._repositories[project]

    def application(self) -> web.Application:
        """The server, to be served; its address is what stands before `/repos`."""
        made = web.Application(middlewares=[self.outage()])
        made.router.add_route("*", "/repos/{rest:.*}", self._answered)
        made.router.add_get("/{owner}/{name}/commit/{ref}{rest:(/checks)?}", self._page)
        made.router.add_get("/{owner}/{name}/compare/{span}", self._page)
        made.router.add_get("/{owner}/{name}/runs/{number}", self._page)
        return made

    async def _page(self, request: web.Request) -> web.StreamResponse:
        at = request.match_info
        repository = self._repositories.get(f"{at['owner']}/{at['name']}")
        found = None
        for asked, page in PAGES_BY.items():
            if repository is not None and asked in at:
                found = page(repository, at[asked])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(text=found)

    async def _answered(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").partition(" ")[2] != self._token:
            return web.json_response({"message": "Bad credentials"}, status=HTTPStatus.UNAUTHORIZED)
        accept, body = request.headers.get("Accept", ""), await request.read()
        reply = answered(self._repositories, Asked(request.method, request.path, request.query, accept, body))
        return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type})
