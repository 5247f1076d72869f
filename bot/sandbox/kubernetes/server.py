"""The cluster: an API server in memory with the controllers and nodes behind it."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from bot.ports.clock import Clock
from bot.sandbox.endpoint import Endpoint
from bot.sandbox.kubernetes import resources, routing
from bot.sandbox.kubernetes.access import Access
from bot.sandbox.kubernetes.behaviours import Behaviours, Durations
from bot.sandbox.kubernetes.containers import Node, made_up_digest
from bot.sandbox.kubernetes.controllers import Controllers
from bot.sandbox.kubernetes.happenings import Happenings
from bot.sandbox.kubernetes.kubelet import NODES, Kubelet
from bot.sandbox.kubernetes.objects import Objects
from bot.sandbox.kubernetes.panel import DeploymentShown, shown
from bot.sandbox.kubernetes.patches import merged
from bot.sandbox.kubernetes.requests import Requests, Usage
from bot.sandbox.kubernetes.resources import BY_KIND, Raw
from bot.sandbox.kubernetes.store import Change, Store
from bot.sandbox.kubernetes.timeline import Timeline
from bot.sandbox.kubernetes.watches import Watches
from bot.sandbox.loopback import Outage

AGE = timedelta(hours=1)
TOKEN = "sandbox"
"""Any token is accepted, and none."""


class KubernetesServer:
    """What is applied before the first `advance` or request happened `age` before the clock's present, so that it has
    come to rest by then. `digest_of` knows an image's digest; `None` from it: there is no such image to pull. The same
    `seed` and the same course of things give the same names.

    Who runs it in real time sleeps until the moment that `advance` returns or until `changed` is set, clears `changed`
    and calls `advance` again; watches then hear of what happens. In virtual time the clock is moved to that moment.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        durations: Durations | None = None,
        age: timedelta = AGE,
        digest_of: Callable[[str], str | None] = made_up_digest,
        seed: int = 0,
    ) -> None:
        times = durations or Durations()
        self._begun = False
        self.outage = Outage("the Kubernetes API server")
        self._timeline = Timeline(clock, age=age)
        self._store = Store()
        self._objects = Objects(self._store, self._timeline, seed=seed)
        self._behaviours = Behaviours()
        happenings = Happenings(self._objects)
        self._kubelet = Kubelet(self._store, Node(self._timeline, times, self._behaviours, digest_of), happenings)
        Controllers(self._objects, happenings, times)
        self._watches = Watches(self._store)
        self._requests = Requests(self._objects, self._watches, self._kubelet, self.advance)
        self._listeners: list[Callable[[datetime], None]] = []
        self._store.listeners.append(self._tell)
        for namespace in ("default", "kube-system"):
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for node in NODES:
            self.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})

    @property
    def changed(self) -> asyncio.Event:
        """Set when something was planned, so that the next moment may be an earlier one."""
        return self._timeline.changed

    @property
    def access(self) -> Access:
        """What whoever asks may do."""
        return self._requests.access

    def application(self) -> web.Application:
        """What `listening` serves; its watches end when it is taken down."""
        application = web.Application(middlewares=[self.outage()])
        application.router.add_route("*", "/{path:.*}", self._requests.answer)

        async def cut(_application: web.Application) -> None:
            self._watches.cut()

        application.on_shutdown.append(cut)
        return application

    def advance(self) -> datetime | None:
        """Let all happen that is due by the clock; when the next thing is. Every request does so first."""
        self._begun = True
        coming = self._timeline.advance()
        ends = self._watches.expire(self._timeline.now)
        return min((moment for moment in (coming, ends) if moment is not None), default=None)

    def settle(self) -> None:
        """Bring everything that was applied at the start to rest: what it needed has happened before the present."""
        self.advance()

    def apply(self, manifest: Raw) -> None:
        """Put an object there, or merge it into the one that is; its namespace is made where it is missing. Without a
        namespace it is put into `default`. Raises RefusalError, and KeyError for an unknown kind."""
        if self._begun:
            self.advance()
        kind = BY_KIND[manifest["apiVersion"], manifest["kind"]]
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace", "default") if kind.namespaced else ""
        if namespace and self._store.get(resources.NAMESPACES, ("", namespace)) is None:
            self._objects.create(resources.NAMESPACES, "", {"metadata": {"name": namespace}})
        key = (namespace, metadata["name"])
        if self._store.get(kind, key):
            self._objects.patch(kind, key, lambda raw: merged(raw, manifest))
        else:
            self._objects.create(kind, namespace, manifest)

    def found(self, kind: tuple[str, str], namespace: str, name: str) -> Raw:
        """An object as it is, to be read only; `kind` is its apiVersion and kind. Raises KeyError for none."""
        record = self._store.get(BY_KIND[kind], (namespace, name))
        if record is None:
            raise KeyError(f"{kind[1]} {namespace}/{name}")
        return record.raw

    def behave(self, image: str, word: str | None) -> None:
        """Containers whose image, tag or digest is `image` do as `word` says (crash, oom, badpull, slow, notready,
        hang, jobfail; several with `-`; an empty one: they are well) from now on, running ones too. `None` takes it
        back: what the tag says counts again. Raises ValueError for another word."""
        self.advance()
        self._behaviours.say(image, word)

    def jobs_say(self, line: str) -> None:
        """The last line of every Job that ends well from now on; empty: the usual one."""
        self._behaviours.last_line = line

    def measure(self, usage: Usage) -> None:
        """Where the metrics API has a pod's cores from."""
        self._requests.usage = usage

    def listen(self, callback: Callable[[datetime], None]) -> None:
        """Call it after each change of pods, Services and routes, with the moment of the change."""
        self._listeners.append(callback)

    def endpoints(self, namespace: str, service: str) -> tuple[Endpoint, ...]:
        """The pods that get a Service's requests now, with their shares; see `routing.endpoints`."""
        self.advance()
        return routing.endpoints(self._store, namespace, service)

    def weights(self, namespace: str, service: str) -> dict[str, int]:
        """Weight by Service, in the rule that leads to this one."""
        return routing.weights(self._store, namespace, service)

    def shown(self) -> tuple[DeploymentShown, ...]:
        """All Deployments and their pods now."""
        self.advance()
        return shown(self._store)

    def forget(self) -> None:
        """Lose the history of writes: whoever watches from an older version gets 410 Gone."""
        self._watches.cut()
        self._store.forget()

    def _tell(self, change: Change) -> None:
        if change.record.kind in routing.KINDS:
            for callback in tuple(self._listeners):
                callback(self._timeline.now)


def kubeconfig(url: str) -> str:
    """The text of a kubeconfig (JSON is YAML) for a server at that address."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": {"server": url}}],
            "users": [{"name": "sandbox", "user": {"token": TOKEN}}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
        }
    )
