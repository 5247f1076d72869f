"""`MetricsProviders`: the metrics servers of the catalogue by name, opened and closed together."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Protocol, Self

from bot.domain.errors import NotFoundError
from bot.ports.metrics import Metrics


class OpenableMetrics(Metrics, Protocol):
    """A metrics server, used inside `async with`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class OpenProviders:
    """Used inside `async with`; opening asks nobody anything. `beside` is what the servers need, opened before them."""

    def __init__(
        self, providers: Mapping[str, OpenableMetrics], *, beside: AbstractAsyncContextManager[object] | None = None
    ) -> None:
        self._providers, self._beside = dict(providers), beside
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            if self._beside is not None:
                await opening.enter_async_context(self._beside)
            for provider in self._providers.values():
                await provider.__aenter__()
                opening.push_async_exit(provider.__aexit__)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def get(self, name: str) -> Metrics:
        """See `MetricsProviders`."""
        if name not in self._providers:
            known = ", ".join(sorted(self._providers)) or "none"
            raise NotFoundError(f"there is no metrics provider '{name}' in the catalogue; known: {known}")
        return self._providers[name]
