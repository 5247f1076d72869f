"""What an adapter holds is opened and closed with it."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self


class Opened:
    """Used inside `async with`, which opens and closes `held`, and nothing besides."""

    def __init__(self, held: AbstractAsyncContextManager[object]) -> None:
        self._held = held

    async def __aenter__(self) -> Self:
        await self._held.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._held.__aexit__(kind, error, trace)
