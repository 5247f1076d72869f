"""Who looks at what when something changes: every controller, and the garbage collector."""

from collections.abc import Callable
from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.behaviours import Durations
from bot.sandbox.kubernetes.budgets import Budgets
from bot.sandbox.kubernetes.control import Control
from bot.sandbox.kubernetes.deployments import Deployments
from bot.sandbox.kubernetes.happenings import Happenings
from bot.sandbox.kubernetes.jobs import Jobs
from bot.sandbox.kubernetes.objects import FOREGROUND, Deletion, Objects
from bot.sandbox.kubernetes.ordered_sets import OrderedSets
from bot.sandbox.kubernetes.refusals import RefusalError
from bot.sandbox.kubernetes.replica_sets import ReplicaSets
from bot.sandbox.kubernetes.resources import BY_KIND, Key, Kind
from bot.sandbox.kubernetes.store import Change, Record

RETRY = timedelta(seconds=1)


class Controllers:
    """Hears of every write and lets the controllers concerned look a moment later, each once however much changed."""

    def __init__(self, objects: Objects, happenings: Happenings, durations: Durations) -> None:
        self._objects, self._happenings, self._durations = objects, happenings, durations
        self._waiting: set[tuple[Kind, Key]] = set()
        control = Control(objects, happenings, durations, self._again)
        ordered = OrderedSets(control)
        self._by_kind: dict[Kind, Callable[[Record], None]] = {
            resources.DEPLOYMENTS: Deployments(control).reconcile,
            resources.REPLICA_SETS: ReplicaSets(control).reconcile,
            resources.STATEFUL_SETS: ordered.reconcile,
            resources.DAEMON_SETS: ordered.reconcile,
            resources.JOBS: Jobs(control).reconcile,
            resources.BUDGETS: Budgets(control).reconcile,
        }
        objects.store.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        record = change.record
        self._look_soon(record)
        if record.kind is resources.PODS:
            for budget in self._objects.store.of(resources.BUDGETS, record.key[0]):
                self._enqueue(budget.kind, budget.key)
        if record.kind is resources.NAMESPACES and change.type == "DELETED":
            self._objects.timeline.after(self._durations.react, lambda: self._empty(record.key[1]))
        if change.type == "DELETED" or FOREGROUND in (record.raw["metadata"].get("finalizers") or ()):
            self._objects.timeline.after(self._durations.react, lambda: self._collect(record))

    def _look_soon(self, record: Record) -> None:
        """The controllers of an object and of what owns it."""
        self._enqueue(record.kind, record.key)
        for owner in record.raw["metadata"].get("ownerReferences") or ():
            if kind := BY_KIND.get((owner["apiVersion"], owner["kind"])):
                self._enqueue(kind, (record.key[0], owner["name"]))
                if record.kind is resources.PODS and (
                    made_by := self._objects.store.get(kind, (record.key[0], owner["name"]))
                ):
                    # A Deployment that recreates waits for pods to be gone, which no count of its sets shows.
                    self._look_soon(made_by)

    def _again(self, record: Record, delay: timedelta) -> None:
        self._objects.timeline.after(delay, lambda: self._look_soon(record))

    def _enqueue(self, kind: Kind, key: Key) -> None:
        if kind in self._by_kind and (kind, key) not in self._waiting:
            self._waiting.add((kind, key))
            self._objects.timeline.after(self._durations.react, lambda: self._look(kind, key))

    def _look(self, kind: Kind, key: Key) -> None:
        self._waiting.discard((kind, key))
        found = self._objects.store.get(kind, key)
        if found is None:
            return
        try:
            self._by_kind[kind](found)
        except RefusalError as exc:
            # A pod of that name is still on its way out, or the namespace is: controllers say so and try again.
            self._happenings.tell(found, "FailedCreate", exc.message, warning=True)
            self._again(found, RETRY)

    def _collect(self, owner: Record) -> None:
        """What an object leaves behind goes, too, unless somebody else owns it as well; then so does an owner that
        waited for that."""
        store = self._objects.store
        for child in store.owned(owner.uid):
            owners = child.raw["metadata"]["ownerReferences"]
            if len(owners) == 1:
                foreground = FOREGROUND in (owner.raw["metadata"].get("finalizers") or ())
                options = Deletion("Foreground" if foreground else "Background")
                if not child.raw["metadata"].get("deletionTimestamp"):
                    self._objects.delete(child.kind, child.key, options)
        self._release(owner)
        for reference in owner.raw["metadata"].get("ownerReferences") or ():
            kind = BY_KIND.get((reference["apiVersion"], reference["kind"]))
            above = store.get(kind, (owner.key[0], reference["name"])) if kind else None
            if above is not None and above.uid == reference["uid"]:
                self._release(above)

    def _release(self, owner: Record) -> None:
        found = self._objects.store.get(owner.kind, owner.key)
        if found is None or found.uid != owner.uid or self._objects.store.owned(owner.uid):
            return
        finalizers = found.raw["metadata"].get("finalizers") or []
        if FOREGROUND in finalizers:
            metadata = {**found.raw["metadata"], "finalizers": [one for one in finalizers if one != FOREGROUND]}
            found = self._objects.store.put(found.kind, {**found.raw, "metadata": metadata})
            if not metadata["finalizers"]:
                self._objects.store.remove(found)

    def _empty(self, namespace: str) -> None:
        for kind in resources.KINDS:
            for record in self._objects.store.of(kind, namespace) if kind.namespaced else ():
                self._objects.store.remove(record)
