"""The judge against its definition: the same verdict at the same scrape, on canaries made up from seeds.

`recorded/*.json` holds kind, seed, verdict and index of the observation that decided, as a reference implementation of
the definition gave them (`python -m benchmarks judge --record`). The canaries themselves are made anew.
"""

import json
from pathlib import Path

import pytest

from benchmarks.judge.replay import judge
from benchmarks.judge.streams import harmed, harmless, recording

HERE = Path(__file__).parent / "recorded"
KINDS = {kind.name: kind for kind in (*harmless(), *harmed())}
RECORDED = [tuple(one) for name in ("harmless", "harmed") for one in json.loads((HERE / f"{name}.json").read_text())]


def test_all_kinds_are_recorded() -> None:
    """A kind that is added is recorded too; there are at least 200 canaries."""
    assert {kind for kind, *_ in RECORDED} == set(KINDS)
    assert len(RECORDED) >= 200
    assert {verdict for _, _, verdict, _ in RECORDED} == {"FAIL", "PASS", "INCONCLUSIVE"}


@pytest.mark.parametrize("part", range(6))
def test_verdict_and_time_are_those_of_the_definition(part: int) -> None:
    """Not one differs."""
    found = [
        (kind, seed, *judge(recording(KINDS[kind], seed), KINDS[kind].config())) for kind, seed, *_ in RECORDED[part::6]
    ]
    assert found == RECORDED[part::6]
