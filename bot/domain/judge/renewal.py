"""When what was learnt from the baseline is put to use."""

from collections.abc import Sequence
from typing import Any

from bot.domain.judge.blocks import Block, Moment

ENOUGH_BASELINE = 100
MODEL_LASTS = 20
MODEL_RENEWED_AT = 10


class Renewal:
    """When what was learnt from the baseline is put to use: as soon as it had 100 requests, later every 20 blocks."""

    def __init__(self) -> None:
        self.done, self.blocks = False, 0

    def is_due(self, moment: Moment, block: Block | None, requests: float) -> bool:
        """Asked at each look before the block is judged, so that no block is judged by what it taught itself."""
        if moment.at < 0 or requests < ENOUGH_BASELINE:
            return False
        due = not self.done or (block is not None and self.blocks % MODEL_LASTS == MODEL_RENEWED_AT)
        self.done = True
        return due

    def state(self) -> list[Any]:
        """Everything that must outlive the process."""
        return [self.done, self.blocks]

    def restore(self, state: Sequence[Any]) -> None:
        """Go on where `state` was taken."""
        self.done, self.blocks = state
