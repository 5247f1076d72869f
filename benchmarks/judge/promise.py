"""Does the promise hold in every kind? False rollbacks of the product's judge, kind by kind, with their bounds."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing import Pool
from statistics import median

from benchmarks.judge.replay import judge
from benchmarks.judge.streams import HORIZON, Kind, recording

SURE = 0.95
"""How sure the bound on the share of false rollbacks is, one-sided."""

Ended = tuple[str, float]
"""Verdict, and seconds since the canary's first traffic."""


def main(kinds: Sequence[Kind], seeds: Iterable[int], *, whole_hour: bool, processes: int) -> None:
    """Print a line for each kind as soon as it is done. With `whole_hour` nothing is promoted early, so that every
    canary is looked at for the hour: the hardest reading of the promise."""
    print(
        "\n| harmless kind | rolled back | at most (95 %) | promoted | median time to promote |\n|---|---|---|---|---|"
    )
    every: list[list[Ended]] = []
    with Pool(processes) as pool:
        for kind in kinds:
            asked = replace(kind, min_bake=HORIZON) if whole_hour else kind
            every.append(pool.starmap(_ended, [(asked, seed) for seed in seeds], chunksize=8))
            print(_line(kind.name, every[-1]), flush=True)
    print(_line("all", [one for found in every for one in found]))


def _ended(kind: Kind, seed: int) -> Ended:
    recorded = recording(kind, seed)
    verdict, index = judge(recorded, kind.config())
    return verdict, recorded[index]["t"]


def _line(name: str, found: Sequence[Ended]) -> str:
    bad = sum(verdict == "FAIL" for verdict, _ in found)
    times = [at for verdict, at in found if verdict == "PASS"]
    when = f"{median(times):.0f} s" if times else "-"
    return (
        f"| {name} | {bad} of {len(found)} | {upper_bound(bad, len(found)):.2%} "
        f"| {len(times) / len(found):.1%} | {when} |"
    )


def upper_bound(seen: int, tries: int) -> float:
    """The largest share at which so few would still be seen once in twenty times (Clopper and Pearson, one-sided)."""
    low, high = seen / tries, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        logs = [_log_probability(number, tries, middle) for number in range(seen + 1)]
        low, high = (middle, high) if math.fsum(map(math.exp, logs)) > 1 - SURE else (low, middle)
    return high


def _log_probability(seen: int, tries: int, share: float) -> float:
    ways = math.lgamma(tries + 1) - math.lgamma(seen + 1) - math.lgamma(tries - seen + 1)
    return ways + seen * math.log(share) + (tries - seen) * math.log1p(-share)
