"""The verdicts of a reference judge on small made-up canaries, as data: only kind, seed, verdict and index."""

import json
from pathlib import Path

from benchmarks.judge.speed import reference
from benchmarks.judge.streams import harmed, harmless, recording

HERE = Path(__file__).parents[2] / "tests" / "domain" / "judge" / "recorded"
SEEDS = (1, 2)


def main() -> None:
    """Write the reference's verdicts anew. Needs JUDGE_REFERENCE."""
    other = reference()
    if other is None:
        raise SystemExit("set JUDGE_REFERENCE to the Python file of the judge whose verdicts are to be recorded")
    HERE.mkdir(exist_ok=True)
    for name, kinds in {"harmless": harmless(), "harmed": harmed()}.items():
        found = [
            [kind.name, seed, *other.judge(recording(kind, seed), kind.config())] for kind in kinds for seed in SEEDS
        ]
        lines = ",\n".join(json.dumps(one) for one in found)
        (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n")
        print(f"{len(found)} verdicts on {name} canaries recorded")
