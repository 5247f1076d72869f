"""Which metrics server is asked in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.errors import UsageError
from runbooks import datadog_query, nrql, promql, signal_presets, vendor_presets
from runbooks.asking import Asked, Wanted
from runbooks.metrics_providers import ProviderEntry
from runbooks.signal_presets import Preset
from runbooks.source import unknown


@dataclass(frozen=True, slots=True)
class Language:
    """A query language: whose it is, the names of usual services there, and how queries are written."""

    whose: str
    presets: Mapping[str, Preset]
    asked: Callable[[Wanted], Asked]

    def preset(self, name: str) -> Preset:
        """Raises UsageError for a preset that makes no sense with this server."""
        if name not in self.presets:
            raise UsageError(unknown(f"{self.whose} has no preset '{name}'", name, self.presets))
        return self.presets[name]


PROMQL = Language("Prometheus", signal_presets.PRESETS, promql.asked)
DATADOG = Language("Datadog", vendor_presets.DATADOG, datadog_query.asked)
NRQL = Language("New Relic", vendor_presets.NEW_RELIC, nrql.asked)


def language_of(entry: ProviderEntry) -> Language:
    """The language of a metrics server."""
    if entry.datadog:
        return DATADOG
    return NRQL if entry.newrelic else PROMQL
