"""A registry in memory that speaks the distribution protocol, as an httpx transport: no socket, no waiting."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

PATH = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|blobs|tags|referrers)/(?P<ref>.+)")


@dataclass(slots=True)
class Repository:
    """Content by digest, with its media type, and tags."""

    content: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class OciServer(httpx.AsyncBaseTransport):
    """Pushing is always allowed.

    `token`: reading needs it as Bearer, to be had from `https://auth.test/token` (or `realm`) by `user`, a pair of name
    and password, or by everybody when that is `None`. `basic`: reading needs `user` by Basic. `faults` are answers
    given once each before anything else; `page` is the size of a page of tags and of referrers; `rewrite` changes any
    answer. `without_referrers` is the status of a registry that has no such API; `None`: it has one.
    """

    def __init__(self, *, token: str = "", basic: bool = False, user: tuple[str, str] | None = None) -> None:
        self.token, self.basic, self.user = token, basic, user
        self.realm = "https://auth.test/token"
        self.page = 1000
        self.without_referrers: int | None = None
        self.faults: list[httpx.Response | Exception] = []
        self.rewrite: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None
        self.requests: list[httpx.Request] = []
        self._repositories: dict[str, Repository] = {}

    def tags(self, name: str) -> dict[str, str]:
        """What the tags of a repository mean."""
        return dict(self._repositories[name].tags)

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
        if found is None:
            return httpx.Response(404)
        if request.method == "GET":
            return self._refusal(request, found["name"]) or self._read(request, **found.groupdict())
        return self._write(request, **found.groupdict())

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

    def _read(self, request: httpx.Request, name: str, what: str, ref: str) -> httpx.Response:
        repository = self._repositories.get(name)
        if what == "referrers" and self.without_referrers is not None:
            return httpx.Response(self.without_referrers)
        if repository is None:
            return httpx.Response(404, json={"errors": [{"code": "NAME_UNKNOWN"}]})
        if what == "tags":
            return self._tags(request, name, repository)
        if what == "referrers":
            return self._referrers(request, name, ref)
        digest = repository.tags.get(ref, ref)
        if digest not in repository.content:
            return httpx.Response(404, json={"errors": [{"code": "MANIFEST_UNKNOWN"}]})
        media_type, body = repository.content[digest]
        if what == "manifests" and media_type not in request.headers.get("Accept", ""):
            return httpx.Response(404)
        return httpx.Response(200, content=body, headers={"Content-Type": media_type, "Docker-Content-Digest": digest})

    def _tags(self, request: httpx.Request, name: str, repository: Repository) -> httpx.Response:
        after = request.url.params.get("last", "")
        left = sorted(tag for tag in repository.tags if tag > after)
        page, more = left[: self.page], left[self.page :]
        link = {"Link": f'</v2/{name}/tags/list?n={self.page}&last={page[-1]}>; rel="next"'} if more else {}
        return httpx.Response(200, json={"name": name, "tags": page or None}, headers=link)

    def _referrers(self, request: httpx.Request, name: str, subject: str) -> httpx.Response:
        after = int(request.url.params.get("last", 0))
        found = [
            {"mediaType": media_type, "digest": digest, "size": len(body)}
            for digest, (media_type, body) in self._repositories[name].content.items()
            if "manifest" in media_type and json.loads(body).get("subject", {}).get("digest") == subject
        ]
        page, more = found[after : after + self.page], found[after + self.page :]
        link = {"Link": f'</v2/{name}/referrers/{subject}?last={after + self.page}>; rel="next"'} if more else {}
        index = "application/vnd.oci.image.index.v1+json"
        body = json.dumps({"schemaVersion": 2, "mediaType": index, "manifests": page}).encode()
        return httpx.Response(200, content=body, headers={"Content-Type": index, **link})

    def _write(self, request: httpx.Request, name: str, what: str, ref: str) -> httpx.Response:
        repository = self._repositories.setdefault(name, Repository())
        if request.method == "POST":
            return httpx.Response(202, headers={"Location": f"/v2/{name}/blobs/uploads/1?state=x"})
        digest = f"sha256:{hashlib.sha256(request.content).hexdigest()}"
        repository.content[digest] = (request.headers.get("Content-Type", "application/octet-stream"), request.content)
        if what == "manifests":
            repository.tags[ref] = digest
        return httpx.Response(201)


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def rewritten(answer: httpx.Response, change: Callable[[dict[str, object]], None]) -> httpx.Response:
    """The same answer with its JSON changed."""
    body = json.loads(answer.content)
    change(body)
    return httpx.Response(answer.status_code, json=body)
