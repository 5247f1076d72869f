"""Roles as YAML, each rule with what it is for: what `sluice rbac` prints, and deploy/kubernetes-role.yaml. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.doctor.rights import RIGHTS, Place, Right, places, rights_of
from bot.domain.errors import UsageError
from runbooks.catalogue import OBJECT_NAME
from runbooks.configuration import Configuration
from runbooks.parts import NAME
from runbooks.source import unknown

CORE = '""'
"""How YAML writes the group of the core API, which has no name."""

WHOLE = """\
# What Sluice may do in one namespace that it releases to, whatever the catalogue holds. Written from the code by
# `make docs`; do not edit it here. `sluice rbac` prints the part of it that your catalogue needs, for each of its
# namespaces. To apply all of it to one:
#   kubectl -n prod apply -f deploy/kubernetes-role.yaml
# docs/connect-cluster.md says what it writes there. Access rules know no name patterns, but Sluice changes the
# workloads of the catalogue alone, and deletes only what carries its own mark. It cannot read secrets, or look into
# other namespaces.
"""


@dataclass(frozen=True, slots=True)
class Account:
    """The service account that Sluice runs as."""

    namespace: str = "sluice"
    name: str = "sluice"

    @classmethod
    def parse(cls, written: str) -> "Account":
        """`namespace/name`. Raises UsageError."""
        namespace, slash, name = written.partition("/")
        if not (slash and NAME.fullmatch(namespace) and OBJECT_NAME.fullmatch(name)):
            raise UsageError(
                f"'{written}' is no service account; write its namespace and its name, as in sluice/sluice."
            )
        return cls(namespace, name)


def whole_role() -> str:
    """The whole table, for a namespace that `kubectl -n` names."""
    return WHOLE + "\n".join(_role(RIGHTS, "", Account())) + "\n"


def roles(
    configuration: Configuration, *, account: Account, cluster: str | None = None, namespace: str | None = None
) -> str:
    """What the catalogue needs, a Role with its binding for each namespace of one cluster. `None`: the only cluster,
    and every namespace. Raises UsageError for one that the catalogue does not name, and where there are several
    clusters to choose from."""
    found = places(configuration)
    chosen = _cluster(sorted({place.cluster for place in found}), cluster)
    mine = sorted(place for place in found if place.cluster == chosen)
    if namespace is not None:
        mine = [place for place in mine if place.namespace == namespace] or _no_such(namespace, mine)
    return "---\n".join(_document(place, rights_of(found[place]), account) for place in mine)


def _cluster(known: Sequence[str], wanted: str | None) -> str:
    if wanted is None:
        if len(known) > 1:
            raise UsageError(
                f"The catalogue has the clusters {', '.join(known)}, and rights go to one at a time; add --cluster "
                f"{known[0]}."
            )
        return known[0]
    if wanted not in known:
        raise UsageError(unknown(f"Nothing is released to a cluster '{wanted}'", wanted, known))
    return wanted


def _no_such(namespace: str, mine: Sequence[Place]) -> list[Place]:
    known = [place.namespace for place in mine]
    raise UsageError(unknown(f"Nothing is released to a namespace '{namespace}'", namespace, known))


def _document(place: Place, rights: Sequence[Right], account: Account) -> str:
    head = f"# For Sluice in the namespace {place}: what sluice.yaml needs there, and nothing else."
    return "\n".join([head, *_role(rights, place.namespace, account)]) + "\n"


def _role(rights: Sequence[Right], namespace: str, account: Account) -> Iterator[str]:
    # In quotes: a namespace may be called `007` or `on`.
    metadata = ("metadata:", "  name: sluice", *([f"  namespace: {json.dumps(namespace)}"] if namespace else []))
    yield from ("apiVersion: rbac.authorization.k8s.io/v1", "kind: Role", *metadata, "rules:")
    for need, rules in groupby(rights, key=lambda right: right.need):
        yield f"  # {need}"
        for rule in rules:
            yield f"  - apiGroups: [{rule.group or CORE}]"
            yield f"    resources: [{rule.resource}]"
            yield f"    verbs: [{', '.join(rule.verbs)}]"
    yield "---"
    yield from ("apiVersion: rbac.authorization.k8s.io/v1", "kind: RoleBinding", *metadata)
    yield "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: sluice}"
    yield from ("subjects:", "  - kind: ServiceAccount", f"    name: {json.dumps(account.name)}")
    yield f"    namespace: {json.dumps(account.namespace)}  # where Sluice itself runs"
