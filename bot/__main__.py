"""`python -m bot` is `sluice`."""

import sys

from bot.cli import app

REHEARSALS = frozenset({"sandbox", "simulate"})
"""Commands that bring a world of their own. Only they, and the help that lists them, load it: a process that serves
never does."""


def main() -> None:
    """The entry point of `sluice`."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    if asked is None or asked in REHEARSALS:
        from bot.sandbox.cli import add

        add(app)
    app()


if __name__ == "__main__":
    main()
