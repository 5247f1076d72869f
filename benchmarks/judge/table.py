"""The judge beside others on made-up canaries: false rollbacks, time to promote, delay, what was missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from multiprocessing import Pool
from statistics import fmean, median

from benchmarks.judge.peers import PEERS, points
from benchmarks.judge.replay import judge
from benchmarks.judge.streams import Kind, recording
from bot.domain.judge.samples import ALL

OURS = "this judge"
RULES = (OURS, *PEERS)


@dataclass(frozen=True, slots=True)
class Ending:
    """How one rule ended one canary: verdict, seconds since its first traffic, and requests the canary served until
    then after its harm began."""

    kind: Kind
    rule: str
    verdict: str
    at: float
    served: float


def endings(kinds: Sequence[Kind], seeds: Iterable[int], processes: int) -> list[Ending]:
    """Every rule on every canary."""
    canaries = [(kind, seed) for kind in kinds for seed in seeds]
    with Pool(processes) as pool:
        return [one for found in pool.imap(_endings, canaries, chunksize=8) for one in found]


def _endings(canary: tuple[Kind, int]) -> list[Ending]:
    kind, seed = canary
    recorded, config = recording(kind, seed), kind.config()
    seen = points(recorded, config)
    decisions = {OURS: judge(recorded, config)} | {name: rule(seen) for name, rule in PEERS.items()}
    harmed_from = sum(at <= max(0.0, kind.harm.begins) for at in seen.at)
    return [
        Ending(kind, rule, verdict, seen.at[index], float(seen.canary[harmed_from : index + 1, ALL].sum()))
        for rule, (verdict, index) in decisions.items()
    ]


def main(healthy: Sequence[Kind], bad: Sequence[Kind], seeds: Iterable[int], processes: int) -> None:
    """Print the tables for the canaries of these kinds."""
    if healthy:
        show_harmless(endings(healthy, seeds, processes))
    if bad:
        found = endings(bad, seeds, processes)
        show_ours(found)
        show_regressions(found)
        show_harmed(found)


def show_harmless(found: Sequence[Ending]) -> None:
    """False rollbacks: in the worst kind and on average; and when half of the healthy canaries were promoted."""
    print("\n| rule | worst kind | mean | median time to promote |\n|---|---|---|---|")
    for rule in RULES:
        mine = [one for one in found if one.rule == rule]
        shares = {
            kind: _share([one for one in mine if one.kind == kind], "FAIL") for kind in {one.kind for one in mine}
        }
        worst = max(shares, key=lambda kind: shares[kind])
        times = [one.at for one in mine if one.verdict == "PASS"]
        told = f"{median(times):.0f} s" if times else "-"
        told += f" ({_share(mine, 'PASS'):.0%} were)"
        name = f" ({worst.name})" if shares[worst] else ""
        print(f"| {rule} | {shares[worst]:.1%}{name} | {fmean(shares.values()):.2%} | {told} |")


def show_harmed(found: Sequence[Ending]) -> None:
    """All regressions together. What is neither caught nor promoted stays undecided and goes to people."""
    print("\n| rule | caught | promoted though bad | median delay | median requests harmed |\n|---|---|---|---|---|")
    for rule in RULES:
        mine = [one for one in found if one.rule == rule]
        caught = [one for one in mine if _is_caught(one)]
        delay = f"{median(_delay(one) for one in caught):.0f} s" if caught else "-"
        served = median(one.served for one in mine)
        print(f"| {rule} | {len(caught) / len(mine):.1%} | {_share(mine, 'PASS'):.1%} | {delay} | {served:,.0f} |")


def show_ours(found: Sequence[Ending]) -> None:
    """This judge on each regression: what it caught and let pass, how soon, and how many requests served by the canary
    that cost. The rest is undecided."""
    titles = ("caught", "promoted", "undecided", "median delay", "90 % of delays within", "median requests harmed")
    print(f"\n| regression | {' | '.join(titles)} |\n|---|{'---|' * len(titles)}")
    for kind, all_of_kind in groupby((one for one in found if one.rule == OURS), key=lambda one: one.kind):
        mine = list(all_of_kind)
        caught = [one for one in mine if _is_caught(one)]
        passed = _share(mine, "PASS")
        delays = sorted(_delay(one) for one in caught)
        told = f"{median(delays):.0f} s | {delays[ceil(0.9 * len(delays)) - 1]:.0f} s" if delays else "- | -"
        served = f"{median(one.served for one in caught):,.0f}" if caught else "-"
        share = len(caught) / len(mine)
        print(f"| {kind.name} | {share:.1%} | {passed:.1%} | {1 - share - passed:.1%} | {told} | {served} |")


def show_regressions(found: Sequence[Ending]) -> None:
    """Each regression: median delay of those that were caught, and the share of those that were not."""
    rules = (OURS, "Argo, SLO, failureLimit 3", "Flagger, threshold 5", "Kayenta, every 10 min, effect 1.2")
    print(f"\n| regression | {' | '.join(rules)} |\n|---|{'---|' * len(rules)}")
    for kind, all_rules in groupby(found, key=lambda one: one.kind):
        group = list(all_rules)
        cells = [_cell([one for one in group if one.rule == rule]) for rule in rules]
        print(f"| {kind.name} | {' | '.join(cells)} |")


def _cell(group: Sequence[Ending]) -> str:
    caught = [one for one in group if _is_caught(one)]
    missed = 1 - len(caught) / len(group)
    delay = f"{median(_delay(one) for one in caught):.0f} s" if caught else ""
    return f"{delay} ({missed:.0%} missed)" if missed and delay else delay or "missed"


def _is_caught(one: Ending) -> bool:
    return one.verdict == "FAIL" and one.at > one.kind.harm.begins


def _delay(one: Ending) -> float:
    return one.at - max(0.0, one.kind.harm.begins)


def _share(group: Sequence[Ending], verdict: str) -> float:
    return sum(one.verdict == verdict for one in group) / len(group) if group else 0.0
