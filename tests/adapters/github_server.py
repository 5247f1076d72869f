"""A GitHub in memory that speaks the parts of its REST API that Sluice asks, as an httpx transport."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from bot.sandbox.github.api import Asked, answered
from bot.sandbox.github.history import Author
from bot.sandbox.github.repository import Repository, Workflow
from tests.fakes.clock import FakeClock

TOKEN = "ghp_test"
PROJECT = "acme/api"
SHA = "9f2c1e7aa01b4c5d6e7f8091a2b3c4d5e6f70819"
API = "https://api.github.com"
INPUTS = frozenset({"sluice_key", "suite"})

Answer = httpx.Response
Files = Mapping[str, bytes]


class GitHubServer(httpx.AsyncBaseTransport):
    """`check` and `status` report on commits. `faults` are answers given once each before anything else; `rewrite`
    changes every answer; `tells_runs`: the server knows `return_run_details`; `app_tokens` were given to the App."""

    def __init__(self) -> None:
        self.faults: list[Answer | Exception] = []
        self.rewrite: Callable[[httpx.Request, Answer], Answer] | None = None
        self.tells_runs: bool | None = True
        self.tokens = {TOKEN}
        self.app_tokens: list[str] = []
        self.token_ends = "2026-03-02T10:00:00Z"
        self.requests: list[httpx.Request] = []
        self.repository = Repository(FakeClock(), PROJECT)
        self.repository.workflow(Workflow("integration.yml", inputs=INPUTS))
        self.commit(SHA, "Add a thing")

    @property
    def check_runs(self) -> list[dict[str, Any]]:
        """The rows of all check runs."""
        return self.repository.check_runs

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The rows of all workflow runs."""
        return self.repository.runs

    def commit(self, sha: str, message: str, *, login: str | None = "ann", files: Files | None = None) -> None:
        """A commit on top of those before it."""
        self.repository.commit(message, sha=sha, author=Author(login=login), files=files)

    def check(self, name: str, conclusion: str | None, *, sha: str = SHA, suite: int = 1) -> None:
        """A new attempt of a check of Actions; `None`: it is in progress."""
        self.repository.check(sha, name, conclusion, suite=suite)

    def status(self, context: str, state: str, *, sha: str = SHA) -> None:
        """A new commit status."""
        self.repository.status(sha, context, state)

    # --- its API ---

    async def handle_async_request(self, request: httpx.Request) -> Answer:
        """Answer one request."""
        self.requests.append(request)
        await request.aread()
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answer(request)
        return self.rewrite(request, answer) if self.rewrite else answer

    def _answer(self, request: httpx.Request) -> Answer:
        path = request.url.path.removeprefix("/api/v3")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if path.startswith("/app/"):
            return self._installation(token)
        if token not in self.tokens:
            return Answer(401, json={"message": "Bad credentials"})
        asked = Asked(
            request.method,
            path,
            dict(request.url.params),
            accept=request.headers.get("Accept", ""),
            body=request.content,
            tells_runs=self.tells_runs,
        )
        reply = answered({PROJECT: self.repository}, asked)
        return Answer(reply.status, content=reply.body, headers={"Content-Type": reply.content_type})

    def _installation(self, jwt: str) -> Answer:
        _, claims, _ = jwt.split(".")
        read = json.loads(base64.urlsafe_b64decode(claims + "=="))
        if read["exp"] - read["iat"] > 600:
            return Answer(401, json={"message": "'Expiration time' claim ('exp') is too far in the future"})
        token = f"ghs_{len(self.app_tokens) + 1}"
        self.app_tokens.append(token)
        self.tokens.add(token)
        return Answer(201, json={"token": token, "expires_at": self.token_ends})
