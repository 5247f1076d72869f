"""A Kubernetes API server in memory, over HTTP on loopback: objects and watches, but no controllers.

A test puts objects as they would stand in a cluster; what the adapter then reads, writes and refuses is its own.
"""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Raw = dict[str, Any]

COLLECTION_DEPTH = 2
"""Slashes from `namespaces` on in the path of a collection: `namespaces/staging/pods`."""


class KubeApi:
    """Its objects by path. `answers` are given once each before anything else; `failing` are status
    and message for every request of an HTTP method. `after_read` may edit between a read and
    a write; `on_watch` is called when a watch has begun; `page` bounds a list; `silent`: no request is answered.
    `dies` is asked "before" and "after" each write, with its method and path, whether that is where it fails.
    Paths that begin as in `missing` are not served. `logs` by pod, container and whether the previous life is meant.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Raw] = {}
        self.answers: list[web.Response] = []
        self.failing: dict[str, tuple[int, str]] = {}
        self.after_read: Callable[[], object] | None = None
        self.missing: tuple[str, ...] = ()
        self.dies: Callable[[str, str], bool] | None = None
        self.page = 500
        self.logs: dict[tuple[str, str, bool], str] = {}
        self.requests: list[web.Request] = []
        self.bodies: list[Raw] = []
        self.silent = False
        self.on_watch: Callable[[], object] | None = None
        self._watchers: list[tuple[str, asyncio.Queue[bytes | None]]] = []
        self._version = 100

    def put(self, path: str, found: Raw) -> Raw:
        """Store an object under `<collection>`; its name completes the path."""
        self._version += 1
        found = {**found, "metadata": {**found["metadata"], "resourceVersion": str(self._version)}}
        self.objects[f"{path}/{found['metadata']['name']}"] = found
        self.tell(path, "MODIFIED", found)
        return found

    def tell(self, path: str, kind: str, found: Raw) -> None:
        """Send an event to everybody who watches the collection."""
        for watched, queue in self._watchers:
            if watched == path:
                queue.put_nowait(json.dumps({"type": kind, "object": found}).encode() + b"\n")

    def cut(self) -> None:
        """End all watches."""
        for _, queue in self._watchers:
            queue.put_nowait(None)
        self._watchers.clear()

    def application(self) -> web.Application:
        """The server's routes."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.requests.append(request)
        if self.silent:
            await asyncio.Event().wait()
        if self.answers:
            return self.answers.pop(0)
        if failure := self.failing.get(request.method):
            return refused(*failure)
        path = request.match_info["path"]
        match request.method:
            case "GET" if request.query.get("watch"):
                return await self._watch(request, path)
            case "GET":
                return self._get(request, path)
        what = f"{request.method} {path}"
        if self.dies and self.dies("before", what):
            return refused(500, "it died")
        answer = await self._write(request, path)
        return refused(500, "it died") if self.dies and self.dies("after", what) else answer

    async def _write(self, request: web.Request, path: str) -> web.Response:
        match request.method:
            case "PATCH":
                return self._patch(path, await self._body(request))
            case "POST":
                return self._post(path, await self._body(request))
        bound = (await self._body(request)).get("preconditions") or {} if request.can_read_body else {}
        found = self.objects.get(path)
        if found and any(found["metadata"].get(key) != value for key, value in bound.items()):
            return refused(409, "the object has been modified")
        return web.json_response(self.objects.pop(path)) if found else missing(path)

    async def _body(self, request: web.Request) -> Raw:
        body: Raw = await request.json()
        self.bodies.append(body)
        return body

    def _get(self, request: web.Request, path: str) -> web.Response:
        if path.endswith("/log"):
            key = (path.split("/")[-2], request.query["container"], request.query.get("previous") == "true")
            return (
                web.Response(text=self.logs[key]) if key in self.logs else refused(400, "previous container not found")
            )
        if path.startswith(self.missing):
            return missing(path)
        if path in self.objects:
            answer = web.json_response(self.objects[path])
            if self.after_read:
                self.after_read()
            return answer
        if path.count("/") - path.partition("namespaces/")[0].count("/") > COLLECTION_DEPTH:
            return missing(path)
        found = [one for key, one in self.objects.items() if key.rpartition("/")[0] == path]
        return self._list(request, [one for one in found if _selected(one, request.query.get("labelSelector", ""))])

    def _list(self, request: web.Request, found: list[Raw]) -> web.Response:
        begin = int(request.query.get("continue", "0"))
        end = begin + min(self.page, int(request.query.get("limit", "500")))
        metadata = {"resourceVersion": str(self._version)} | ({"continue": str(end)} if end < len(found) else {})
        return web.json_response({"kind": "List", "metadata": metadata, "items": found[begin:end] or None})

    def _patch(self, path: str, body: Raw) -> web.Response:
        if path not in self.objects:
            return missing(path)
        current = self.objects[path]
        if (body.get("metadata") or {}).get("resourceVersion") not in (None, current["metadata"]["resourceVersion"]):
            return refused(409, "the object has been modified")
        merged = merge(copy.deepcopy(current), body)
        merged["metadata"]["generation"] = current["metadata"].get("generation", 0) + 1
        return web.json_response(self.put(path.rpartition("/")[0], merged))

    def _post(self, path: str, body: Raw) -> web.Response:
        if f"{path}/{body['metadata']['name']}" in self.objects:
            return refused(409, "already exists")
        made = {"uid": f"uid-{body['metadata']['name']}-{self._version}", "generation": 1}
        return web.json_response(self.put(path, {**body, "metadata": {**made, **body["metadata"]}}), status=201)

    async def _watch(self, request: web.Request, path: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._watchers.append((path, queue))
        if self.on_watch:
            self.on_watch()
        while (line := await queue.get()) is not None:
            await response.write(line)
        return response


def merge(old: Raw, new: Raw) -> Raw:
    """A strategic merge as far as containers need it: lists of named things are merged by name."""
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        elif value is None:
            old.pop(key, None)
        elif key == "containers":
            for container in value:
                merge(next(one for one in old[key] if one["name"] == container["name"]), container)
        else:
            old[key] = value
    return old


def refused(status: int, message: str, **headers: str) -> web.Response:
    """A failure as API servers write it."""
    return web.json_response({"kind": "Status", "message": message, "code": status}, status=status, headers=headers)


def missing(path: str) -> web.Response:
    """A 404."""
    return refused(404, f'"{path.rpartition("/")[2]}" not found')


def _selected(found: Raw, selector: str) -> bool:
    labels = found["metadata"].get("labels") or {}
    pairs = [pair.partition("=") for pair in selector.split(",") if pair]
    return all(labels.get(key) == value for key, _, value in pairs)


@asynccontextmanager
async def serving(api: KubeApi, folder: Path) -> AsyncIterator[str]:
    """Serve it; the path of a kubeconfig that leads there with the token `secret`, kept in the file `token`."""
    async with TestServer(api.application()) as server:
        path, token = folder / "kubeconfig", folder / "token"
        token.write_text("secret")
        path.write_text(kubeconfig(str(server.make_url("")).rstrip("/"), token_file=str(token)))
        try:
            yield str(path)
        finally:
            api.cut()


def kubeconfig(server: str, *, token_file: str = "") -> str:
    """A kubeconfig (JSON is YAML) with one context."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "clusters": [{"name": "main", "cluster": {"server": server}}],
            "users": [{"name": "sluice", "user": {"tokenFile": token_file} if token_file else {}}],
            "contexts": [{"name": "main", "context": {"cluster": "main", "user": "sluice"}}],
        }
    )
