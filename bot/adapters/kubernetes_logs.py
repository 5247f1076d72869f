"""Last lines of containers."""

from bot.adapters.kubernetes_calls import PODS, Call
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_pod_objects import Pod
from bot.domain.errors import NotFoundError, PermanentError, RefusedError
from bot.domain.target import WorkloadRef

MOST_BYTES = 65_536
LONGEST_LINE = 300
"""A line beyond this is somebody's JSON; a person in a chat reads its beginning."""


class KubernetesLogs:
    """Reads logs; a pod that is gone, or a container without any, has none."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    async def last_lines(self, ref: WorkloadRef, pod: str, container: str, *, lines: int) -> tuple[str, ...]:
        """See `Cluster.logs`."""
        try:
            found = read(Pod, await self._client.send(Call("get", PODS, ref.namespace, pod)))
        except NotFoundError:
            return ()
        if _is_crashing(found, container):
            previous = await self._read(ref.namespace, pod, container, {"tailLines": str(lines), "previous": "true"})
            if previous:
                return previous
        return await self.current(ref.namespace, pod, container, lines=lines)

    async def current(self, namespace: str, pod: str, container: str, *, lines: int) -> tuple[str, ...]:
        """The last lines of the container's present life."""
        return await self._read(namespace, pod, container, {"tailLines": str(lines)})

    async def _read(self, namespace: str, pod: str, container: str, query: dict[str, str]) -> tuple[str, ...]:
        query |= {"container": container, "limitBytes": str(MOST_BYTES)}
        try:
            text = await self._client.text(Call("get", PODS, namespace, pod, "log", query))
        except RefusedError:
            raise
        except PermanentError:
            # 400 or 404: the container has not started, or has had no previous life.
            return ()
        return tuple(line[:LONGEST_LINE] for line in text.splitlines())


def _is_crashing(pod: Pod, container: str) -> bool:
    """Not ready after a life that ended: what that life said last is the reason."""
    statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
    named = (one for one in statuses if one.name == container and not one.ready)
    return any(one.restart_count > 0 or one.last_state.terminated is not None for one in named)
