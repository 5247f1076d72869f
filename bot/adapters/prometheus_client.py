"""Requests to the query API of Prometheus and its kin: login, deadline, size limit, translated errors.

The API is that of prometheus.io/docs/prometheus/latest/querying/api; Thanos, Mimir, VictoriaMetrics and Grafana's proxy
speak it too.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import httpx

from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.adapters.metrics_http import DEADLINE, TOLD, Ask, MetricsHttp, Told, short, unreadable, words
from bot.adapters.opened import Opened
from bot.adapters.retry_after import retry_after
from bot.adapters.secret_source import HttpLogin
from bot.domain.errors import RefusedError, SetupError, UnreachableError, UnreadableError

ADVICE = "PromQL info:"
"""Begins what says nothing against an answer, such as that the name of a counter is unusual. It has a list of its own
since Prometheus 3 (`infos`); before, and in Thanos, it stands among the warnings (util/annotations/annotations.go)."""

AWAY_TOLD = 60
"""Characters of a query that are told of a server that is away or has too much to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and how to speak with it. `called` names it to people; `url` is what stands before
    `/api/v1`; `ca_file` holds the certificates to trust besides those of the system."""

    called: str
    url: str
    login: HttpLogin = field(default_factory=HttpLogin)
    ca_file: Path | None = None
    deadline: timedelta = DEADLINE


class PrometheusClient(Opened):
    """Used inside `async with`."""

    def __init__(self, server: Server, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server = server
        verify = _trust(server) if server.ca_file else True
        self._http = MetricsHttp(server.called, server.deadline, verify=verify, transport=transport)
        super().__init__(self._http)

    async def over(self, query: str, first: Milliseconds, last: Milliseconds, step: Milliseconds) -> Answer:
        """A query at every `step` from `first` to `last`, both included. Raises as `Metrics` says."""
        window = {"start": _seconds(first), "end": _seconds(last), "step": _seconds(step)}
        return await self._ask("query_range", query, window)

    async def at(self, query: str, moment: Milliseconds) -> Answer:
        """A query at one moment. Raises as `Metrics` says."""
        return await self._ask("query", query, {"time": _seconds(moment)})

    async def metric_names(self) -> tuple[str, ...]:
        """The names of all metrics there are."""
        told = await self._send("GET", "label/__name__/values", {}, "the names of metrics")
        found = self._envelope(told, "the names of metrics").get("data")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()

    async def _ask(self, what: str, query: str, when: Mapping[str, str]) -> Answer:
        form = {"query": query, "timeout": f"{self._server.deadline.total_seconds():g}", **when}
        told = await self._send("POST", what, form, query)
        envelope = self._envelope(told, query)
        try:
            series = tuple(_series(one) for one in envelope["data"]["result"])
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise unreadable(self._server.called, "an answer without series", told, query) from exc
        warnings = [said for said in map(str, envelope.get("warnings") or ()) if not said.startswith(ADVICE)]
        if envelope.get("isPartial") is True:  # VictoriaMetrics, when a storage node is away
            warnings.append("the answer is partial")
        return Answer(series, tuple(warnings))

    async def _send(self, method: str, what: str, form: Mapping[str, str], query: str) -> Told:
        url = f"{self._server.url.rstrip('/')}/api/v1/{what}"
        told = await self._http.send(Ask(method, url, query, headers=self._server.login.headers(), form=form or None))
        if not told.ok:
            self._complain(told, query)
        return told

    def _complain(self, told: Told, query: str) -> NoReturn:
        """Raises what the status means, with the server's own words."""
        status, called, asked = told.status, self._server.called, f"asked for {short(query)}"
        said = f"HTTP {status}: {_words(told)}" if _words(told) else f"HTTP {status}"
        if told.busy:
            wait = retry_after(told.headers.get("Retry-After"))
            about = (
                f"asked for {short(query, AWAY_TOLD)}"  # everybody reads it, and most often it is not the query's fault
            )
            raise UnreachableError(f"{called} answered {said}; {about}", retry_after=wait)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(f"{called} does not let Sluice in ({said}); check its token or password; {asked}")
        if httpx.codes.is_redirect(status):
            target = told.headers.get("Location", "")[:TOLD]
            raise RefusedError(f"{called} sends Sluice on to '{target}', perhaps to log in; check its url and token")
        if status == httpx.codes.NOT_FOUND:
            raise UnreadableError(f"{called} has no query API at its url ({said}); {asked}")
        raise RefusedError(f"{called} does not take the query ({said}); {asked}")

    def _envelope(self, told: Told, query: str) -> dict[str, Any]:
        found = told.json(self._server.called, query)
        if not isinstance(found, dict) or found.get("status") != "success":
            raise unreadable(self._server.called, "no success", told, query)
        return found


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


def _words(told: Told) -> str:
    """What the server says itself: Prometheus calls it `error`, Grafana `message`; else the beginning of the text."""
    try:
        found = json.loads(told.body)
        return words(found.get("error") or found.get("message") or "")
    except (ValueError, AttributeError):
        return words(told.text)


def _seconds(moment: Milliseconds) -> str:
    return f"{moment / 1000:.3f}"
