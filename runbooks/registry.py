"""Every kind of step and gate that the program knows, in sight; a kind that is not here does not exist."""

from collections.abc import Mapping

from bot.ports.cluster import Clusters, Hint
from bot.ports.execution import Executor
from bot.ports.image_registry import ImageRegistry
from bot.ports.probe import Prober
from bot.ports.store import Store
from runbooks.gates import image
from runbooks.kinds import GateKind, StepKind
from runbooks.steps import approval, job, notify, restore, rollout, set_image, smoke, wait

STEP_KINDS: tuple[StepKind, ...] = (
    approval.KIND,
    job.KIND,
    notify.KIND,
    restore.KIND,
    rollout.KIND,
    set_image.KIND,
    smoke.KIND,
    wait.KIND,
)

GATE_KINDS: tuple[GateKind, ...] = (image.KIND,)


def step_kind(name: str) -> StepKind:
    """The kind of that name. Raises KeyError."""
    return {kind.name: kind for kind in STEP_KINDS}[name]


def gate_kind(name: str) -> GateKind:
    """The kind of that name. Raises KeyError."""
    return {kind.name: kind for kind in GATE_KINDS}[name]


def executors(
    *, clusters: Clusters, registry: ImageRegistry, prober: Prober, store: Store, hint: Hint
) -> Mapping[str, Executor]:
    """One executor for each kind but `approval`, which the engine does itself. `hint` wakes what watches a workload."""
    return {
        image.KIND.name: image.ImageGate(registry),
        job.KIND.name: job.RunJob(clusters, hint),
        notify.KIND.name: notify.Notify(store),
        restore.KIND.name: restore.Restore(clusters, hint),
        rollout.KIND.name: rollout.Rollout(clusters, hint),
        set_image.KIND.name: set_image.SetImage(clusters),
        smoke.KIND.name: smoke.Smoke(prober),
        wait.KIND.name: wait.Wait(),
    }
