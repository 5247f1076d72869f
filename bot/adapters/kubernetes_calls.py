"""One request to a Kubernetes API server: what access rules call it, where it goes, and what its failure means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.adapters.retry_after import retry_after
from bot.domain.errors import (
    ConflictError,
    NotFoundError,
    PermanentError,
    RefusedError,
    SluiceError,
    UnreachableError,
)
from bot.domain.target import WorkloadKind

Raw = dict[str, Any]
"""An API object as JSON; what we rely on of it is read through `kubernetes_objects`."""

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
JSON_MERGE = "application/merge-patch+json"
"""The only merge that custom resources know; lists are replaced as a whole."""

HTTP_METHODS = {"get": "GET", "list": "GET", "watch": "GET", "patch": "PATCH", "create": "POST", "delete": "DELETE"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object: its API's path prefix and its plural name, as in access rules."""

    api: str
    plural: str


PODS = Resource("api/v1", "pods")
EVENTS = Resource("api/v1", "events")
DEPLOYMENTS = Resource("apis/apps/v1", "deployments")
STATEFULSETS = Resource("apis/apps/v1", "statefulsets")
DAEMONSETS = Resource("apis/apps/v1", "daemonsets")
REPLICASETS = Resource("apis/apps/v1", "replicasets")
CONTROLLER_REVISIONS = Resource("apis/apps/v1", "controllerrevisions")
JOBS = Resource("apis/batch/v1", "jobs")
SERVICES = Resource("api/v1", "services")
INGRESSES = Resource("apis/networking.k8s.io/v1", "ingresses")
NETWORK_POLICIES = Resource("apis/networking.k8s.io/v1", "networkpolicies")
AUTOSCALERS = Resource("apis/autoscaling/v1", "horizontalpodautoscalers")
BUDGETS = (Resource("apis/policy/v1", "poddisruptionbudgets"), Resource("apis/policy/v1beta1", "poddisruptionbudgets"))
HTTP_ROUTES = (
    Resource("apis/gateway.networking.k8s.io/v1", "httproutes"),
    Resource("apis/gateway.networking.k8s.io/v1beta1", "httproutes"),
)
VIRTUAL_SERVICES = (
    Resource("apis/networking.istio.io/v1", "virtualservices"),
    Resource("apis/networking.istio.io/v1beta1", "virtualservices"),
)

VERSION = Resource("version", "")
"""What the server is; no object, and everybody may read it."""

ACCESS_REVIEWS = Resource("apis/authorization.k8s.io/v1", "selfsubjectaccessreviews")

WORKLOADS = {
    WorkloadKind.DEPLOYMENT: DEPLOYMENTS,
    WorkloadKind.STATEFULSET: STATEFULSETS,
    WorkloadKind.DAEMONSET: DAEMONSETS,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `verb` is a word of Kubernetes access rules: get, list, watch, patch, create or delete."""

    verb: str
    resource: Resource
    namespace: str
    name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method of the verb."""
        return HTTP_METHODS[self.verb]

    @property
    def path(self) -> str:
        """The path below the server's address; names are escaped."""
        parts = ("namespaces", self.namespace, self.resource.plural, self.name, self.subresource)
        return "/".join(("", self.resource.api, *(quote(part, safe="") for part in parts if part)))

    def __str__(self) -> str:
        what = "/".join(part for part in (self.resource.plural, self.name, self.subresource) if part)
        return f"{self.verb} {what} in namespace {self.namespace}"


@dataclass(frozen=True, slots=True)
class ClusterCall(Call):
    """A request about something outside of all namespaces; `namespace` is empty."""

    @property
    def path(self) -> str:
        """The path below the server's address."""
        return f"/{self.resource.api}/{self.resource.plural}".rstrip("/")

    def __str__(self) -> str:
        return f"{self.verb} {self.resource.plural or self.resource.api}"


def translated(call: Call, cluster: str, status: int, body: str, *, wait: str | None = None) -> SluiceError:
    """What an answer other than 2xx means. `body`: a Kubernetes Status or a proxy's words; `wait`: its Retry-After."""
    said = _message(body)
    match status:
        case 401:
            return RefusedError(f"cluster {cluster} does not accept Sluice's credentials ({call}): {said}")
        case 403:
            return _forbidden(call, cluster, said)
        case 404:
            return NotFoundError(f"{call.name or call.resource.plural} in namespace {call.namespace}: {said}")
        case 409:
            return ConflictError(f"the object changed in cluster {cluster} while Sluice wrote to it ({call}): {said}")
        case 429 | 408 | 500 | 502 | 503 | 504:
            text = f"cluster {cluster} answered HTTP {status} to {call}: {said}"
            return UnreachableError(text, retry_after=retry_after(wait))
    return PermanentError(f"cluster {cluster} answered HTTP {status} to {call}: {said}")


def _forbidden(call: Call, cluster: str, said: str) -> RefusedError:
    if "exceeded quota" in said or "admission webhook" in said:
        # Admission answers 403 too; no Role would help against it.
        return RefusedError(f"cluster {cluster} refuses to {call}: {said}")
    right = f"{call.resource.plural}/{call.subresource}" if call.subresource else call.resource.plural
    return RefusedError(
        f"Sluice may not {call} of cluster {cluster}; add the verb '{call.verb}' on '{right}' "
        f"to its Role in namespace {call.namespace}. The server said: {said}"
    )


def _message(body: str) -> str:
    """The sentence of a Kubernetes Status, or the beginning of whatever came instead."""
    try:
        status = json.loads(body)
    except ValueError:
        status = None
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or body.strip()[:200] or "no explanation").rstrip(".")
