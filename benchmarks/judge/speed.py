"""How long one scrape takes to be judged: a canary among 20 pods at 1,000 requests a second, beside another judge.

`JUDGE_REFERENCE` may name a Python file with a class `Judge(config)` that has `update(observation)`; it is then
measured in turn on the same scrapes, so that a noisy machine slows both. Times are the processor's.
"""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import thread_time
from types import ModuleType
from typing import Any

from benchmarks.judge.replay import observation_of, settings_of
from benchmarks.judge.streams import Kind, recording
from bot.domain.judge.judge import Judge

CANARIES = (
    Kind("1 canary pod of 20", 1000.0, 0.05, pods=19, canary_pods=1),
    Kind("10 canary pods of 20", 1000.0, 0.5, pods=10, canary_pods=10),
)
ROUNDS = 5
MIDDLE, REPEATS = 120, 200
"""The scrape at which a judge is restored, and how often that is measured."""


def reference() -> ModuleType | None:
    """The judge to compare with, from the file that JUDGE_REFERENCE names; `None` without one."""
    path = os.environ.get("JUDGE_REFERENCE", "")
    if not path:
        return None
    spec = importlib.util.spec_from_file_location("judge_reference", Path(path))
    if spec is None or spec.loader is None:
        raise SystemExit(f"JUDGE_REFERENCE={path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Print medians and 99th percentiles in ms; and what a restart between two scrapes costs."""
    other = reference()
    for kind in CANARIES:
        ours, theirs = _measured(kind, other)
        _show(f"{kind.name}: ours", ours)
        if theirs:
            _show(f"{kind.name}: reference", theirs)
            print(f"  ratio of medians {median(ours) / median(theirs):.3f}")
        _restarts(kind)


def _measured(kind: Kind, other: ModuleType | None) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    for seed in range(ROUNDS):
        recorded = recording(kind, seed)
        judge = Judge(settings_of(kind.config()))
        rival = other.Judge(kind.config()) if other else None
        for scrape in recorded:
            observation = observation_of(scrape)
            spent = _timed(judge.see, observation)
            spent_there = _timed(rival.update, scrape) if rival else 0.0
            if scrape["t"] > 0:
                ours.append(spent)
                theirs += [spent_there] if rival else []
    return ours, theirs


def _timed(act: Callable[[Any], object], on: object) -> float:
    """Milliseconds of the processor: what else the machine does is no part of it."""
    begun = thread_time()
    act(on)
    return (thread_time() - begun) * 1000


def _restarts(kind: Kind) -> None:
    """What a process that keeps no judges pays for a look: read the state, judge one scrape, write the state."""
    settings, seen = settings_of(kind.config()), [observation_of(scrape) for scrape in recording(kind, 0)]
    judge = Judge(settings)
    for each in seen[:MIDDLE]:
        judge.see(each)
    text = json.dumps(judge.state())

    def restart(text: str) -> str:
        return json.dumps(Judge.restored(settings, json.loads(text)).state())

    def look(text: str) -> str:
        restored = Judge.restored(settings, json.loads(text))
        restored.see(seen[MIDDLE])
        return json.dumps(restored.state())

    for name, act in {"restored and written down again": restart, "the same with a scrape judged": look}.items():
        spent = [_timed(act, text) for _ in range(REPEATS)]
        print(f"  state {len(text) / 1000:.1f} kB, {name} in {median(spent):.3f} ms")


def _show(name: str, spent: list[float]) -> None:
    ordered = sorted(spent)
    p99 = ordered[int(0.99 * len(ordered))]
    print(f"{name}: {len(ordered)} scrapes, median {median(ordered):.3f} ms, p99 {p99:.3f} ms")


if __name__ == "__main__":
    main()
