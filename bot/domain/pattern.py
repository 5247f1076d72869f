"""Patterns for identities and addresses, in which a `*` never reaches beyond its own part."""

import re

PIECES = re.compile(r"(\*\*|\*)")
MEANINGS = {"**": ".*", "*": "[^/@]*"}


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says: `*` stands for anything but `/` and `@`, `**` for anything, and
    everything else for itself, in this very case. `https://github.com/acme/*` is not `https://github.com/acme.evil/x`.
    """
    return re.fullmatch("".join(MEANINGS.get(one, re.escape(one)) for one in PIECES.split(pattern)), text) is not None
