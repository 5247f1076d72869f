"""The API over HTTP: one answer for each request."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.access import Access, Deed, deed_of
from bot.sandbox.kubernetes.control import is_ready
from bot.sandbox.kubernetes.discovery import METRICS, discovered
from bot.sandbox.kubernetes.kubelet import Kubelet
from bot.sandbox.kubernetes.lists import listed
from bot.sandbox.kubernetes.objects import Deletion, Objects
from bot.sandbox.kubernetes.patches import merged, patch_of
from bot.sandbox.kubernetes.paths import Place, place_of
from bot.sandbox.kubernetes.refusals import RefusalError, conflict, not_found
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.selectors import selector
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.watches import LONGEST, Watch, Watches, versioned

JSON = "application/json"
HEALTH = ("healthz", "livez", "readyz")
SUBRESOURCES = ("", "status", "scale", "log")
USAGE = ("apis", METRICS, "v1beta1", "namespaces")
NO_OBJECT = "couldn't get version/kind; json parse error: no object"
WINDOW = timedelta(seconds=30)

Usage = Callable[[str, str], float]
"""Cores that a pod, by namespace and name, used on average in the last half minute."""


class Requests:
    """Everything an API server answers. `advance` lets what is due happen before each answer. Nobody has to prove who
    they are: kubectl sends no token over plain HTTP. `access` is what they may do."""

    def __init__(
        self, objects: Objects, watches: Watches, kubelet: Kubelet, advance: Callable[[], datetime | None]
    ) -> None:
        self._objects, self._watches, self._kubelet, self._advance = objects, watches, kubelet, advance
        self.access = Access()
        self.usage: Usage = lambda _namespace, _pod: 0.02

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self._advance()
        try:
            return await self._answered(request)
        except RefusalError as exc:
            return web.json_response(exc.status, status=exc.code)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path in HEALTH:
            return web.Response(text="ok")
        found = discovered(path)
        if found is not None and request.method == "GET":
            return web.json_response(found)
        if path.endswith("/selfsubjectaccessreviews") and request.method == "POST":
            return web.json_response(self.access.reviewed(await _object(request)), status=HTTPStatus.CREATED)
        if tuple(path.split("/")[:4]) == USAGE and request.method == "GET":
            return web.json_response(self._usage(path.split("/")[4:]))
        place = place_of(path)
        if place is None or place.subresource not in SUBRESOURCES:
            return web.Response(text="404 page not found\n", status=HTTPStatus.NOT_FOUND)
        self.access.require(deed_of(request, place))
        if place.subresource == "log":
            return self._log(request, place)
        return await (self._read(request, place) if request.method == "GET" else self._write(request, place))

    async def _read(self, request: web.Request, place: Place) -> web.StreamResponse:
        query = request.query
        if query.get("watch") in ("1", "true"):
            return await self._watch(request, place)
        if place.name:
            found = self._objects.named(place.kind, place.key)
            if place.subresource == "scale":
                return web.json_response(_scale(found))
            if "as=PartialObjectMetadata;" in request.headers.get("Accept", ""):
                return web.Response(body=found.metadata_text, content_type=JSON)
            if "as=Table" in request.headers.get("Accept", ""):
                return web.Response(body=listed(self._objects, place, request, [found]), content_type=JSON)
            return web.Response(body=versioned(found, place), content_type=JSON)
        return web.Response(
            body=listed(self._objects, place, request, self._selected(request, place)), content_type=JSON
        )

    def _selected(self, request: web.Request, place: Place) -> list[Record]:
        query = request.query
        selected = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        return [one for one in self._objects.store.of(place.kind, place.namespace) if selected(one.raw)]

    async def _write(self, request: web.Request, place: Place) -> web.Response:
        dry = "dryRun" in request.query
        match request.method:
            case "POST" if not place.name:
                made = self._objects.create(place.kind, place.namespace, await _object(request), dry=dry)
                return web.Response(body=versioned(made, place), content_type=JSON, status=HTTPStatus.CREATED)
            case "DELETE" if not place.subresource:
                return web.json_response(self._delete(request, place, await _object(request), dry=dry))
            case "PUT" | "PATCH" if place.name:
                return self._change(request, place, await _body(request), dry=dry)
        said = "the server does not allow this method on the requested resource"
        raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, said)

    def _change(self, request: web.Request, place: Place, body: Any, *, dry: bool) -> web.Response:
        if place.subresource == "scale":
            return web.json_response(self._rescale(request, place, body))
        if request.method == "PUT":
            if not isinstance(body, dict):
                raise RefusalError(HTTPStatus.BAD_REQUEST, NO_OBJECT)
            written = self._objects.update(place.kind, place.key, body, subresource=place.subresource, dry=dry)
        else:
            patch = patch_of(request.content_type, body, custom=place.kind.custom)
            written = self._objects.patch(place.kind, place.key, patch, subresource=place.subresource, dry=dry)
        return web.Response(body=versioned(written, place), content_type=JSON)

    def _rescale(self, request: web.Request, place: Place, body: Any) -> Raw:
        found = self._objects.named(place.kind, place.key)
        if not place.kind.scalable:
            raise not_found(place.kind, place.name)
        wanted = body if request.method == "PUT" else patch_of(request.content_type, body, custom=True)(_scale(found))
        version = wanted["metadata"].get("resourceVersion")
        if version not in (None, "", str(found.version)):
            raise conflict(place.kind, place.name)
        change = {"spec": {"replicas": wanted["spec"].get("replicas", 0)}}
        return _scale(self._objects.patch(place.kind, place.key, lambda raw: merged(raw, change)))

    def _delete(self, request: web.Request, place: Place, body: Any, *, dry: bool) -> Raw:
        options = _deletion(request, place, body)
        if not place.name:
            gone = self._selected(request, place)
            for one in gone:
                self._objects.delete(place.kind, one.key, options, dry=dry)
            return {"kind": f"{place.kind.kind}List", "apiVersion": place.api_version, "items": [g.raw for g in gone]}
        found = self._objects.delete(place.kind, place.key, options, dry=dry)
        if self._objects.store.get(place.kind, place.key):
            return found.raw
        details = {"name": place.name, "kind": place.kind.plural, "uid": found.uid}
        details |= {"group": place.kind.group} if place.kind.group else {}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _log(self, request: web.Request, place: Place) -> web.Response:
        query = request.query
        container = query.get("container", "")
        lines = self._kubelet.log(place.key, container, previous=query.get("previous") in ("1", "true"))
        if "tailLines" in query:
            tail = _number(query["tailLines"])
            lines = lines[-tail:] if tail else []
        if query.get("timestamps") not in ("1", "true"):
            lines = [line.partition(" ")[2] for line in lines]
        text = "".join(f"{line}\n" for line in lines).encode()
        if "limitBytes" in query:
            text = text[: _number(query["limitBytes"])]
        return web.Response(body=text, content_type="text/plain")

    def _usage(self, rest: list[str]) -> Raw:
        """PodMetrics, of the pods that run."""
        match rest:
            case [namespace, "pods"]:
                self.access.require(Deed(namespace, "list", METRICS, "pods"))
                running = [pod for pod in self._objects.store.of(resources.PODS, namespace) if is_ready(pod.raw)]
                items = [self._measured(pod) for pod in running]
                return {
                    "kind": "PodMetricsList",
                    "apiVersion": "metrics.k8s.io/v1beta1",
                    "metadata": {},
                    "items": items,
                }
            case [namespace, "pods", name]:
                self.access.require(Deed(namespace, "get", METRICS, "pods", name))
                return self._measured(self._objects.named(resources.PODS, (namespace, name)))
        raise RefusalError(HTTPStatus.NOT_FOUND, "the server could not find the requested resource")

    def _measured(self, pod: Record) -> Raw:
        namespace, name = pod.key
        labels = pod.raw["metadata"].get("labels") or {}
        usage = {"cpu": f"{self.usage(namespace, name) * 1e9:.0f}n", "memory": "65536Ki"}
        return {
            "kind": "PodMetrics",
            "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "timestamp": self._objects.timeline.stamp,
            "window": f"{WINDOW.total_seconds():.0f}s",
            "containers": [{"name": pod.raw["spec"]["containers"][0]["name"], "usage": usage}],
        }

    async def _watch(self, request: web.Request, place: Place) -> web.StreamResponse:
        query = request.query
        fields = f"{query.get('fieldSelector', '')}{f',metadata.name={place.name}' if place.name else ''}"
        lasts = timedelta(seconds=_number(query["timeoutSeconds"])) if "timeoutSeconds" in query else LONGEST
        watch = Watch(
            place,
            selector(query.get("labelSelector", ""), fields.removeprefix(",")),
            ends=self._objects.timeline.now + lasts,
            metadata="as=PartialObjectMetadata" in request.headers.get("Accept", ""),
        )
        version = query.get("resourceVersion", "")
        _number(version or "0")
        self._watches.open(watch, version, marks=query.get("allowWatchBookmarks") in ("1", "true"))
        response = web.StreamResponse(headers={"Content-Type": JSON})
        try:
            # A client that has gone needs no more answer.
            with suppress(ConnectionError):
                await response.prepare(request)
                while (line := await watch.lines.get()) is not None:
                    await response.write(line)
        finally:
            self._watches.close(watch)
        return response


def _number(written: str) -> int:
    if not written.isdecimal():
        raise RefusalError(HTTPStatus.BAD_REQUEST, f'strconv.ParseInt: parsing "{written}": invalid syntax')
    return int(written)


async def _body(request: web.Request) -> Any:
    text = await request.text()
    try:
        return json.loads(text) if text else {}
    except ValueError as exc:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"couldn't get version/kind; json parse error: {exc}") from exc


async def _object(request: web.Request) -> Raw:
    body = await _body(request)
    if not isinstance(body, dict):
        raise RefusalError(HTTPStatus.BAD_REQUEST, NO_OBJECT)
    return body


def _deletion(request: web.Request, place: Place, body: Raw) -> Deletion:
    # Jobs are as old as the time when what an object owned was kept by default.
    default = "Orphan" if place.kind is resources.JOBS else "Background"
    bound = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
    return Deletion(
        body.get("propagationPolicy") or request.query.get("propagationPolicy") or default,
        bound.get("uid") or "",
        bound.get("resourceVersion") or "",
        None if grace is None else int(grace),
    )


def _scale(found: Record) -> Raw:
    metadata = found.raw["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    status = {"replicas": found.raw["status"].get("replicas", 0)}
    spec = {"replicas": found.raw["spec"]["replicas"]}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": spec, "status": status}
