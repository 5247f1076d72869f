"""`python -m benchmarks judge [--streams N] [--seed N] [--record]`."""

from argparse import ArgumentParser
from pathlib import Path

from benchmarks.judge import recorded, speed, table


async def main(_folder: Path) -> None:
    """With the presets: speed, and the tables for a few canaries of each kind."""
    run([])


def run(words: list[str]) -> None:
    """What the words ask for."""
    parser = ArgumentParser(prog="python -m benchmarks judge", description=__doc__)
    parser.add_argument("--streams", type=int, default=10, help="made-up canaries of each kind (10)")
    parser.add_argument("--seed", type=int, default=1000, help="the first one's seed (1000)")
    parser.add_argument("--record", action="store_true", help="only write the verdicts of JUDGE_REFERENCE anew")
    asked = parser.parse_args(words)
    if asked.record:
        recorded.main()
        return
    speed.main()
    table.main(asked.streams, asked.seed)
