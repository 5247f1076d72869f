"""Tells that something changed, from one stream per namespace and resource however many workloads are watched.

A hint may come twice or for nothing, and one that is lost only delays: the engine looks by itself every few seconds.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self

from bot import logs
from bot.adapters.kubernetes_calls import JOBS, PODS, WORKLOADS, Call, Resource
from bot.adapters.kubernetes_client import METADATA_ONLY, KubernetesClient
from bot.adapters.kubernetes_marks import WORKLOAD
from bot.adapters.kubernetes_objects import ApiObject, Metadata, read
from bot.domain.errors import RefusedError, SluiceError, UnreachableError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.cluster import Hint


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """`period`: how long the server keeps a stream; `grace`: how much longer silence lasts before we call it dead.

    `first_wait` doubles up to `longest_wait` while connecting fails; `refused_wait` is for missing rights.
    """

    period: timedelta = timedelta(minutes=5)
    grace: timedelta = timedelta(seconds=30)
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(seconds=30)
    refused_wait: timedelta = timedelta(minutes=5)


class Change(ApiObject):
    """One event of a stream. Of an ERROR's object only `code` is read."""

    class Object(ApiObject):
        """What changed: metadata is all that is asked for."""

        metadata: Metadata = Metadata()
        code: int = 0

    type: str
    object: Object = Object()


@dataclass(frozen=True, slots=True)
class Stream:
    """What one connection follows."""

    namespace: str
    resource: Resource


class KubernetesWatch:
    """Opened and closed by the same task; its streams live in a task group of its own."""

    def __init__(
        self, client: KubernetesClient, *, listener: Hint | None = None, times: WatchTimes | None = None
    ) -> None:
        self._client, self._listener, self._times = client, listener, times or WatchTimes()
        self._hints: dict[WorkloadRef, dict[object, Hint]] = {}
        self._tasks: dict[Stream, asyncio.Task[None]] = {}
        self._refused: set[str] = set()
        self._group: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Streams asked for before start now."""
        self._group = await asyncio.TaskGroup().__aenter__()
        for ref in self._hints:
            self._start(ref)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all streams and wait for them. A fault of ours in one of them comes out here; others pass unwrapped."""
        if self._group is None:
            return
        group, self._group = self._group, None
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        await group.__aexit__(None, None, None)

    def watch(self, ref: WorkloadRef, hint: Hint) -> None:
        """See `Cluster.watch`. The same function of the same object counts as one hint, its newest form."""
        bare = replace(ref, container=None)
        self._hints.setdefault(bare, {})[_identity(hint)] = hint
        self._start(bare)

    def watch_jobs(self, ref: WorkloadRef) -> None:
        """Jobs matter, too, from the first one on; many Sluices never run any and lack the right."""
        if self._group is not None:
            self._follow_for_ever(Stream(ref.namespace, JOBS))

    def _start(self, ref: WorkloadRef) -> None:
        if self._group is not None:
            self._follow_for_ever(Stream(ref.namespace, WORKLOADS[ref.kind]))
            self._follow_for_ever(Stream(ref.namespace, PODS))

    def _follow_for_ever(self, stream: Stream) -> None:
        if self._group is not None and stream not in self._tasks:
            name = f"watch {self._client.name}/{stream.namespace}/{stream.resource.plural}"
            self._tasks[stream] = self._group.create_task(self._heal(stream), name=name)

    async def _heal(self, stream: Stream) -> None:
        """Follow again after every end of a stream; wait longer each time when it ends at once."""
        wait, version = self._times.first_wait, ""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                version = await self._follow(stream, version or await self._list(stream))
            except RefusedError as exc:
                version = ""
                self._log_refusal(stream, exc)
                await asyncio.sleep(self._times.refused_wait.total_seconds())
            except SluiceError as exc:
                version = ""
                place = {
                    "cluster": self._client.name,
                    "namespace": stream.namespace,
                    "resource": stream.resource.plural,
                }
                logs.get(__name__).warning("watch interrupted", error=str(exc), retry_s=wait.total_seconds(), **place)
            lived = timedelta(seconds=loop.time() - began) > self._times.longest_wait
            wait = self._times.first_wait if lived else wait
            await asyncio.sleep(wait.total_seconds())
            wait = min(wait * 2, self._times.longest_wait)

    def _log_refusal(self, stream: Stream, exc: RefusedError) -> None:
        """Once a namespace: the text names the right to add, and saying it every few minutes would not help."""
        if stream.namespace not in self._refused:
            self._refused.add(stream.namespace)
            logs.get(__name__).error("watch refused", cluster=self._client.name, error=str(exc))

    async def _list(self, stream: Stream) -> str:
        """The version to follow from. Whatever happened before it may have been missed: everybody gets a hint."""
        call = Call("list", stream.resource, stream.namespace, query={"limit": "1"})
        listed = read(Change.Object, await self._client.send(call, accept=METADATA_ONLY))
        for ref in [ref for ref in self._hints if _is_of(ref, stream)]:
            self._hint(ref)
        return listed.metadata.resource_version

    async def _follow(self, stream: Stream, version: str) -> str:
        """One connection: the version it came to, or empty when the server has forgotten ours (410 Gone)."""
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": f"{self._times.period.total_seconds():.0f}",
        }
        call = Call("watch", stream.resource, stream.namespace, query=query)
        async with aclosing(self._client.stream(call, period=self._times.period + self._times.grace)) as events:
            async for raw in events:
                change = read(Change, raw)
                if change.type == "ERROR":
                    return _forgotten(stream, change)
                version = change.object.metadata.resource_version or version
                if change.type != "BOOKMARK" and (ref := self._concerned(stream, change.object.metadata)):
                    self._hint(ref)
        return version

    def _concerned(self, stream: Stream, metadata: Metadata) -> WorkloadRef | None:
        """The watched workload that an object belongs to."""
        names = _belongs_to(stream.resource, metadata)
        for ref in self._hints:
            if ref.namespace == stream.namespace and (ref.kind, ref.name) == names:
                return ref
        return None

    def _hint(self, ref: WorkloadRef) -> None:
        for hint in tuple(self._hints.get(ref, {}).values()):
            hint(ref)
        if self._listener is not None:
            self._listener(ref)


def _forgotten(stream: Stream, change: Change) -> str:
    """What to follow from after an ERROR: nothing, when the server's history has moved on. Raises UnreachableError."""
    if change.object.code != HTTPStatus.GONE:
        raise UnreachableError(f"the watch of {stream.resource.plural} ended with code {change.object.code}")
    return ""


def _is_of(ref: WorkloadRef, stream: Stream) -> bool:
    return ref.namespace == stream.namespace and stream.resource in (WORKLOADS[ref.kind], PODS, JOBS)


def _belongs_to(resource: Resource, metadata: Metadata) -> tuple[WorkloadKind, str] | None:
    """The workload's kind and name, from the object itself, from our own mark on Jobs, or from its controller."""
    kinds = {of: kind for kind, of in WORKLOADS.items()}
    if resource in kinds:
        return kinds[resource], metadata.name
    if mark := metadata.annotations.get(WORKLOAD):
        kind, _, name = mark.partition("/")
        return (WorkloadKind(kind), name) if kind in list(WorkloadKind) else None
    controller = metadata.controller
    match controller.kind if controller else None:
        case "ReplicaSet" if controller:
            # A ReplicaSet of a Deployment is named <deployment>-<hash>.
            return WorkloadKind.DEPLOYMENT, controller.name.rpartition("-")[0]
        case "StatefulSet" | "DaemonSet" if controller:
            return WorkloadKind(controller.kind.lower()), controller.name
    return None


def _identity(hint: Hint) -> tuple[int, str, str]:
    """Equal for the same function of the same object, also when a lambda is written anew at every pass."""
    owner = getattr(hint, "__self__", None)
    return id(owner), str(getattr(hint, "__module__", "")), getattr(hint, "__qualname__", repr(hint))
