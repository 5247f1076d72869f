"""`Prober` over HTTP."""

import asyncio
import json
from datetime import timedelta

import httpx

from bot.adapters.opened import Opened
from bot.domain.errors import PermanentError, UnreachableError
from bot.domain.json import Json
from bot.ports.probe import ProbeAnswer, ProbeRequest

TEXT_LENGTH = 2_000
MOST_BYTES = 1024 * 1024
"""A smoke test looks at an answer, it does not download one: beyond this the rest is not read, and it is not JSON."""

MOST_REDIRECTS = 5


class HttpProber(Opened):
    """Used inside `async with`. Redirects on the same host are followed, others are the answer themselves."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        # Each probe brings its own deadline, which covers everything.
        self._http = httpx.AsyncClient(transport=transport, timeout=None, headers={"User-Agent": "sluice-smoke"})
        super().__init__(self._http)

    async def send(self, request: ProbeRequest) -> ProbeAnswer:
        """See `Prober`. Raises PermanentError for an address that is none."""
        deadline_s = request.deadline.total_seconds()
        try:
            async with asyncio.timeout(deadline_s):
                return await self._followed(request)
        except TimeoutError as exc:
            raise UnreachableError(f"no answer within {deadline_s:g} s") from exc
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
            raise PermanentError(f"not an address that can be asked: {exc}") from exc
        except httpx.HTTPError as exc:
            raise UnreachableError(f"cannot be reached: {exc}") from exc

    async def _followed(self, request: ProbeRequest) -> ProbeAnswer:
        body = None if request.body is None else json.dumps(request.body).encode()
        headers = dict(request.headers) | ({"Content-Type": "application/json"} if body is not None else {})
        wanted = self._http.build_request(request.method, request.url, headers=headers, content=body)
        clock = asyncio.get_running_loop().time
        began = clock()
        for _ in range(MOST_REDIRECTS):
            response = await self._http.send(wanted, stream=True)
            try:
                content = await _beginning(response)
            finally:
                await response.aclose()
            following = response.next_request
            if following is None or _origin(following.url) != _origin(wanted.url):
                return _answer(response, content, timedelta(seconds=clock() - began))
            wanted = following
        raise PermanentError(f"redirects more than {MOST_REDIRECTS} times")


async def _beginning(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            break
    return bytes(body)


def _answer(response: httpx.Response, content: bytes, elapsed: timedelta) -> ProbeAnswer:
    text = content.decode(response.encoding or "utf-8", "replace")
    return ProbeAnswer(response.status_code, elapsed, text[:TEXT_LENGTH], _parsed(content))


def _parsed(content: bytes) -> Json:
    if len(content) > MOST_BYTES:
        return None
    try:
        found: Json = json.loads(content)
    except ValueError:
        return None
    return found


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
