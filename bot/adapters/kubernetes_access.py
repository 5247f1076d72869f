"""What an API server says of itself and of our rights: asked by whoever looks whether all is set up."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.adapters.kubernetes_calls import ACCESS_REVIEWS, VERSION, ClusterCall
from bot.adapters.kubernetes_client import KubernetesClient
from bot.domain.errors import UnreadableError


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a Role may allow, in its words. `group` is empty for the core API; `resource` may have a
    subresource, as in `pods/log`."""

    namespace: str
    group: str
    resource: str
    verb: str


class KubernetesAccess:
    """Over a client that is open. Everybody who can log in may ask all of this."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    async def version(self) -> str:
        """The server's, such as `v1.31.0`. Raises as `KubernetesClient.send`, and UnreadableError."""
        found = (await self._client.send(ClusterCall("get", VERSION, ""))).get("gitVersion")
        if not isinstance(found, str) or not found:
            raise UnreadableError(f"cluster {self._client.name} does not say its version")
        return found

    async def headers(self) -> Mapping[str, str]:
        """What comes with an answer, such as the server's time. Raises as `KubernetesClient.send`."""
        return (await self._client.answered(ClusterCall("get", VERSION, ""))).headers

    async def may(self, wanted: Permission) -> bool:
        """Whether we have that right now (SelfSubjectAccessReview). Raises as `KubernetesClient.send`, and
        UnreadableError for an answer that does not say so."""
        resource, _, subresource = wanted.resource.partition("/")
        attributes = {
            "namespace": wanted.namespace,
            "group": wanted.group,
            "resource": resource,
            "subresource": subresource,
            "verb": wanted.verb,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._client.send(ClusterCall("create", ACCESS_REVIEWS, ""), review)
        status = answer.get("status")
        allowed = status.get("allowed") if isinstance(status, dict) else None
        if not isinstance(allowed, bool):
            raise UnreadableError(f"cluster {self._client.name} does not say what Sluice may do")
        return allowed
