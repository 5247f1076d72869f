"""The queries of signals in PromQL: counters as they stand, summed for each pod by the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.ports.metrics import AGE_LABEL, NEWEST

OPERATORS = ("=~", "!~", "!=")
IRATE_INTERVALS = 4
"""`irate` takes the last two samples of its window; a window of four intervals bears two missed scrapes."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and what its labels must be. `matchers` are PromQL, one each."""

    metric: str
    matchers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.metric}{{{', '.join(self.matchers)}}}"


def matcher(label: str, wanted: str) -> str:
    """One matcher. `wanted` is a value, or begins with one of `=~`, `!~` and `!=`."""
    operator = next((sign for sign in OPERATORS if wanted.startswith(sign)), "=")
    value = wanted.removeprefix(operator) if operator != "=" else wanted
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{label}{operator}"{escaped}"'


def requests(selector: Selector, labels: Sequence[str], codes: Sequence[str]) -> str:
    """Requests for each pod and code, and when each pod was last scraped: in one answer, so that they fit."""
    ages = f'label_replace(max by ({", ".join(labels)}) (timestamp({selector})), "{AGE_LABEL}", "{NEWEST}", "", "")'
    return f"{_sum(labels, codes)} ({selector}) or {ages}"


def latency(selector: Selector, labels: Sequence[str]) -> str:
    """The cumulative histogram of each pod."""
    return f"{_sum(labels, ['le'])} ({selector})"


def usage(selector: Selector, labels: Sequence[str], interval: timedelta) -> str:
    """What a counter of seconds grew by in each second between its last two scrapes: cores in use."""
    window_s = int((IRATE_INTERVALS * interval).total_seconds())
    return f"{_sum(labels, [])} (irate({selector}[{window_s}s]))"


def _sum(labels: Sequence[str], more: Sequence[str]) -> str:
    return f"sum by ({', '.join(dict.fromkeys((*labels, *more)))})"
