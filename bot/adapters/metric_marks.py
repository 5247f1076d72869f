"""The sums that were told, as long as the process lives: a sum that is lower than it was misses something.

The judge takes a counter that fell for a restart, and all that it shows for new: half an answer would be evidence of
every request since counting began. So its pods are left out, as if they were not scraped, until they are whole again.
An answer that says itself that it may not be whole is not believed where there is nothing to compare it with.
"""

from collections.abc import Sequence

from bot.adapters.metric_series import Answer, Labels, Milliseconds, Series, labels_key
from bot.ports.metrics import AGE_LABEL

MOST_KEPT = 200
"""Signals whose sums are remembered: a few for each canary under way."""

Key = tuple[str, Milliseconds]
"""A query, and since when its counts are added up."""

Mark = tuple[Milliseconds, float]
"""A moment, and the sum at it."""


class Marks:
    """The last sum of every series of the newest `MOST_KEPT` signals."""

    def __init__(self) -> None:
        self._told: dict[Key, dict[Labels, Mark]] = {}

    def checked(self, key: Key, answer: Answer, pod_labels: Sequence[str]) -> Answer:
        """The answer without pods whose sums fell since they were told last, or may have, with a warning for them."""
        told, unsure = self._told.pop(key, {}), bool(answer.warnings)
        fallen = {
            _pod(one, pod_labels)
            for one in answer.series
            if AGE_LABEL not in one.labels and _fell(one, told.get(labels_key(one.labels)), unsure=unsure)
        }
        whole = tuple(one for one in answer.series if _pod(one, pod_labels) not in fallen)
        self._told[key] = told | {labels_key(one.labels): max(one.points.items()) for one in whole if one.points}
        if len(self._told) > MOST_KEPT:
            del self._told[next(iter(self._told))]
        pods = f"{len(fallen)} pod{'s' if len(fallen) > 1 else ''}"
        said = f"the counts of {pods} are {'not sure' if unsure else 'lower than they were'}: left out"
        return Answer(whole, (*answer.warnings, said) if fallen else answer.warnings)


def _pod(series: Series, pod_labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(series.labels.get(label, "") for label in pod_labels)


def _fell(series: Series, mark: Mark | None, *, unsure: bool) -> bool:
    """Whether a series is lower than at an earlier moment."""
    if mark is None:
        return unsure
    told_at, total = mark
    return any(at >= told_at and value < total for at, value in series.points.items())
