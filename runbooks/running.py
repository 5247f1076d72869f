"""What a workload runs: shared by whoever compares it with what was released."""

from collections.abc import Callable

from bot.domain.errors import RefusedError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import WorkloadState

WorkloadOf = Callable[[str, str], WorkloadRef]
"""Where a service runs in an environment. Raises UsageError."""


def running_image(state: WorkloadState) -> str:
    """The image of the container that is released. Raises RefusedError when the catalogue must name it."""
    if state.ref.container:
        if state.ref.container not in state.images:
            names = ", ".join(state.images)
            raise RefusedError(f"{state.ref} has no container '{state.ref.container}'; it has {names}")
        return state.images[state.ref.container]
    if len(state.images) == 1:
        return next(iter(state.images.values()))
    if state.ref.name in state.images:
        return state.images[state.ref.name]
    names = ", ".join(state.images)
    raise RefusedError(f"{state.ref} has several containers ({names}); name one as 'container' in the catalogue")
