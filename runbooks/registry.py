"""Every kind of step and gate that the program knows, in sight; a kind that is not here does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.ports.canaries import CanaryClusters
from bot.ports.cluster import Clusters, Hint
from bot.ports.commits import Commits
from bot.ports.execution import Executor
from bot.ports.image_registry import ImageRegistry
from bot.ports.metrics import MetricsProviders
from bot.ports.pipelines import CiServers
from bot.ports.probe import Prober
from bot.ports.scans import ScannedClusters
from bot.ports.signatures import Signatures
from bot.ports.source_files import SourceFiles
from bot.ports.store import Store
from runbooks.attestations import Attestations
from runbooks.gates import (
    budget,
    ci,
    compatibility,
    freeze,
    image,
    lock,
    order,
    pairing,
    signature,
    soak,
    vulnerabilities,
)
from runbooks.judging import Jury
from runbooks.kinds import GateKind, StepKind
from runbooks.openapi_documents import ApiDocuments
from runbooks.running import WorkloadOf
from runbooks.scanning import ScanFinder, WorkloadsOf
from runbooks.steps import (
    approval,
    canary,
    job,
    judge,
    notify,
    pipeline,
    promote,
    recovery,
    restore,
    rollout,
    set_image,
    smoke,
    wait,
    watch,
)
from runbooks.trial import Trial

STEP_KINDS: tuple[StepKind, ...] = (
    approval.KIND,
    canary.KIND,
    job.KIND,
    judge.KIND,
    notify.KIND,
    pipeline.KIND,
    promote.KIND,
    recovery.KIND,
    restore.KIND,
    rollout.KIND,
    set_image.KIND,
    smoke.KIND,
    wait.KIND,
    watch.KIND,
)

GATE_KINDS: tuple[GateKind, ...] = (
    budget.KIND,
    ci.KIND,
    compatibility.KIND,
    freeze.KIND,
    image.KIND,
    lock.KIND,
    order.KIND,
    pairing.KIND,
    signature.KIND,
    soak.KIND,
    vulnerabilities.KIND,
)


def step_kind(name: str) -> StepKind:
    """The kind of that name. Raises KeyError."""
    return {kind.name: kind for kind in STEP_KINDS}[name]


def gate_kind(name: str) -> GateKind:
    """The kind of that name. Raises KeyError."""
    return {kind.name: kind for kind in GATE_KINDS}[name]


@dataclass(frozen=True, slots=True)
class Reach:
    """What executors reach of the world. `hint` wakes what watches a workload; `workload_of`, `workloads_of`,
    `windows_of` and `repository_of` are the catalogue's. `commits` `None`: no server of repositories is configured."""

    clusters: Clusters
    canaries: CanaryClusters
    metrics: MetricsProviders
    registry: ImageRegistry
    ci: CiServers
    files: SourceFiles
    prober: Prober
    store: Store
    hint: Hint
    workload_of: WorkloadOf
    scans: ScannedClusters
    signatures: Signatures
    workloads_of: WorkloadsOf
    windows_of: freeze.WindowsOf
    repository_of: order.RepositoryOf
    commits: Commits | None = None


def executors(reach: Reach) -> Mapping[str, Executor]:
    """One executor for each kind but `approval`, which the engine does itself."""
    clusters, canaries, hint = reach.clusters, reach.canaries, reach.hint
    trial = Trial(Jury(reach.metrics))
    attestations = Attestations(reach.registry, reach.signatures)
    return {
        budget.KIND.name: budget.BudgetGate(reach.metrics),
        canary.KIND.name: canary.Canary(clusters, canaries, trial, hint),
        ci.KIND.name: ci.CiGate(reach.ci),
        compatibility.KIND.name: compatibility.CompatibilityGate(ApiDocuments(reach.registry, reach.files)),
        freeze.KIND.name: freeze.FreezeGate(reach.store, reach.windows_of),
        image.KIND.name: image.ImageGate(reach.registry),
        job.KIND.name: job.RunJob(clusters, hint),
        judge.KIND.name: judge.JudgeCanary(canaries, trial),
        lock.KIND.name: lock.LockGate(reach.store),
        notify.KIND.name: notify.Notify(reach.store),
        pairing.KIND.name: pairing.PairingGate(clusters, reach.registry, reach.store, reach.workload_of),
        pipeline.KIND.name: pipeline.RunPipeline(reach.ci),
        order.KIND.name: order.OrderGate(reach.registry, reach.commits, reach.repository_of),
        promote.KIND.name: promote.Promote(clusters, canaries, trial, hint),
        recovery.KIND.name: recovery.Recovery(reach.metrics),
        restore.KIND.name: restore.Restore(clusters, canaries, hint),
        rollout.KIND.name: rollout.Rollout(clusters, hint),
        signature.KIND.name: signature.SignatureGate(attestations),
        set_image.KIND.name: set_image.SetImage(clusters),
        smoke.KIND.name: smoke.Smoke(reach.prober),
        soak.KIND.name: soak.SoakGate(clusters, reach.store, reach.workload_of),
        vulnerabilities.KIND.name: vulnerabilities.VulnerabilitiesGate(
            ScanFinder(attestations, reach.scans, reach.workloads_of)
        ),
        wait.KIND.name: wait.Wait(),
        watch.KIND.name: watch.Watch(reach.metrics),
    }
