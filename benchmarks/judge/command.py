"""`python -m benchmarks judge [--streams N] [--seed N] [--only WORDS] [--promise [--whole-hour]] [--record]`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from benchmarks.judge import promise, recorded, speed, table
from benchmarks.judge.streams import Kind, harmed, harmless


async def main(_folder: Path) -> None:
    """With the presets: speed, and the tables for a few canaries of each kind."""
    run([])


def run(words: list[str]) -> None:
    """What the words ask for."""
    asked = _asked(words)
    seeds = range(asked.seed, asked.seed + asked.streams)
    if asked.record:
        recorded.main()
    elif asked.promise:
        kinds = _only(harmless(), asked.only)
        promise.main(kinds, seeds, whole_hour=asked.whole_hour, processes=asked.processes)
    elif asked.speed:
        speed.main()
    else:
        if not asked.only:
            speed.main()
        table.main(_only(harmless(), asked.only), _only(harmed(), asked.only), seeds, asked.processes)


def _asked(words: list[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks judge", description=__doc__)
    parser.add_argument("--streams", type=int, default=10, help="made-up canaries of each kind (10)")
    parser.add_argument("--seed", type=int, default=1000, help="the first one's seed (1000)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only kinds with these words in their name")
    parser.add_argument("--processes", type=int, default=2, help="processes that share the work (2)")
    parser.add_argument("--promise", action="store_true", help="only this judge on harmless canaries, kind by kind")
    parser.add_argument("--whole-hour", action="store_true", help="with --promise: promote nobody before the hour")
    parser.add_argument("--speed", action="store_true", help="only the time a scrape takes")
    parser.add_argument("--record", action="store_true", help="only write the verdicts of JUDGE_REFERENCE anew")
    return parser.parse_args(words)


def _only(kinds: Sequence[Kind], words: str) -> list[Kind]:
    return [kind for kind in kinds if words in kind.name]
