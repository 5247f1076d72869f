"""Every right that Sluice needs in a namespace, and what for: the one table, from which Roles are written and which the
doctor asks a cluster about. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.adapters.kubernetes_access import Permission
from bot.doctor.case import targets
from bot.domain.errors import UsageError
from bot.domain.json import Json
from bot.domain.target import Target, WorkloadKind, WorkloadRef
from bot.domain.traffic import Router
from runbooks.configuration import Configuration


class Need(StrEnum):
    """What rights are for, as a Role's comment has it; what comes before the colon will do by itself."""

    RELEASE = "every release: its pods, their warnings, their last log lines"
    DEPLOYMENT = "Deployments: read, follow, change the image; their ReplicaSets tell which pods are new"
    STATEFULSET = "StatefulSets: read, follow, change the image"
    DAEMONSET = "DaemonSets: read, follow, change the image; their ControllerRevisions tell which pods are new"
    JOB = "runbooks with a step `job`"
    CANARY = "canaries: Deployments beside the stable ones, and what a survey looks at beforehand"
    ROUTED = "canaries with a router: the Service of their pods"
    GATEWAY_API = "canaries with the router gateway-api"
    ISTIO = "canaries with the router istio"
    NGINX = "canaries with the router nginx: an Ingress of their own"
    USAGE = "CPU as the cluster measures it: services with `cpu: kubernetes`"
    SCANS = "scan reports in the cluster: the gate `vulnerabilities` with `source: cluster` or `either`"


@dataclass(frozen=True, slots=True)
class Right:
    """A rule of a Role. `group` is empty for the core API; `resource` may have a subresource, as in `pods/log`."""

    need: Need
    group: str
    resource: str
    verbs: tuple[str, ...]

    @property
    def qualified(self) -> str:
        """As kubectl names it: `deployments.apps`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    def permissions(self, namespace: str) -> Iterator[Permission]:
        """One by one, as a server is asked about them."""
        return (Permission(namespace, self.group, self.resource, verb) for verb in self.verbs)


READ_AND_FOLLOW = ("get", "list", "watch")

RIGHTS = (
    Right(Need.RELEASE, "", "pods", READ_AND_FOLLOW),
    Right(Need.RELEASE, "", "pods/log", ("get",)),
    Right(Need.RELEASE, "", "events", ("list",)),
    Right(Need.DEPLOYMENT, "apps", "deployments", (*READ_AND_FOLLOW, "patch")),
    Right(Need.DEPLOYMENT, "apps", "replicasets", ("list",)),
    Right(Need.STATEFULSET, "apps", "statefulsets", (*READ_AND_FOLLOW, "patch")),
    Right(Need.DAEMONSET, "apps", "daemonsets", (*READ_AND_FOLLOW, "patch")),
    Right(Need.DAEMONSET, "apps", "controllerrevisions", ("list",)),
    Right(Need.JOB, "batch", "jobs", (*READ_AND_FOLLOW, "create", "delete")),
    Right(Need.CANARY, "apps", "deployments", ("create", "delete")),
    Right(Need.CANARY, "", "services", ("list",)),
    Right(Need.CANARY, "autoscaling", "horizontalpodautoscalers", ("list",)),
    Right(Need.CANARY, "policy", "poddisruptionbudgets", ("list",)),
    Right(Need.CANARY, "networking.k8s.io", "networkpolicies", ("list",)),
    Right(Need.ROUTED, "", "services", ("get", "create", "delete")),
    Right(Need.GATEWAY_API, "gateway.networking.k8s.io", "httproutes", ("get", "patch")),
    Right(Need.ISTIO, "networking.istio.io", "virtualservices", ("get", "patch")),
    Right(Need.NGINX, "networking.k8s.io", "ingresses", ("get", "create", "patch", "delete")),
    Right(Need.USAGE, "metrics.k8s.io", "pods", ("list",)),
    Right(Need.SCANS, "aquasecurity.github.io", "vulnerabilityreports", ("list",)),
)
"""The table. Each verb is one that some adapter sends; nothing is here in case it may be wanted."""

KINDS = {
    WorkloadKind.DEPLOYMENT: Need.DEPLOYMENT,
    WorkloadKind.STATEFULSET: Need.STATEFULSET,
    WorkloadKind.DAEMONSET: Need.DAEMONSET,
}
ROUTERS = {
    Router.GATEWAY_API: (Need.ROUTED, Need.GATEWAY_API),
    Router.ISTIO: (Need.ROUTED, Need.ISTIO),
    Router.NGINX: (Need.ROUTED, Need.NGINX),
    Router.REPLICAS: (),
}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A namespace of a cluster."""

    cluster: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.namespace} of cluster {self.cluster}"


def rights_of(needs: Iterable[Need]) -> tuple[Right, ...]:
    """The rights for these needs, in the order of the table."""
    wanted = frozenset(needs)
    return tuple(right for right in RIGHTS if right.need in wanted)


def places(configuration: Configuration) -> Mapping[Place, frozenset[Need]]:
    """Every namespace that the catalogue names, and what Sluice does there."""
    found: dict[Place, frozenset[Need]] = {}
    for target in targets(configuration):
        workload = configuration.catalogue.workload(target.service, target.environment)
        place = Place(workload.cluster, workload.namespace)
        found[place] = found.get(place, frozenset()).union(_needs(configuration, target, workload))
    return found


def _needs(configuration: Configuration, target: Target, workload: WorkloadRef) -> Iterator[Need]:
    yield Need.RELEASE
    yield KINDS[workload.kind]
    if has_jobs(configuration):
        yield Need.JOB
    router = router_of(configuration, target)
    if router is not None:
        yield Need.CANARY
        yield from ROUTERS[router]
    signals = configuration.catalogue.service(target.service).signals
    if signals is not None and signals.cpu:
        yield Need.USAGE
    if _reads_scans(configuration, target.service):
        yield Need.SCANS


def router_of(configuration: Configuration, target: Target) -> Router | None:
    """What divides the requests of a target; `None`: there can be no canary of it."""
    try:
        return configuration.catalogue.route(target.service, target.environment).router
    except UsageError:
        return None


def has_jobs(configuration: Configuration) -> bool:
    """Whether a runbook runs Jobs. `--runbook` takes any of them to any target."""
    return any(
        entry.kind == "job" for each in configuration.runbooks.values() for entry in (*each.steps, *each.on_failure)
    )


def _reads_scans(configuration: Configuration, service: str) -> bool:
    """Whether reports of a service's images are looked for in the clusters where it runs: in all its environments, as
    the scanner may have seen the image in any of them."""
    own = (Target(service, environment) for environment in configuration.catalogue.environments)
    gates = [
        *(gate for runbook in configuration.runbooks.values() for gate in runbook.gates),
        *(gate for target in own for gate in configuration.gates_of(target)),
    ]
    return any(gate.kind == "vulnerabilities" and _in_clusters(gate.params) for gate in gates)


def _in_clusters(params: Mapping[str, Json]) -> bool:
    return params.get("source", "image") != "image"
