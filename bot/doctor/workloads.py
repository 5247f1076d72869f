"""Area `cluster`: the workloads that the catalogue names, and whether canaries can be run beside them."""

import asyncio

from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_login import Connection
from bot.doctor.case import targets
from bot.doctor.finding import Area, Finding, Tell
from bot.doctor.rights import router_of
from bot.domain.errors import NotFoundError, RefusedError, SluiceError
from bot.domain.target import Target, WorkloadRef
from bot.ports.clock import Clock
from bot.ports.cluster import WorkloadState
from runbooks.configuration import Configuration
from runbooks.guards import Guarded

AREA = Area.CLUSTER
AT_ONCE = 4
NOT_ALLOWED = (
    "it cannot be looked at with the rights that there are",
    "grant those that are missing, then `sluice doctor cluster`",
)


async def look_at_workloads(
    clock: Clock, configuration: Configuration, name: str, connection: Connection, *, tell: Tell
) -> None:
    """Every target of one cluster, some at a time, told in the order of the catalogue."""
    line = asyncio.Semaphore(AT_ONCE)

    async def found(cluster: KubernetesCluster, target: Target, ref: WorkloadRef) -> list[Finding]:
        seen: list[Finding] = []
        async with line:
            await _target(cluster, configuration, target, ref, tell=seen.append)
        return seen

    async with KubernetesCluster(name, connection, clock) as cluster, asyncio.TaskGroup() as group:
        workloads = {t: configuration.catalogue.workload(t.service, t.environment) for t in targets(configuration)}
        mine = [(target, ref) for target, ref in workloads.items() if ref.cluster == name]
        for task in [group.create_task(found(cluster, target, ref)) for target, ref in mine]:
            for finding in await task:
                tell(finding)


async def _target(
    cluster: KubernetesCluster, configuration: Configuration, target: Target, ref: WorkloadRef, *, tell: Tell
) -> None:
    subject = f"{target} ({ref})"
    try:
        state = await cluster.observe(ref)
    except NotFoundError:
        seen = f"there is no {ref.kind} {ref.name} in namespace {ref.namespace} of cluster {ref.cluster}"
        lists = f"`kubectl get {ref.kind}s -n {ref.namespace}` lists them"
        tell(AREA.fault(subject, seen, f"correct `workload` or `namespace` in sluice.yaml; {lists}"))
    except RefusedError as exc:
        tell(AREA.unknown(subject, *NOT_ALLOWED, detail=str(exc)))
    except SluiceError as exc:
        tell(AREA.failed(subject, exc, "`sluice doctor cluster` once it answers"))
    else:
        if not _container(state, subject, tell) or not _own(state, subject, tell):
            return
        tell(AREA.ok(subject, f"{state.available} of {state.desired} pods available"))
        _cpu(configuration, target, state, tell)
        if router_of(configuration, target) is not None:
            await _canary(cluster, configuration, target, tell)


def _container(state: WorkloadState, subject: str, tell: Tell) -> bool:
    """Whether it is clear which container a release changes."""
    ref, names = state.ref, sorted(state.images)
    if (ref.container is None and len(names) == 1) or (ref.container or ref.name) in names:
        return True
    seen = f"it has no container {ref.container}" if ref.container else "which of its containers is meant is not said"
    tell(AREA.fault(subject, seen, f"write `container:` of the service in sluice.yaml; it has {', '.join(names)}"))
    return False


def _own(state: WorkloadState, subject: str, tell: Tell) -> bool:
    """Whether nobody would undo what Sluice does."""
    if not state.owner:
        return True
    ref = state.ref
    annotate = f"`kubectl annotate -n {ref.namespace} {ref.kind} {ref.name} sluice.dev/allow=true`"
    seen = f"{state.owner} manages it, and would undo a release"
    tell(AREA.fault(subject, seen, f"release it there, or let Sluice act all the same: {annotate}"))
    return False


def _cpu(configuration: Configuration, target: Target, state: WorkloadState, tell: Tell) -> None:
    """A guard rail that is a share of what a container may use needs one that may use something."""
    signals = configuration.catalogue.service(target.service).signals
    shares = [each.text for each in signals.guards if each.guarded is Guarded.CPU_SHARE] if signals else []
    if shares and state.cpu_cores is None:
        seen = f"the guard rail '{shares[0]}' is a share of its CPU, and it has neither a limit nor a request of CPU"
        tell(AREA.fault(str(target), seen, "give its container one, or write cores, as in `cpu < 500m`"))


async def _canary(cluster: KubernetesCluster, configuration: Configuration, target: Target, tell: Tell) -> None:
    """What a plan would refuse for: a survey of the surroundings."""
    route = configuration.catalogue.route(target.service, target.environment)
    subject = f"canaries of {target} ({route.router})"
    try:
        survey = await cluster.canaries.survey(route)
    except RefusedError as exc:
        tell(AREA.unknown(subject, *NOT_ALLOWED, detail=str(exc)))
    except SluiceError as exc:
        tell(AREA.failed(subject, exc, "correct `traffic` of the service in sluice.yaml, then `sluice doctor cluster`"))
    else:
        for problem in survey.problems:
            tell(AREA.fault(subject, problem, "mend that, or leave `traffic` out where there shall be no canary"))
        if not survey.problems:
            tell(AREA.ok(subject, "nothing stands in their way"))
