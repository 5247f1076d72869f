"""A canary of an hour, rehearsed: how long `sluice simulate` takes for it once it is loaded.

Two steps of at least half an hour each, looked at every 15 seconds, over the stand-ins and their protocols.
"""

import statistics
import time
from pathlib import Path

from bot import logs
from bot.sandbox.scenarios import Scenario
from bot.sandbox.simulate import USUAL, Asked, simulate
from bot.serving import settle_memory
from runbooks.configuration import load

ROUNDS = 5
HOUR_S = 3600
RUNBOOK = """
name: long
about: An hour of canary.
gates: [image]
steps:
  - approval
  - canary: {weight: 5%, judge: {for: 40m, least: 30m}}
  - canary: {weight: 50%, judge: {for: 40m, least: 30m}}
  - promote
  - smoke
on_failure: [restore, smoke]
"""


async def main(folder: Path) -> None:
    """Rehearse it some times, and print the median."""
    (folder / "own").mkdir()
    (folder / "own" / "long.yaml").write_text(RUNBOOK)
    (folder / "sluice.yaml").write_text(f"{USUAL}runbooks_dir: own\n")
    written = load(folder / "sluice.yaml")
    logs.setup("CRITICAL", json=False)
    settle_memory()
    took_s = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        (found,) = await simulate(written, Asked("long", (Scenario.HEALTHY,)))
        took_s.append(time.perf_counter() - begun)
        if not found.is_good or found.took_s < HOUR_S:
            raise RuntimeError(f"not an hour's canary that went well: {found.seen} after {found.took_s:.0f} s")
    print(f"an hour's canary: median {statistics.median(took_s):.1f} s ({min(took_s):.1f} to {max(took_s):.1f})")
