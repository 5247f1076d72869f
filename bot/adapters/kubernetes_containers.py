"""Which of a workload's containers a release changes, and what is written about it. Pure."""

from bot.adapters.kubernetes_workload_objects import Workload
from bot.domain.errors import RefusedError
from bot.domain.target import WorkloadRef


def chosen_container(ref: WorkloadRef, workload: Workload) -> str:
    """The container that a release changes: the catalogue's, the only one, or the one named like the workload.

    Raises RefusedError listing the names when that leaves none.
    """
    names = [container.name for container in workload.pod.containers]
    if ref.container is None and len(names) == 1:
        return names[0]
    wanted = ref.container or ref.name
    if wanted in names:
        return wanted
    said = f"has no container '{ref.container}'" if ref.container else "has several containers"
    raise RefusedError(
        f"{ref} {said}; it has {', '.join(names)}. Set `container:` of the service in sluice.yaml to one"
    )


def image_of(workload: Workload, container: str) -> str:
    """What that container runs, as the template has it."""
    return next(one.image for one in workload.pod.containers if one.name == container)


def cpu_cores_of(ref: WorkloadRef, workload: Workload) -> float | None:
    """What the released container of one pod may use; looking never fails because it is not clear which one it is."""
    try:
        container = chosen_container(ref, workload)
    except RefusedError:
        return None
    return next(one.cpu_cores for one in workload.pod.containers if one.name == container)


def released_image(ref: WorkloadRef, workload: Workload) -> str:
    """The image of the container that is released; empty where that cannot be told, which stops nobody who only looks
    or takes something away."""
    try:
        return image_of(workload, chosen_container(ref, workload))
    except RefusedError:
        return ""
