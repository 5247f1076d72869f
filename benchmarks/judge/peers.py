"""What others do, as rules over the same recordings.

- Argo Rollouts: a measurement a minute of the canary against fixed thresholds; more failures of a metric than its
  `failureLimit` abort, the end of the hour promotes. A measurement without requests counts as good.
- Flagger: a check a minute; `threshold` failed checks roll back, ten good ones promote. No data is a failed check.
- Kayenta: Mann-Whitney on points of one minute, one-sided at 99 %; optionally only with an effect size.
- z-test: errors and slow requests so far as two proportions, at every scrape.

Each rule gives (verdict, index) like `replay.judge`. Thresholds are those of the service's objectives (`slo_error`,
`slo_latency` of the configuration), or tight: 1.5 times what the baseline had before.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.domain.judge.figures import quantile
from bot.domain.judge.samples import ALL, BAD, FIRST_BUCKET, Counters, Floats

Recorded = Mapping[str, Any]
Decision = tuple[str, int]
Rule = Callable[["Points"], Decision]

MINUTE = 60.0
Z_99 = 2.326
FLAGGER_STEPS = 10
FEWEST_POINTS = 5


@dataclass(frozen=True, slots=True)
class Points:
    """A recording as the rules read it: increments of canary and baseline by scrape (all, bad, buckets)."""

    at: list[float]
    canary: Floats
    baseline: Floats
    config: Recorded

    def minutes(self) -> list[tuple[int, Floats, Floats]]:
        """For each whole minute of the canary: index of its last scrape, and both arms' sums in it."""
        found, begins = [], next(i for i, at in enumerate(self.at) if at > 0)
        for index in range(begins, len(self.at)):
            if self.at[index] % MINUTE == 0:
                found.append(
                    (index, self.canary[begins : index + 1].sum(axis=0), self.baseline[begins : index + 1].sum(axis=0))
                )
                begins = index + 1
        return found

    def p95(self, sums: Floats) -> float:
        """Seconds; infinite beyond the last edge, NaN without requests."""
        found = quantile(self.config["bounds"], sums[FIRST_BUCKET:].tolist(), 0.95)
        return math.nan if found is None else found

    def usual(self) -> Floats:
        """The baseline's sums before the canary."""
        sums: Floats = self.baseline[: sum(at <= 0 for at in self.at)].sum(axis=0)
        return sums


def points(observations: Sequence[Recorded], config: Recorded) -> Points:
    """A recording's increments; resets of counters are understood."""
    width = FIRST_BUCKET + len(config["bounds"])
    arms = {}
    for arm in ("canary", "baseline"):
        counters = Counters(width)
        rows = [
            counters.increments({p: (s["requests"], s["errors"], *s["buckets"]) for p, s in scrape[arm].items()}).total
            for scrape in observations
        ]
        arms[arm] = np.array(rows)
    return Points([scrape["t"] for scrape in observations], arms["canary"], arms["baseline"], config)


def argo(failure_limit: int, *, tight: bool) -> Rule:
    """Argo Rollouts' analysis."""

    def rule(seen: Points) -> Decision:
        errors, latency = _thresholds(seen, tight=tight)
        failures = [0, 0]
        for index, canary, _ in seen.minutes():
            failures[0] += bool(canary[ALL] and canary[BAD] / canary[ALL] > errors)
            failures[1] += seen.p95(canary) > latency
            if max(failures) > failure_limit:
                return "FAIL", index
        return "PASS", len(seen.at) - 1

    return rule


def flagger(threshold: int) -> Rule:
    """Flagger's analysis."""

    def rule(seen: Points) -> Decision:
        errors, latency = _thresholds(seen, tight=False)
        failed = good = 0
        for index, canary, _ in seen.minutes():
            if canary[ALL] and canary[BAD] / canary[ALL] <= errors and seen.p95(canary) <= latency:
                good += 1
            else:
                failed += 1
            if failed >= threshold:
                return "FAIL", index
            if good >= FLAGGER_STEPS:
                return "PASS", index
        return "INCONCLUSIVE", len(seen.at) - 1

    return rule


def _thresholds(seen: Points, *, tight: bool) -> tuple[float, float]:
    if not tight:
        return seen.config["slo_error"], seen.config["slo_latency"]
    usual = seen.usual()
    return 1.5 * float(usual[BAD] / max(1.0, usual[ALL])), 1.5 * seen.p95(usual)


def kayenta(*, every: float, effect: float = 1.0) -> Rule:
    """Kayenta's judge, every so many seconds over all minutes so far."""

    def rule(seen: Points) -> Decision:
        pairs: list[list[tuple[float, float]]] = [[], []]
        for index, canary, baseline in seen.minutes():
            if canary[ALL] and baseline[ALL]:
                pairs[0].append((canary[BAD] / canary[ALL], baseline[BAD] / baseline[ALL]))
                pairs[1].append((seen.p95(canary), seen.p95(baseline)))
            if seen.at[index] % every == 0 and any(_is_higher(pair, effect) for pair in pairs):
                return "FAIL", index
        return "PASS", len(seen.at) - 1

    return rule


def _is_higher(pairs: list[tuple[float, float]], effect: float) -> bool:
    """Mann-Whitney with midranks and the normal approximation; and the means apart by the effect size."""
    if len(pairs) < FEWEST_POINTS:
        return False
    canary, baseline = np.array(pairs).clip(max=1e6).T
    if canary.mean() <= effect * baseline.mean():
        return False
    values, where, ties = np.unique(np.concatenate((canary, baseline)), return_inverse=True, return_counts=True)
    count, everyone = len(canary), 2 * len(canary)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[where]
    above = ranks[:count].sum() - count * (count + 1) / 2
    variance = count * count / 12 * (everyone + 1 - (ties**3 - ties).sum() / (everyone * (everyone - 1)))
    return bool(len(values) > 1 and (above - count * count / 2) / math.sqrt(variance) > Z_99)


def z_test(seen: Points) -> Decision:
    """Two proportions at every scrape, errors and requests beyond the baseline's p95 edge."""
    config, usual = seen.config, seen.usual()
    edge = next((i for i, bound in enumerate(config["bounds"]) if bound >= seen.p95(usual)), len(config["bounds"]) - 1)
    live = [i for i, at in enumerate(seen.at) if at > 0]
    canary, baseline = seen.canary[live].cumsum(axis=0), seen.baseline[live].cumsum(axis=0)
    for index, ours, theirs in zip(live, canary, baseline, strict=True):
        slow = ours[ALL] - ours[FIRST_BUCKET + edge], theirs[ALL] - theirs[FIRST_BUCKET + edge]
        for bad in ((ours[BAD], theirs[BAD]), slow):
            if _z(bad, (ours[ALL], theirs[ALL])) > Z_99:
                return "FAIL", index
    return "PASS", len(seen.at) - 1


def _z(bad: tuple[float, float], everyone: tuple[float, float]) -> float:
    share = sum(bad) / max(1.0, sum(everyone))
    if min(everyone) == 0 or not 0 < share < 1:
        return 0.0
    sd = math.sqrt(share * (1 - share) * (1 / everyone[0] + 1 / everyone[1]))
    return (bad[0] / everyone[0] - bad[1] / everyone[1]) / sd


PEERS: dict[str, Rule] = {
    "Argo, SLO, failureLimit 1": argo(1, tight=False),
    "Argo, SLO, failureLimit 3": argo(3, tight=False),
    "Argo, tight, failureLimit 1": argo(1, tight=True),
    "Argo, tight, failureLimit 3": argo(3, tight=True),
    "Flagger, threshold 5": flagger(5),
    "Kayenta, once at 60 min": kayenta(every=3600),
    "Kayenta, every 10 min": kayenta(every=600),
    "Kayenta, every 10 min, effect 1.2": kayenta(every=600, effect=1.2),
    "z-test at every scrape": z_test,
}
