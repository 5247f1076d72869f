"""What New Relic's complaints mean. NerdGraph answers HTTP 200 even when it says no: what is wrong is in `errors`."""

from collections.abc import Sequence
from typing import Any, NoReturn

import httpx

from bot.adapters.metrics_http import Told, short, words
from bot.adapters.retry_after import retry_after
from bot.domain.errors import RefusedError, UnreachableError, UnreadableError

PASSING = ("TIMEOUT", "SERVER_ERROR", "SERVICE_UNAVAILABLE", "TOO_MANY_REQUESTS", "RATE_LIMIT")
"""Error classes after which the same query may be answered."""

PASSING_WORDS = ("rate limit", "too many", "timed out", "timeout", "exceeded the set", "try again")
KEYS = ("UNAUTHORIZED", "FORBIDDEN", "ACCESS_DENIED", "NOT_AUTHORIZED", "UNAUTHENTICATED")
CHECK = "check that it is a user key, that it may see the account, and the region"


def complain(called: str, errors: object, asked: str) -> NoReturn:
    """Raises what the `errors` of an answer mean."""
    found = [one for one in errors if isinstance(one, dict)] if isinstance(errors, Sequence) else []
    classes = {_class(one) for one in found} - {""}
    said = words("; ".join(str(one.get("message") or "") for one in found) or errors)
    told = f"({', '.join(sorted(classes))}: {said})" if classes else f"({said})"
    if any(word in one for one in classes for word in PASSING) or any(word in said.lower() for word in PASSING_WORDS):
        raise UnreachableError(f"{called} did not answer {told}; asked for {short(asked)}")
    if any(word in one for one in classes for word in KEYS) or "api key" in said.lower():
        raise RefusedError(f"{called} does not take the API key {told}; {CHECK}; asked for {short(asked)}")
    raise RefusedError(f"{called} does not take the query {told}; asked for {short(asked)}")


def complain_of_status(called: str, told: Told, asked: str) -> NoReturn:
    """Raises what a status other than 2xx means."""
    status = told.status
    said = f"HTTP {status}: {words(told.text)}" if told.body else f"HTTP {status}"
    if told.busy:
        wait = retry_after(told.headers.get("Retry-After"))
        raise UnreachableError(f"{called} answered {said}; asked for {short(asked)}", retry_after=wait)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise RefusedError(f"{called} does not take the API key ({said}); {CHECK}; asked for {short(asked)}")
    raise UnreadableError(f"{called} has no NerdGraph at its address ({said}); asked for {short(asked)}")


def _class(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    found = extensions.get("errorClass") or extensions.get("code") if isinstance(extensions, dict) else ""
    return str(found or "").upper()
