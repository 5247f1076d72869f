"""What a cluster said of the CPU of its pods, and which reading got what of it. No I/O, no clock.

The cluster tells the present moment only, and a little late. Every look keeps what it is told; a reading gets, for each
of its pods, the newest measurement that is not younger than it and was in no reading before. So each measurement is
told once, as it is one piece of evidence. What a reading got is kept, too: whoever asks again for the same moment gets
the same. A process that was restarted knows none of what the cluster said before: readings of that time lack the gauge,
which is no evidence, neither of harm nor of the lack of it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.adapters.kubernetes_usage import PodCpu
from bot.adapters.metric_moments import ms
from bot.adapters.metric_series import Milliseconds

OLDEST = timedelta(minutes=2)
"""A measurement that is older says nothing of a moment; metrics-server makes one every 15 or 60 s."""

KEPT = timedelta(minutes=20)
"""How long measurements are kept, and what readings got: longer than any server's data are late."""


@dataclass(slots=True)
class Measurements:
    """What was measured in a namespace, by pod and moment, and what each reading got of it."""

    measured: dict[str, dict[Milliseconds, float]] = field(default_factory=lambda: defaultdict(dict))
    told: dict[str, Milliseconds] = field(default_factory=dict)
    given: dict[Milliseconds, dict[str, float]] = field(default_factory=dict)

    def learn(self, found: Sequence[PodCpu]) -> None:
        """Keep what the cluster says now; forget what is older than `KEPT`."""
        for one in found:
            self.measured[one.pod][one.at] = one.cores
        oldest = max((one.at for one in found), default=0) - ms(KEPT)
        for pod in list(self.measured):
            self.measured[pod] = {at: value for at, value in self.measured[pod].items() if at >= oldest}
            if not self.measured[pod]:
                del self.measured[pod]
                self.told.pop(pod, None)
        self.given = {at: given for at, given in self.given.items() if at >= oldest}

    def gauges(self, at: Milliseconds, pods: Collection[str]) -> Mapping[str, float]:
        """The gauges of a moment by pod; the same when asked again."""
        given = self.given.setdefault(at, {})
        for pod in set(pods) - given.keys():
            fresh = [taken for taken in self.measured.get(pod, {}) if self._may_tell(pod, taken, at)]
            if fresh:
                self.told[pod] = max(fresh)
                given[pod] = self.measured[pod][max(fresh)]
        return given

    def is_known(self, pod: str, at: Milliseconds) -> bool:
        """Whether a pod was measured shortly before a moment."""
        return any(at - ms(OLDEST) < taken <= at for taken in self.measured.get(pod, {}))

    def _may_tell(self, pod: str, taken: Milliseconds, at: Milliseconds) -> bool:
        return max(self.told.get(pod, 0), at - ms(OLDEST)) < taken <= at
