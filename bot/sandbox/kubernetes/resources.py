"""The kinds of objects that the server knows, as discovery lists them."""

from dataclasses import dataclass
from typing import Any

Raw = dict[str, Any]
"""An API object as JSON. Stored objects are never changed in place: a write makes a new one that shares what stays."""

Key = tuple[str, str]
"""Namespace (empty outside of all) and name."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object. `custom`: made by a CustomResourceDefinition, so without strategic merge. `annotated`: its
    generation counts annotations, too. `generations`: it has one at all."""

    group: str
    versions: tuple[str, ...]
    plural: str
    kind: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    custom: bool = False
    annotated: bool = False
    scalable: bool = False
    generations: bool = True

    @property
    def qualified(self) -> str:
        """As messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """The preferred version with its group."""
        return self.in_version(self.versions[0])

    def in_version(self, version: str) -> str:
        """A version with its group, as `apiVersion` has it."""
        return f"{self.group}/{version}" if self.group else version


NAMESPACES = Kind("", ("v1",), "namespaces", "Namespace", ("ns",), namespaced=False, generations=False)
NODES = Kind("", ("v1",), "nodes", "Node", ("no",), namespaced=False, generations=False)
PODS = Kind("", ("v1",), "pods", "Pod", ("po",), generations=False)
SERVICES = Kind("", ("v1",), "services", "Service", ("svc",), generations=False)
EVENTS = Kind("", ("v1",), "events", "Event", ("ev",), generations=False)
CONFIG_MAPS = Kind("", ("v1",), "configmaps", "ConfigMap", ("cm",), generations=False)
SECRETS = Kind("", ("v1",), "secrets", "Secret", generations=False)
SERVICE_ACCOUNTS = Kind("", ("v1",), "serviceaccounts", "ServiceAccount", ("sa",), generations=False)
DEPLOYMENTS = Kind("apps", ("v1",), "deployments", "Deployment", ("deploy",), annotated=True, scalable=True)
REPLICA_SETS = Kind("apps", ("v1",), "replicasets", "ReplicaSet", ("rs",), scalable=True)
STATEFUL_SETS = Kind("apps", ("v1",), "statefulsets", "StatefulSet", ("sts",), scalable=True)
DAEMON_SETS = Kind("apps", ("v1",), "daemonsets", "DaemonSet", ("ds",))
CONTROLLER_REVISIONS = Kind("apps", ("v1",), "controllerrevisions", "ControllerRevision", generations=False)
JOBS = Kind("batch", ("v1",), "jobs", "Job")
AUTOSCALERS = Kind("autoscaling", ("v1",), "horizontalpodautoscalers", "HorizontalPodAutoscaler", ("hpa",))
INGRESSES = Kind("networking.k8s.io", ("v1",), "ingresses", "Ingress", ("ing",))
NETWORK_POLICIES = Kind("networking.k8s.io", ("v1",), "networkpolicies", "NetworkPolicy", ("netpol",))
BUDGETS = Kind("policy", ("v1",), "poddisruptionbudgets", "PodDisruptionBudget", ("pdb",))
HTTP_ROUTES = Kind("gateway.networking.k8s.io", ("v1", "v1beta1"), "httproutes", "HTTPRoute", custom=True)
VIRTUAL_SERVICES = Kind(
    "networking.istio.io", ("v1", "v1beta1"), "virtualservices", "VirtualService", ("vs",), custom=True
)
REPORTS = Kind(
    "aquasecurity.github.io", ("v1alpha1",), "vulnerabilityreports", "VulnerabilityReport", ("vuln",), custom=True
)

KINDS = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    EVENTS,
    CONFIG_MAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    CONTROLLER_REVISIONS,
    JOBS,
    AUTOSCALERS,
    INGRESSES,
    NETWORK_POLICIES,
    BUDGETS,
    HTTP_ROUTES,
    VIRTUAL_SERVICES,
    REPORTS,
)

BY_PLURAL = {(kind.group, version, kind.plural): kind for kind in KINDS for version in kind.versions}
BY_KIND = {(kind.in_version(version), kind.kind): kind for kind in KINDS for version in kind.versions}
