"""Area `cluster`: each cluster answers, gives the rights that the catalogue needs, and runs what it names."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby

from bot.adapters.kubernetes_access import KubernetesAccess, Permission
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_login import Connection
from bot.doctor.case import Case, connections
from bot.doctor.finding import Area, Tell
from bot.doctor.rights import Need, Place, Right, places, rights_of
from bot.doctor.workloads import look_at_workloads
from bot.domain.errors import SluiceError, TemporaryError

AREA = Area.CLUSTER
AT_ONCE = 8
"""Questions to one API server at a time: it serves others, too."""


async def examine(case: Case, tell: Tell) -> None:
    """All clusters side by side. Asks; changes nothing."""
    async with asyncio.TaskGroup() as group:
        for name, connection in connections(case.the_configuration).items():
            group.create_task(_cluster(case, name, connection, tell))


async def _cluster(case: Case, name: str, connection: Connection, tell: Tell) -> None:
    configuration = case.the_configuration
    client = KubernetesClient(name, connection, case.clock)
    access, subject = KubernetesAccess(client), name
    try:
        await client.open()
        tell(AREA.ok(subject, f"it answers: {await access.version()}"))
        await _rights(access, name, places(configuration), tell)
    except SluiceError as exc:
        tell(AREA.failed(subject, exc, _way_in(connection, is_away=isinstance(exc, TemporaryError))))
        return
    finally:
        await client.close()
    await look_at_workloads(case.clock, configuration, name, connection, tell=tell)


def _way_in(connection: Connection, *, is_away: bool) -> str:
    login = "the kubeconfig" if connection.kubeconfig is None else connection.kubeconfig
    if is_away:
        return f"let its API server be reached from here; {login} names its address: `kubectl get nodes` tries it"
    return f"correct {login} (KUBECONFIG, or clusters: in sluice.yaml); in a pod, give it a service account"


async def _rights(access: KubernetesAccess, cluster: str, needed: Mapping[Place, frozenset[Need]], tell: Tell) -> None:
    """Of each namespace of one cluster. Raises what a server says that does not answer, or does not know us."""
    for place in sorted(needed):
        if place.cluster != cluster:
            continue
        subject, rights = str(place), rights_of(needed[place])
        missing = await _missing(access, place.namespace, rights)
        if missing:
            which = f"--cluster {cluster} " if len({each.cluster for each in needed}) > 1 else ""
            grant = f"`sluice rbac {which}--namespace {place.namespace} | kubectl apply -f -`"
            tell(AREA.fault(subject, f"rights are missing {_named(missing)}", grant))
        else:
            count = sum(len(right.verbs) for right in rights)
            tell(AREA.ok(subject, f"all {count} rights that its services need"))


async def _missing(
    access: KubernetesAccess, namespace: str, rights: Sequence[Right]
) -> Sequence[tuple[Right, tuple[str, ...]]]:
    """Rights with the verbs of them that are not there. Raises what a server says that does not answer."""
    line = asyncio.Semaphore(AT_ONCE)

    async def may(permission: Permission) -> bool:
        async with line:
            return await access.may(permission)

    wanted = [(right, permission) for right in rights for permission in right.permissions(namespace)]
    answers = await asyncio.gather(*(may(permission) for _, permission in wanted))
    lacking: dict[Right, list[str]] = {}
    for (right, permission), allowed in zip(wanted, answers, strict=True):
        if not allowed:
            lacking.setdefault(right, []).append(permission.verb)
    return [(right, tuple(verbs)) for right, verbs in lacking.items()]


def _named(missing: Sequence[tuple[Right, tuple[str, ...]]]) -> str:
    """By what they are for, which says whether anybody will miss them."""
    by_need = groupby(missing, key=lambda each: str(each[0].need).partition(":")[0])
    return ", ".join(f"for {need} ({'; '.join(_verbs(*each) for each in group)})" for need, group in by_need)


def _verbs(right: Right, verbs: tuple[str, ...]) -> str:
    return f"{', '.join(verbs)} {right.qualified}"
