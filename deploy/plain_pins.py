"""Pins `name` beside each `name[extra]` of requirement files, with the same hashes.

Older pips (23, which come with Python 3.11) take a pin of `name[extra]` for none of `name`, which other packages ask
for, and refuse to install. `python deploy/plain_pins.py FILE...` changes the files in place; safe to repeat.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"(?m)^(?=[A-Za-z0-9])")
"""Where a requirement begins; its hashes and comments are indented."""

EXTRA = re.compile(r"^([A-Za-z0-9._-]+)\[[^\]]+\](==\S+)")


def pinned(text: str) -> str:
    """The same requirements, and the plain ones that are missing before those with extras."""
    found = []
    for block in BLOCK.split(text):
        extra = EXTRA.match(block)
        if extra and not re.search(rf"(?m)^{re.escape(extra[1])}{re.escape(extra[2])}", text):
            found.append(EXTRA.sub(r"\1\2", block))
        found.append(block)
    return "".join(found)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(pinned(Path(name).read_text()))
