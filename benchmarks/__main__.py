"""`python -m benchmarks [ack] [deploy]`: without names, all."""

import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks import ack, deploy

ALL = {"deploy": deploy.main, "ack": ack.main}


def main(names: list[str]) -> None:
    """Run the named benchmarks, one after the other."""
    for name in names or list(ALL):
        print(f"== {name}")
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(ALL[name](Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
