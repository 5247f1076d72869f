"""A registry in memory that speaks the distribution protocol, as an httpx transport: no socket, no waiting."""

import base64
import json
from collections.abc import Callable

import httpx

from bot.sandbox.registry.distribution import PATH, Asked, Distribution


class OciServer(httpx.AsyncBaseTransport):
    """Pushing is always allowed.

    `token`: reading needs it as Bearer, to be had from `https://auth.test/token` (or `realm`) by `user`, a pair of name
    and password, or by everybody when that is `None`. `basic`: reading needs `user` by Basic. `faults` are answers
    given once each before anything else; `rewrite` changes any answer; `distribution` is the registry behind all that.
    """

    def __init__(self, *, token: str = "", basic: bool = False, user: tuple[str, str] | None = None) -> None:
        self.token, self.basic, self.user = token, basic, user
        self.realm = "https://auth.test/token"
        self.distribution = Distribution()
        self.faults: list[httpx.Response | Exception] = []
        self.rewrite: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None
        self.requests: list[httpx.Request] = []

    def tags(self, name: str) -> dict[str, str]:
        """What the tags of a repository mean."""
        return {**self.distribution.repositories[name].tags}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answer(request)
        return self.rewrite(request, answer) if self.rewrite else answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.test":
            return self._grant(request)
        found = PATH.fullmatch(request.url.path)
        refusal = self._refusal(request, found["name"]) if found and request.method == "GET" else None
        if refusal:
            return refusal
        asked = Asked(
            request.method,
            request.url.path,
            dict(request.url.params),
            accept=request.headers.get("Accept", "*/*"),
            content_type=request.headers.get("Content-Type", "application/octet-stream"),
            body=request.content,
        )
        reply = self.distribution.answer(asked)
        return httpx.Response(reply.status, content=reply.body, headers=reply.headers)

    def _grant(self, request: httpx.Request) -> httpx.Response:
        if self.user is not None and request.headers.get("Authorization") != _basic(*self.user):
            return httpx.Response(401)
        return httpx.Response(200, json={"token": self.token})

    def _refusal(self, request: httpx.Request, name: str) -> httpx.Response | None:
        shown = request.headers.get("Authorization")
        if self.token and shown != f"Bearer {self.token}":
            scope = f'realm="{self.realm}",service="registry.test",scope="repository:{name}:pull"'
            return httpx.Response(401, headers={"WWW-Authenticate": f"Bearer {scope}"})
        if self.basic and (self.user is None or shown != _basic(*self.user)):
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="registry"'})
        return None


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def rewritten(answer: httpx.Response, change: Callable[[dict[str, object]], None]) -> httpx.Response:
    """The same answer with its JSON changed."""
    body = json.loads(answer.content)
    change(body)
    return httpx.Response(answer.status_code, json=body)
