"""Who may do what, as RBAC has it: everybody everything, until somebody binds a Role; then only that."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from bot.sandbox.kubernetes.paths import Place
from bot.sandbox.kubernetes.refusals import RefusalError
from bot.sandbox.kubernetes.resources import Raw

ACCOUNT = "system:serviceaccount:sluice:sluice"
"""Who asks, as the server calls them."""

WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class Deed:
    """What a request wants, in the words of a Role. `resource` has its subresource behind a slash."""

    namespace: str
    verb: str
    group: str
    resource: str
    name: str = ""

    @property
    def right(self) -> "Right":
        """What it takes."""
        return self.namespace, self.verb, self.group, self.resource

    @property
    def refusal(self) -> RefusalError:
        """The answer to who may not."""
        plural, _, _ = self.resource.partition("/")
        kind = f"{plural}.{self.group}" if self.group else plural
        what = f'{kind} "{self.name}"' if self.name else kind
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        said = (
            f'{what} is forbidden: User "{ACCOUNT}" cannot {self.verb} resource "{self.resource}" in API group '
            f'"{self.group}" {where}'
        )
        return RefusalError(HTTPStatus.FORBIDDEN, said, "Forbidden")


Right = tuple[str, str, str, str]
"""Namespace, verb, group, resource."""


class Access:
    """The rights of the one account that there is; `used` are those that requests have needed so far."""

    def __init__(self) -> None:
        self._granted: set[Right] | None = None
        self.used: set[Right] = set()

    def bind(self, namespace: str, rules: Iterable[Raw]) -> None:
        """Bind the account to a Role with these `rules` in a namespace. What no Role has is forbidden from now on."""
        granted = self._granted if self._granted is not None else set()
        self._granted = granted | {
            (namespace, verb, group, resource)
            for rule in rules
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    def may(self, deed: Deed) -> bool:
        """Whether the account may do that."""
        return self._granted is None or deed.right in self._granted

    def require(self, deed: Deed) -> None:
        """Raise RefusalError (403) for who may not."""
        self.used.add(deed.right)
        if not self.may(deed):
            raise deed.refusal

    def reviewed(self, review: Raw) -> Raw:
        """A SelfSubjectAccessReview with its answer. Raises RefusalError for one that asks for nothing."""
        asked = (review.get("spec") or {}).get("resourceAttributes")
        if not isinstance(asked, dict):
            said = (
                'SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: '
                "null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
            )
            raise RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, said)
        resource = "/".join(part for part in (asked.get("resource", ""), asked.get("subresource", "")) if part)
        deed = Deed(asked.get("namespace", ""), asked.get("verb", ""), asked.get("group", ""), resource)
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {"creationTimestamp": None},
            "spec": review["spec"],
            "status": {"allowed": self.may(deed)},
        }


def deed_of(request: web.Request, place: Place) -> Deed:
    """What a request wants of a place."""
    match request.method:
        case "GET" if request.query.get("watch") in ("1", "true"):
            verb = "watch"
        case "GET":
            verb = "get" if place.name else "list"
        case "DELETE":
            verb = "delete" if place.name else "deletecollection"
        case method:
            verb = WRITES.get(method, method.lower())
    resource = "/".join(part for part in (place.kind.plural, place.subresource) if part)
    return Deed(place.namespace, verb, place.kind.group, resource, place.name)
