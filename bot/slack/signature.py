"""Only Slack may speak to us: requests are signed with a shared secret and no older than five minutes."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.request.internals import parse_body
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock as EpochClock
from slack_sdk.signature import SignatureVerifier

from bot import logs
from bot.ports.clock import Clock

LONGEST_STAMP = 15
"""Digits of a request's time, in seconds since the epoch."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logs.get(__name__)


class SignedOnly(AsyncMiddleware):
    """Turns away what Slack did not sign. Bolt's own check logs signatures and bodies, and knows no clock but its own.

    Payloads from a socket need no signature: the socket itself was opened with a token. Without a secret, every HTTP
    request is turned away.
    """

    def __init__(self, signing_secret: str | None, *, clock: Clock) -> None:
        self._verifier = SignatureVerifier(signing_secret, clock=_Epoch(clock)) if signing_secret else None

    def before(self, handler: Handler) -> Handler:
        """The same door before a whole handler: 401 for what is not signed, 400 for what is signed and no payload.

        Bolt reads the body before it asks anybody, and fails over one that cannot be read.
        """

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

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse | None:
        """Pass on what is signed; 401 for everything else."""
        if req.mode == "socket_mode" or self._is_signed(req):
            return await next()
        log.warning("request with a missing, wrong or old signature turned away")
        return BoltResponse(status=401, body="")

    def _is_signed(self, req: AsyncBoltRequest) -> bool:
        stamp = next(iter(req.headers.get("x-slack-request-timestamp", ())), "")
        signature = next(iter(req.headers.get("x-slack-signature", ())), "")
        return self._is_valid(req.raw_body, stamp, signature)

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
