"""What Datadog is asked, and what becomes of its odd answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters import datadog
from bot.adapters.datadog import DatadogMetrics
from bot.adapters.metrics_http import MOST_BYTES
from bot.domain.errors import RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import CPU, ERRORS, LATENCY, LackKind
from tests.adapters.counting_world import CANARY, DATADOG_QUERIES, STABLE, after, counted, known
from tests.adapters.datadog_server import DatadogServer
from tests.contracts.canaries import DATADOG, datadog_metrics

KEYS = SecretStr("api"), SecretStr("app")


@asynccontextmanager
async def asking(server: DatadogServer) -> AsyncIterator[DatadogMetrics]:
    """Our client; counts are whole at once."""
    async with datadog_metrics(server) as metrics:
        yield metrics


def scraped(seconds: int = 20) -> DatadogServer:
    """The server, to which an agent has sent counts every second."""
    server = DatadogServer()
    counted(server, seconds)
    return server


async def test_a_look_is_one_request_for_each_signal() -> None:
    """The infinite edge of the histogram comes with the others."""
    server = scraped()
    async with asking(server) as metrics:
        await metrics.read(DATADOG_QUERIES, after(3), after(9))
    assert [(request.method, request.url.path) for request in server.requests] == [("GET", "/api/v1/query")] * 3
    asked = [request.url.params for request in server.requests]
    assert [one["query"] for one in asked] == [
        query.text.replace("(sum)", "(sum, 1)").replace("(avg)", "(avg, 1)")
        for query in DATADOG_QUERIES.signals.values()
    ]
    assert [int(one["from"]) - int(after(0).timestamp()) for one in asked] == [0, 0, 3]
    assert {int(one["to"]) - int(after(0).timestamp()) for one in asked} == {8}


async def test_counts_that_are_on_their_way_are_left_for_the_next_look() -> None:
    """They arrive a minute late."""
    server = datadog.DatadogServer("Datadog main", "https://api.datadog.test", *KEYS)
    async with DatadogMetrics(server, transport=scraped(80)) as metrics:
        readings = await metrics.read(DATADOG_QUERIES, after(3), after(70))
    assert [reading.at for reading in readings] == [after(second) for second in range(4, 11)]


async def test_keys_are_read_anew_from_their_files(tmp_path: Path) -> None:
    """They may be replaced while Sluice runs."""
    server, api, app = scraped(), tmp_path / "api", tmp_path / "app"
    api.write_text("old\n")
    app.write_text("app\n")
    place = datadog.DatadogServer("Datadog main", "https://api.datadog.test", api, app, delay=timedelta(0))
    async with DatadogMetrics(place, transport=server) as metrics:
        with pytest.raises(RefusedError, match=r"does not let Sluice in \(HTTP 403: Forbidden\); check both keys"):
            await metrics.read(DATADOG_QUERIES, after(3), after(5))
        api.write_text("api\n")
        assert len(await metrics.read(DATADOG_QUERIES, after(3), after(5))) == 2
        app.unlink()
        with pytest.raises(RefusedError, match=r"the secret in .*/app cannot be read"):
            await metrics.read(DATADOG_QUERIES, after(3), after(5))


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (httpx.Response(403, json={"errors": ["Forbidden"]}), RefusedError, r"let Sluice in \(HTTP 403: Forbidden\)"),
        (httpx.Response(401), RefusedError, r"let Sluice in \(HTTP 401\).* the application key may 'timeseries_query'"),
        (httpx.Response(400, json={"errors": ["bad", "worse"]}), RefusedError, r"the query \(HTTP 400: bad; worse\)"),
        (httpx.Response(404, text="no"), UnreadableError, r"no query API at its address \(HTTP 404: no\); check its"),
        (httpx.Response(302), UnreadableError, "has no query API at its address"),
        (httpx.Response(503, json={"error": "later"}), UnreachableError, "answered HTTP 503: later"),
        (httpx.ConnectError("refused"), UnreachableError, "cannot be reached: refused"),
        (httpx.ReadTimeout("slow"), UnreachableError, "did not answer within 10 s"),
        (httpx.Response(200, text="<html>"), UnreadableError, "sent what is not JSON: <html>"),
        (httpx.Response(200, json=[]), UnreadableError, "sent no object"),
        (httpx.Response(200, json={"status": "error", "error": "quota"}), RefusedError, r"take the query \(quota\)"),
        (httpx.Response(200, json={"status": "ok"}), UnreadableError, "sent an answer without series"),
        (
            httpx.Response(200, json={"status": "ok", "series": [{"interval": 1, "pointlist": [["x"]]}]}),
            UnreadableError,
            "sent an answer without series",
        ),
    ],
)
async def test_every_failure_is_told_with_query_and_answer(
    fault: httpx.Response | Exception, kind: type[Exception], said: str
) -> None:
    """In Datadog's words, where it has some."""
    server = scraped()
    server.faults.append(fault)
    async with asking(server) as metrics:
        with pytest.raises(kind, match=f"^Datadog main .*{said}") as told:
            await metrics.read(DATADOG_QUERIES, after(3), after(5))
    assert "http_requests.count" in str(told.value)
    assert "app" not in str(told.value).replace("application", "")


async def test_datadog_says_when_it_counts_requests_anew() -> None:
    """By a header of its own, which goes to whoever can wait."""
    server = scraped()
    server.faults.append(httpx.Response(429, headers={"X-RateLimit-Reset": "27"}, json={"errors": ["Rate limit"]}))
    async with asking(server) as metrics:
        with pytest.raises(UnreachableError, match="HTTP 429: Rate limit") as told:
            await metrics.read(DATADOG_QUERIES, after(3), after(5))
    assert told.value.retry_after == timedelta(seconds=27)


async def test_an_endless_answer_is_cut_off() -> None:
    """Before it fills the memory."""
    server = scraped()
    server.faults.append(httpx.Response(200, content=b"[" + b" " * MOST_BYTES))
    async with asking(server) as metrics:
        with pytest.raises(UnreadableError, match="sends more than 33,554,432 bytes"):
            await metrics.read(DATADOG_QUERIES, after(3), after(5))


async def test_longer_intervals_than_asked_for_are_not_taken() -> None:
    """Datadog rolls up what it finds too much; each count would come at a wrong moment."""
    server = scraped()
    server.rolls_up_to = 5
    async with asking(server) as metrics:
        with pytest.raises(UnreadableError, match="sent counts for each 5 s and not for each 1 s"):
            await metrics.read(DATADOG_QUERIES, after(3), after(5))


async def test_half_an_answer_is_no_restart() -> None:
    """Where counts are missing the sum falls. The judge would take all of it for new, so its pod is left out."""
    server = scraped()
    async with asking(server) as metrics:
        await metrics.read(DATADOG_QUERIES, after(3), after(9))
        kept = {key: dict(points) for key, points in server.store.items()}
        for (metric, tags), points in server.store.items():
            if metric == "http_requests.count" and ("pod_name", CANARY) in tags:
                points.pop(round(after(5).timestamp() * 1000), None)
                points.pop(round(after(6).timestamp() * 1000), None)
        (lower,) = await metrics.read(DATADOG_QUERIES, after(9), after(10))
        server.store.update(kept)
        (whole,) = await metrics.read(DATADOG_QUERIES, after(10), after(11))
    assert (list(lower.canary), list(lower.baseline)) == ([], [STABLE])
    said = "errors may not be whole: the counts of 1 pod are lower than they were: left out"
    assert [lack.said for lack in lower.lacks if lack.kind is LackKind.PARTIAL] == [said]
    assert whole.whole
    assert whole.canary[CANARY].requests == 11 * 50


async def test_an_answer_that_is_not_sure_is_not_the_first() -> None:
    """After a restart nobody knows what was told; half the sums would look like a restart of the pods."""
    server = scraped()
    server.says = "a shard is away"
    async with asking(server) as metrics:
        (unsure,) = await metrics.read(DATADOG_QUERIES, after(9), after(10))
        server.says = ""
        await metrics.read(DATADOG_QUERIES, after(9), after(10))
        server.says = "a shard is away"
        (known_now,) = await metrics.read(DATADOG_QUERIES, after(10), after(11))
    said = "errors may not be whole: a shard is away; the counts of 2 pods are not sure: left out"
    assert (unsure.canary, unsure.baseline, unsure.lacks[0].said) == ({}, {}, said)
    assert known_now.canary[CANARY].requests == 550


async def test_counts_that_arrive_late_are_in_the_next_difference() -> None:
    """Nothing is lost, and what was told before stays below."""
    server = scraped()
    late = round(after(5).timestamp() * 1000)
    held = {key: points.pop(late) for key, points in server.store.items() if late in points}
    async with asking(server) as metrics:
        before = await metrics.read(DATADOG_QUERIES, after(3), after(9))
        for key, value in held.items():
            server.store[key][late] = value
        (last,) = await metrics.read(DATADOG_QUERIES, after(9), after(10))
    assert [reading.canary[CANARY].requests for reading in before] == [200, 250, 250, 300, 350, 400]
    assert last.canary[CANARY].requests == 500


async def test_buckets_that_are_not_cumulative_are_found_out() -> None:
    """The Agent can send them so; the judge would read them wrong."""
    server = DatadogServer()
    tags = {"pod_name": STABLE, "code": "200"}
    for second in range(5):
        server.add("http_requests.count", after(second), 10, **tags)
        server.add("http_request_duration_seconds.count", after(second), 10, pod_name=STABLE)
        for edge, count in (("0.05", 6), ("0.1", 3)):
            server.add("http_request_duration_seconds.bucket", after(second), count, upper_bound=edge, pod_name=STABLE)
    async with asking(server) as metrics:
        proofs = await metrics.prove(known(DATADOG), after(5))
    problems = {proof.signal: proof.problem for proof in proofs}
    assert problems[ERRORS] == ""
    assert problems[LATENCY].startswith("the buckets are not cumulative: one holds more requests than the next")
    assert problems[CPU].startswith("there is no metric 'kubernetes.cpu.usage.total'; check its name")


async def test_without_buckets_errors_and_cpu_can_be_judged() -> None:
    """A distribution has none; the proof says so before a canary starts."""
    server = scraped()
    server.store = type(server.store)(dict, {k: v for k, v in server.store.items() if not k[0].endswith(".bucket")})
    async with asking(server) as metrics:
        proofs = await metrics.prove(known(DATADOG), after(20))
        without = known(DATADOG, metrics={"latency": None})
        rest = await metrics.prove(without, after(20))
        (reading,) = await metrics.read(without, after(9), after(10))
    (latency,) = [proof for proof in proofs if proof.signal == LATENCY]
    assert latency.problem == (
        "the histogram has no bucket besides +Inf, which says nothing about latency;"
        " have its buckets sent, or leave it out with metrics: {latency: null}"
    )
    assert [(proof.signal, proof.usable) for proof in rest] == [(ERRORS, True), (CPU, True)]
    assert reading.whole


async def test_labels_that_are_hidden_are_not_told() -> None:
    """An application key may query and yet not see the tags; the proof stands without them."""
    server = scraped()
    server.hides_tags = True
    async with asking(server) as metrics:
        proof, *_ = await metrics.prove(known(DATADOG, labels={"pod": "instance"}), after(20))
        missing, *_ = await metrics.prove(known(DATADOG, metrics={"requests": "x.count"}), after(20))
    assert proof.problem.endswith("have no label 'instance', so nobody can tell the arms apart; they have none at all")
    assert missing.problem == "there is no metric 'x.count'; check its name and that it is scraped"
