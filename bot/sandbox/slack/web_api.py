"""The workspace over HTTP, as the app reaches it: methods, uploads, private files, and answers to a `response_url`."""

from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.loopback import Outage
from bot.sandbox.slack.answers import Answers
from bot.sandbox.slack.arguments import Arguments, arguments_of
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.files import LARGEST, Files
from bot.sandbox.slack.limits import Faults
from bot.sandbox.slack.method import Caller, Method
from bot.sandbox.slack.triggers import Triggers
from bot.sandbox.slack.workspace import Workspace

BEARER = "bearer "
BAD, NOT_FOUND = 400, 404


class WebApi:
    """The routes. `scopes` are what the app may do now; tests and faults may change them."""

    def __init__(
        self,
        workspace: Workspace,
        methods: Mapping[str, Method],
        *,
        files: Files,
        triggers: Triggers,
        faults: Faults,
    ) -> None:
        self._workspace = workspace
        self._methods = methods
        self._files = files
        self._triggers = triggers
        self._faults = faults
        self._answers = Answers(workspace)
        self.scopes: set[str] = set(workspace.acme.app.scopes)

    def application(self, outage: Outage) -> web.Application:
        """All of it, behind the switch that takes it down."""
        app = web.Application(middlewares=[outage()], client_max_size=LARGEST + 100_000)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/upload/v1/{file}", self._upload)
        app.router.add_get("/files-pri/{file}/{name}", self._download)
        app.router.add_post("/actions/{key}", self._answer)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        # What the token may do comes with every answer to it.
        is_ours = _token(request) == self._workspace.acme.app.token
        headers = {"x-oauth-scopes": ",".join(sorted(self.scopes))} if is_ours else {}
        try:
            self._faults.check(name)
            body = self._answered(name, await arguments_of(request), request)
        except SlackFaultError as fault:
            headers |= {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
            return web.json_response(fault.body(), status=fault.status, headers=headers)
        return web.json_response({"ok": True, **body}, headers=headers)

    def _answered(self, name: str, args: Arguments, request: web.Request) -> dict[str, object]:
        method = self._methods.get(name)
        if method is None:
            raise SlackFaultError("unknown_method", req_method=name)
        caller = self._caller(_token(request) or args.text("token"))
        if caller.is_app and method.scopes and not self.scopes & set(method.scopes):
            raise SlackFaultError("missing_scope", needed=method.scopes[0], provided=",".join(sorted(self.scopes)))
        return method.answer(caller, args)

    def _caller(self, token: str) -> Caller:
        if not token:
            raise SlackFaultError("not_authed")
        if token == self._workspace.acme.app.token:
            return Caller(self._workspace.acme.app.user, is_app=True)
        for person in self._workspace.acme.people:
            if token == f"xoxp-{person.name}":
                if person.is_deleted:
                    raise SlackFaultError("account_inactive")
                return Caller(person.id)
        raise SlackFaultError("invalid_auth")

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            file = self._files.find(request.match_info["file"])
        except SlackFaultError:
            return web.Response(status=NOT_FOUND, text="not found")
        content = await _bytes_of(request)
        if file.content is not None or len(content) != file.length:
            return web.Response(status=BAD, text="ERROR")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _download(self, request: web.Request) -> web.Response:
        try:
            caller = self._caller(_token(request))
            file = self._files.sent(request.match_info["file"].partition("-")[2])
        except SlackFaultError as fault:
            if fault.error == "file_not_found":
                return web.Response(status=NOT_FOUND, text="not found")
            raise web.HTTPFound("/signin") from None  # without a good token Slack leads to its sign-in page
        if caller.is_app and "files:read" not in self.scopes:
            raise web.HTTPFound("/signin")
        return web.Response(body=file.content, content_type=file.mimetype)

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except ValueError:
            return web.Response(status=BAD, text="invalid_payload")
        if not isinstance(body, dict):
            return web.Response(status=BAD, text="invalid_payload")
        try:
            self._answers.give(self._triggers.use(request.match_info["key"]), body)
        except SlackFaultError as fault:
            is_over = fault.error in ("expired_url", "used_url")
            return web.json_response(fault.body(), status=NOT_FOUND if is_over else BAD)
        return web.Response(text="ok")


def _token(request: web.Request) -> str:
    given = request.headers.get("Authorization", "")
    return given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else ""


async def _bytes_of(request: web.Request) -> bytes:
    """The body itself, or the one file in a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
