"""Requests to the query API of Prometheus and its kin: login, deadline, size limit, translated errors.

The API is that of prometheus.io/docs/prometheus/latest/querying/api; Thanos, Mimir, VictoriaMetrics and Grafana's proxy
speak it too.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.adapters.retry_after import retry_after
from bot.adapters.secret_source import HttpLogin
from bot.domain.errors import RefusedError, SetupError, UnreachableError, UnreadableError

DEADLINE = timedelta(seconds=10)
MOST_BYTES = 32 * 1024 * 1024
"""An hour of 15 s steps, 100 pods and 20 buckets is about 15 MB."""

TOLD = 300
"""How much of a query or of an answer an error tells."""

LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""A kept connection that the server had closed: worth one more try at once."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and how to speak with it. `called` names it to people; `url` is what stands before
    `/api/v1`; `ca_file` holds the certificates to trust besides those of the system."""

    called: str
    url: str
    login: HttpLogin = field(default_factory=HttpLogin)
    ca_file: Path | None = None
    deadline: timedelta = DEADLINE


class PrometheusClient:
    """Used inside `async with`."""

    def __init__(self, server: Server, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server = server
        self._deadline_s = server.deadline.total_seconds()
        # A redirect leads to a login page, never to an answer.
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=_trust(server) if server.ca_file else True,
            timeout=self._deadline_s,
            headers={"User-Agent": "sluice", "Accept": "application/json"},
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def over(self, query: str, first: Milliseconds, last: Milliseconds, step: Milliseconds) -> Answer:
        """A query at every `step` from `first` to `last`, both included. Raises as `Metrics` says."""
        window = {"start": _seconds(first), "end": _seconds(last), "step": _seconds(step)}
        return await self._ask("query_range", query, window)

    async def at(self, query: str, moment: Milliseconds) -> Answer:
        """A query at one moment. Raises as `Metrics` says."""
        return await self._ask("query", query, {"time": _seconds(moment)})

    async def metric_names(self) -> tuple[str, ...]:
        """The names of all metrics there are."""
        body = await self._send("GET", "label/__name__/values", {}, "the names of metrics")
        found = self._envelope(body, "the names of metrics").get("data")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()

    async def _ask(self, what: str, query: str, when: Mapping[str, str]) -> Answer:
        form = {"query": query, "timeout": f"{self._deadline_s:g}", **when}
        body = await self._send("POST", what, form, query)
        envelope = self._envelope(body, query)
        try:
            series = tuple(_series(one) for one in envelope["data"]["result"])
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise self._unreadable("an answer without series", body, query) from exc
        warnings = [str(warning) for warning in envelope.get("warnings") or ()]
        if envelope.get("isPartial") is True:  # VictoriaMetrics, when a storage node is away
            warnings.append("the answer is partial")
        return Answer(series, tuple(warnings))

    async def _send(self, method: str, what: str, form: Mapping[str, str], query: str) -> bytes:
        called = self._server.called
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await self._once(method, what, form, query)
                except LOST:
                    return await self._once(method, what, form, query)
        except (TimeoutError, httpx.TimeoutException) as exc:
            said = f"{called} did not answer within {self._deadline_s:g} s"
            raise UnreachableError(f"{said}; asked for {_short(query)}") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise UnreachableError(f"{called} cannot be reached: {exc}; asked for {_short(query)}") from exc

    async def _once(self, method: str, what: str, form: Mapping[str, str], query: str) -> bytes:
        url = f"{self._server.url.rstrip('/')}/api/v1/{what}"
        headers = self._server.login.headers()
        async with self._http.stream(method, url, data=dict(form) or None, headers=headers) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UnreadableError(f"{self._server.called} sends more than {MOST_BYTES:,} bytes for {query}")
            self._check(response, bytes(body), query)
            return bytes(body)

    def _check(self, response: httpx.Response, body: bytes, query: str) -> None:
        """Raises what the status means, with the server's own words."""
        if response.is_success:
            return
        status, called, asked = response.status_code, self._server.called, f"asked for {_short(query)}"
        said = f"HTTP {status}: {_words(body)}" if _words(body) else f"HTTP {status}"
        if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            wait = retry_after(response.headers.get("Retry-After"))
            raise UnreachableError(f"{called} answered {said}; {asked}", retry_after=wait)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(f"{called} does not let Sluice in ({said}); check its token or password; {asked}")
        if response.is_redirect:
            target = response.headers.get("Location", "")[:TOLD]
            raise RefusedError(f"{called} sends Sluice on to '{target}', perhaps to log in; check its url and token")
        if status == httpx.codes.NOT_FOUND:
            raise UnreadableError(f"{called} has no query API at its url ({said}); {asked}")
        raise RefusedError(f"{called} does not take the query ({said}); {asked}")

    def _envelope(self, body: bytes, query: str) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except ValueError as exc:
            raise self._unreadable("what is not JSON", body, query) from exc
        if not isinstance(found, dict) or found.get("status") != "success":
            raise self._unreadable("no success", body, query)
        return found

    def _unreadable(self, what: str, body: bytes, query: str) -> UnreadableError:
        words = body[:TOLD].decode(errors="replace")
        return UnreadableError(f"{self._server.called} sent {what}: {words}; asked for {_short(query)}")


def _trust(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(server.ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise SetupError(f"cannot read the certificates for {server.called} from {server.ca_file}: {exc}") from exc
    return context


def _series(found: Mapping[str, Any]) -> Series:
    pairs = found["values"] if "values" in found else [found["value"]]
    points = {round(float(at) * 1000): float(value) for at, value in pairs}
    return Series({str(key): str(value) for key, value in found["metric"].items()}, points)


def _words(body: bytes) -> str:
    """What the server says itself: Prometheus calls it `error`, Grafana `message`; else the beginning of the text."""
    try:
        found = json.loads(body)
        said = found.get("error") or found.get("message") or ""
    except (ValueError, AttributeError):
        said = body[:TOLD].decode(errors="replace")
    return " ".join(str(said).split())[:TOLD]


def _seconds(moment: Milliseconds) -> str:
    return f"{moment / 1000:.3f}"


def _short(query: str) -> str:
    return query if len(query) <= TOLD else f"{query[:TOLD]}…"
