"""Only Slack may speak to us: requests are signed with a shared secret and no older than five minutes."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from slack_bolt.request.internals import parse_body
from slack_sdk.signature import Clock as EpochClock
from slack_sdk.signature import SignatureVerifier

from bot import logs
from bot.ports.clock import Clock

LONGEST_STAMP = 15
"""Digits of a request's time, in seconds since the epoch."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logs.get(__name__)


class SignedOnly:
    """The door before the app: turns away what Slack did not sign, and everything where there is no secret.

    Bolt's own check logs signatures and bodies, knows no clock but its own, and comes after Bolt has read the body and
    failed over one that cannot be read. Payloads from a socket need no door: a token opened the socket.
    """

    def __init__(self, signing_secret: str | None, *, clock: Clock) -> None:
        self._verifier = SignatureVerifier(signing_secret, clock=_Epoch(clock)) if signing_secret else None

    def before(self, handler: Handler) -> Handler:
        """A handler with this door: 401 for what is not signed, 400 for what is signed and no payload."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            stamp = request.headers.get("x-slack-request-timestamp", "")
            text = _text(await request.read())
            if text is None or not self._is_valid(text, stamp, request.headers.get("x-slack-signature", "")):
                log.warning("request with a missing, wrong or old signature turned away")
                return web.Response(status=401)
            if not _is_payload(text, request.content_type):
                log.warning("signed request without a payload turned away")
                return web.Response(status=400)
            return await handler(request)

        return guarded

    def _is_valid(self, body: str, stamp: str, signature: str) -> bool:
        # What Slack never sends could not even be compared: another alphabet, a time beyond all time.
        written_by_slack = stamp.isascii() and stamp.isdecimal() and len(stamp) <= LONGEST_STAMP and signature.isascii()
        if self._verifier is None or not written_by_slack:
            return False
        return self._verifier.is_valid(body, stamp, signature)


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None  # Slack writes UTF-8: this is not its own


def _is_payload(body: str, content_type: str) -> bool:
    try:
        return isinstance(parse_body(body, content_type), dict)
    except (ValueError, RecursionError):
        return False


class _Epoch(EpochClock):
    """Our clock as the verifier reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()
