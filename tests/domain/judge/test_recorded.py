"""The judge against its definition: the same verdict at the same scrape, on canaries made up from seeds.

`recorded/harmless.json` and `recorded/harmed.json` hold kind, seed, verdict and index of the observation that decided,
as a reference implementation of the definition gave them (`python -m benchmarks judge --record`). The canaries
themselves are made anew.

In two things the judge means to be better than the definition. `recorded/differences.json` names each canary that it
judges otherwise for that, what it says, and why:

- `earlier`: the baseline's pods are compared with one another, in latency, from before the canary has traffic. The
  definition begins with the canary, so it knows too little of what is usual when it judges the first scrapes.
- `tolls`: bets on latency pay what they would win against the baseline's own pods (`bot/domain/judge/tolls.py`). The
  definition divides by the scatter of the pods, which keeps clumps from being evidence only where they are many.
- `both`: neither alone gives this verdict.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.judge.replay import judge
from benchmarks.judge.streams import harmed, harmless, recording

HERE = Path(__file__).parent / "recorded"
KINDS = {kind.name: kind for kind in (*harmless(), *harmed())}


def _recorded(name: str) -> list[tuple[Any, ...]]:
    return [tuple(one) for one in json.loads((HERE / f"{name}.json").read_text())]


RECORDED = [*_recorded("harmless"), *_recorded("harmed")]
DEFINED = {(kind, seed): (verdict, index) for kind, seed, verdict, index in RECORDED}
DIFFERENT = {(kind, seed): (verdict, index) for kind, seed, verdict, index, _ in _recorded("differences")}


def test_all_kinds_are_recorded() -> None:
    """A kind that is added is recorded too; there are at least 200 canaries."""
    assert {kind for kind, *_ in RECORDED} == set(KINDS)
    assert len(RECORDED) >= 200
    assert {verdict for _, _, verdict, _ in RECORDED} == {"FAIL", "PASS", "INCONCLUSIVE"}


@pytest.mark.parametrize("part", range(6))
def test_verdict_and_time_are_those_of_the_definition(part: int) -> None:
    """Not one differs but for those that are named."""
    asked = [*DEFINED][part::6]
    found = {(kind, seed): judge(recording(KINDS[kind], seed), KINDS[kind].config()) for kind, seed in asked}
    assert found == {one: DIFFERENT.get(one, DEFINED[one]) for one in asked}


def test_what_differs_from_the_definition_is_no_worse() -> None:
    """No harmless canary is blamed, no harmed one caught later; and all do differ, for a reason that is known."""
    assert {why for *_, why in _recorded("differences")} <= {"earlier", "tolls", "both"}
    for one, (verdict, index) in DIFFERENT.items():
        defined, defined_index = DEFINED[one]
        assert (verdict, index) != (defined, defined_index)
        if one[0] in {kind.name for kind in harmless()}:
            assert verdict == "PASS"
        else:
            assert (verdict, defined) == ("FAIL", "FAIL")
            assert index < defined_index
