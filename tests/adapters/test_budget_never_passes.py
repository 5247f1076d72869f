"""Whatever a metrics server answers but the truth, the budget gate does not pass: the gate over the real client."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.metrics_http import MOST_BYTES
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.adapters.secret_source import HttpLogin
from bot.domain.errors import PermanentError, RefusedError, SluiceError, TemporaryError, UnreadableError
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from runbooks.gates.budget import BudgetGate
from runbooks.metrics_providers import ProviderEntry
from runbooks.signals import Signals, resolve
from tests.adapters.prometheus_server import PrometheusServer
from tests.builders import a_plan
from tests.contracts.canaries import PROMETHEUS, pod
from tests.fakes.clock import FakeClock
from tests.fakes.metrics import FakeProviders
from tests.runbooks.passes import Place

TOKEN = "t0ken-of-ours"
MINUTE = timedelta(minutes=1)
HOURS = 7
METRIC = "http_requests_total"
NOW = FakeClock().now()
CHUNK = b" " * (1024 * 1024)

Change = Callable[[PrometheusServer], None]


class Providers(FakeProviders):
    """The one client under test, by the name in the plan."""

    def __init__(self, metrics: PrometheusMetrics) -> None:
        self._metrics = metrics

    def get(self, name: str) -> Any:
        return self._metrics


@dataclass(frozen=True)
class Row:
    """What is wrong, what the gate makes of it (an outcome or an error), and what it says."""

    change: Change
    kind: type[object]
    said: str


def good(server: PrometheusServer, *, minutes: int = HOURS * 60, until: int = 0, **labels: str) -> None:
    """A pod's requests by the minute, none of which failed, up to `until` minutes ago."""
    for ago in range(minutes, until - 1, -1):
        server.add(
            METRIC, NOW - ago * MINUTE, 600.0 * (minutes - ago), **{"pod": pod("api", 0), "code": "200"} | labels
        )


def bad(server: PrometheusServer, *, each: float, minutes: int, until: int = 0) -> None:
    """So many failed each minute, from some time on; before that a few had failed already."""
    for ago in range(HOURS * 60, -1, -1):
        failed = 5.0 + each * max(0, min(minutes - ago, minutes - until))
        server.add(METRIC, NOW - ago * MINUTE, failed, pod=pod("api", 0), code="500")


def only(**how: Any) -> Change:
    """Nothing but this was counted."""

    def change(server: PrometheusServer) -> None:
        server.store.clear()
        good(server, **how)

    return change


def answers(status: int, **more: Any) -> Change:
    """The first answer is this one."""
    return lambda server: server.faults.append(httpx.Response(status, **more))


def breaks(error: Exception) -> Change:
    """No answer comes, however often it is asked for."""
    return lambda server: server.faults.extend([error, error])


def counts(value: str, *, within: str = "3600s") -> Change:
    """The sums over some window are this value."""

    def change(server: PrometheusServer) -> None:
        def rewrite(answer: httpx.Response) -> httpx.Response:
            asked = server.requests[-1].content.decode()
            if "increase" not in asked or f"%5B{within}" not in asked:
                return answer
            series = [{"metric": {"code": "200"}, "value": [NOW.timestamp(), value]}]
            return httpx.Response(200, json={"status": "success", "data": {"result": series}})

        server.rewrite = rewrite

    return change


def result(found: object, **more: object) -> Change:
    """Every answer has this result."""
    body = {"status": "success", "data": {"resultType": "vector", "result": found}, **more}
    return lambda server: setattr(server, "rewrite", lambda _: httpx.Response(200, json=body))


def endless(server: PrometheusServer) -> None:
    """The first answer does not end."""

    async def chunks() -> Any:
        for _ in range(MOST_BYTES // len(CHUNK) + 2):
            yield CHUNK

    server.faults.append(httpx.Response(200, content=chunks()))


def reset(server: PrometheusServer) -> None:
    """The counters began anew while failures went on, so that each looks lower than it was."""
    for ago in range(60, -1, -1):
        count = 60.0 * (60 - ago) if ago > 30 else 60.0 * (30 - ago)
        server.add(METRIC, NOW - ago * MINUTE, count, pod=pod("api", 1), code="503")


ROWS = {
    "down": Row(breaks(httpx.ConnectError("refused")), TemporaryError, "cannot be reached: refused"),
    "a time-out": Row(breaks(httpx.ReadTimeout("slow")), TemporaryError, "did not answer within 10 s"),
    "a connection lost": Row(breaks(httpx.ReadError("reset")), TemporaryError, "cannot be reached"),
    "401": Row(answers(401), RefusedError, "does not let Sluice in"),
    "403": Row(answers(403), RefusedError, "does not let Sluice in"),
    "a page to log in": Row(answers(302, headers={"Location": "/login"}), RefusedError, "sends Sluice on to '/login'"),
    "404": Row(answers(404), UnreadableError, "no query API"),
    "429": Row(answers(429, headers={"Retry-After": "7"}), TemporaryError, "HTTP 429"),
    "503": Row(answers(503), TemporaryError, "HTTP 503"),
    "too many samples": Row(
        answers(422, json={"status": "error", "error": "query processing would load too many samples into memory"}),
        RefusedError,
        "would load too many samples",
    ),
    "not JSON": Row(answers(200, text="<html>"), UnreadableError, "what is not JSON"),
    "an error as success": Row(answers(200, json={"status": "error"}), UnreadableError, "no success"),
    "no result": Row(answers(200, json={"status": "success", "data": {}}), UnreadableError, "without series"),
    "a word for a number": Row(
        result([{"metric": {}, "value": [1, "many"]}]), UnreadableError, "an answer without series"
    ),
    "without an end": Row(endless, UnreadableError, f"more than {MOST_BYTES:,} bytes"),
    "an empty result": Row(result([]), Pending, "there is no metric 'http_requests_total'"),
    "NaN": Row(counts("NaN"), UnreadableError, "counts nan requests"),
    "infinitely many": Row(counts("+Inf"), UnreadableError, "counts inf requests"),
    "negative": Row(counts("-12"), UnreadableError, "counts -12 requests"),
    "less in a longer time": Row(counts("5", within="86400s"), Pending, "less was counted in the last 1d than in 6h"),
    "no requests": Row(counts("0"), Pending, "less was counted in the last 1h|nobody has asked anything"),
    "never any requests": Row(counts("0", within=""), Pending, "nobody has asked anything"),
    "half an answer": Row(
        lambda server: server.warnings.append("store 3 is away"), Pending, "may not be whole: store 3 is away"
    ),
    "a part of an answer": Row(
        result([{"metric": {"code": "200"}, "value": [NOW.timestamp(), f"{NOW.timestamp()}"]}], isPartial=True),
        Pending,
        "the answer is partial",
    ),
    "stale by ten minutes": Row(only(until=10), Pending, "the newest sample of all pods is|there is no metric"),
    "stale by four minutes": Row(only(until=4), Pending, "the newest sample of all pods is 238 s old"),
    "gone for a day": Row(only(minutes=3000, until=1500), Pending, "check the labels|no series|there is no metric"),
    "of others": Row(only(pod="web-0"), Pending, "has no series whose pod is like"),
    "without a code": Row(only(code=""), Pending, "so failed requests cannot be told"),
    "ten minutes of it": Row(only(minutes=10), Pending, "requests are known of .*m.* only, of at least 1h"),
    "a counter that began anew": Row(reset, Failed, "burns .* times as fast"),
    "an outage": Row(
        lambda server: bad(server, each=60, minutes=60), Failed, r"burns .* over 1h, and .* over 5m \(at most 14.4\)"
    ),
    "spent, and over": Row(
        lambda server: bad(server, each=20, minutes=200, until=180), Failed, "no budget left, count"
    ),
}


def served() -> PrometheusServer:
    """Seven hours of a service that never failed."""
    server = PrometheusServer()
    good(server)
    return server


async def asked(server: PrometheusServer) -> Outcome | SluiceError:
    """What the gate says, as an outcome or an error."""
    written = Signals.model_validate({"interval": "60s", "labels": {"namespace": None}})
    provider = ProviderEntry.model_validate(PROMETHEUS.entry)
    queries = resolve(written, a_plan().workload, "main", provider)
    sealed = {"slo": {"availability": "99.9%", "window": "1d"}, "queries": queries.sealed()}
    place = Server("Prometheus main", "http://prometheus.test", login=HttpLogin(token=SecretStr(TOKEN)))
    async with PrometheusMetrics(place, transport=server) as metrics:
        try:
            return await BudgetGate(Providers(metrics)).reconcile(Place().context("budget", sealed))
        except SluiceError as exc:
            return exc


@pytest.mark.parametrize("name", ROWS)
async def test_it_does_not_pass(name: str) -> None:
    """Beside requests that were all good; and what is said of it never holds the token."""
    row, server = ROWS[name], served()
    row.change(server)
    outcome = await asked(server)
    assert not isinstance(outcome, Succeeded)
    assert isinstance(outcome, row.kind), outcome
    text = outcome.why if isinstance(outcome, Pending) else getattr(outcome, "reason", str(outcome))
    assert re.search(row.said, text), text
    assert TOKEN not in repr(outcome)
    assert isinstance(outcome, (Pending, Failed, TemporaryError, PermanentError))


async def test_the_truth_passes() -> None:
    """So that the rows above show what they seem to show; over what it was counted is said."""
    outcome = await asked(served())
    assert isinstance(outcome, Succeeded)
    assert re.fullmatch(r"100 % of the budget left, counted over 6h\d*m? of 1d", outcome.said), outcome.said


async def test_advice_is_no_warning() -> None:
    """Prometheus before 3 and Thanos say that a counter's name is unusual where others say what is missing."""
    server = served()
    server.warnings.append('PromQL info: metric might not be a counter: "envoy_cluster_upstream_rq" (1:20)')
    assert isinstance(await asked(server), Succeeded)


async def test_what_is_asked() -> None:
    """For each window how far data go back, and the sums by code, in the words of the server."""
    server = served()
    await asked(server)
    asked_for = [dict(httpx.QueryParams(request.content.decode())) for request in server.requests]
    pods = 'http_requests_total{pod=~"api-[b-df-hj-np-tv-xz2-9]{1,10}-[b-df-hj-np-tv-xz2-9]{5}"}'
    assert {form["query"] for form in asked_for} == {f"max(timestamp({pods}))"} | {
        f"sum by (code, status) (increase({pods}[{seconds}s]))" for seconds in (300, 1800, 3600, 21600, 86400)
    }
    assert len(asked_for) == 10
