"""`python -m benchmarks [NAME...]`, any of those in ALL; without names, all. `judge` has options."""

import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks import ack, canary, crowd, deploy, gates, rehearsal
from benchmarks.judge import command

ALL = {
    "canary": canary.main,
    "crowd": crowd.main,
    "deploy": deploy.main,
    "gates": gates.main,
    "rehearsal": rehearsal.main,
    "ack": ack.main,
    "judge": command.main,
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, one after the other."""
    if names[:1] == ["judge"]:
        command.run(names[1:])
        return
    for name in names or list(ALL):
        print(f"== {name}")
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(ALL[name](Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
