"""The `Retry-After` header (RFC 9110, section 10.2.3)."""

from datetime import timedelta

LONGEST = timedelta(minutes=5)
"""A server that asks for more is asked again earlier: a run must not stand still for a mistaken header."""


def retry_after(header: str | None) -> timedelta | None:
    """How long the server wants us to wait, at most `LONGEST`.

    `None` without a header, and for the date form: comparing a server's date with our clock says little.
    """
    if header is None or not header.strip().isdecimal():
        return None
    return min(timedelta(seconds=int(header.strip()[:9])), LONGEST)
