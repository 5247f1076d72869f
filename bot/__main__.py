"""`python -m bot` is `sluice`."""

import sys

REHEARSALS = frozenset({"sandbox", "simulate"})
"""Commands that bring a world of their own. Only they, and the help that lists them, load it: a process that serves
never does."""

INTERRUPTED = 130


def main() -> None:
    """The entry point of `sluice`."""
    try:
        from bot.cli import app

        asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
        if asked is None or asked in REHEARSALS:
            from bot.sandbox.cli import add

            add(app)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    app()


if __name__ == "__main__":
    main()
