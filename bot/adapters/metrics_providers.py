"""`MetricsProviders`: the metrics servers of the catalogue by name, opened and closed together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from bot.adapters.prometheus import PrometheusMetrics
from bot.domain.errors import NotFoundError
from bot.ports.metrics import Metrics


class OpenProviders:
    """Used inside `async with`; opening asks nobody anything."""

    def __init__(self, providers: Mapping[str, PrometheusMetrics]) -> None:
        self._providers = dict(providers)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for provider in self._providers.values():
            await self._stack.enter_async_context(provider)
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
