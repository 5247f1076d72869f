"""What New Relic is asked, and what becomes of its odd answers."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters import newrelic
from bot.adapters.newrelic import NewRelicMetrics
from bot.domain.errors import RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import CPU, ERRORS, LATENCY
from tests.adapters.counting_world import CANARY, NEW_RELIC_QUERIES, STABLE, after, counted, known
from tests.adapters.newrelic_server import ACCOUNT, KEY, NewRelicServer, failed, found
from tests.contracts.canaries import NEW_RELIC, newrelic_metrics
from tests.fakes.clock import START

URL = "https://api.newrelic.test/graphql"


def scraped(seconds: int = 20) -> NewRelicServer:
    """The server, to which an agent has sent counts every second."""
    server = NewRelicServer()
    counted(server, seconds)
    return server


def since(seconds: float) -> int:
    """A moment of the story as New Relic writes it."""
    return round(after(seconds).timestamp() * 1000)


async def test_a_look_is_one_request_for_each_signal() -> None:
    """The query travels as a variable, never inside the GraphQL text."""
    server = scraped()
    async with newrelic_metrics(server) as metrics:
        await metrics.read(NEW_RELIC_QUERIES, after(3), after(9))
    asked = [one["variables"] for one in server.asked]
    assert [one["nrql"] for one in asked] == [
        f"{query.text} SINCE {since(3 if name == CPU else 0)} UNTIL {since(9)} TIMESERIES 1 SECONDS"
        for name, query in NEW_RELIC_QUERIES.signals.items()
    ]
    assert {(one["account"], one["timeout"]) for one in asked} == {(ACCOUNT, 10)}
    assert len({one["query"] for one in server.asked}) == 1


async def test_counts_that_are_on_their_way_are_left_for_the_next_look() -> None:
    """They arrive up to a minute and a half late."""
    place = newrelic.NewRelicServer("New Relic main", URL, ACCOUNT, SecretStr(KEY))
    async with NewRelicMetrics(place, transport=scraped(100)) as metrics:
        readings = await metrics.read(NEW_RELIC_QUERIES, after(3), after(100))
    assert [reading.at for reading in readings] == [after(second) for second in range(4, 11)]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (
            failed("NRDB query duration exceeded the set timeout", "TIMEOUT"),
            UnreachableError,
            r"did not answer \(TIMEOUT",
        ),
        (failed("Something went wrong", "SERVER_ERROR"), UnreachableError, r"did not answer \(SERVER_ERROR"),
        (failed("Rate limit reached", ""), UnreachableError, r"did not answer \(Rate limit reached\)"),
        (failed("NRQL Syntax Error: at line 1", "BAD_USER_INPUT"), RefusedError, r"the query \(BAD_USER_INPUT: NRQL"),
        (failed("no", "FORBIDDEN"), RefusedError, r"take the API key \(FORBIDDEN: no\); check that it is a user key"),
        (httpx.Response(200, json={"errors": [{"message": "Invalid API key"}]}), RefusedError, "take the API key"),
        (httpx.Response(200, json={"errors": "odd"}), RefusedError, r"does not take the query \(odd\)"),
        (httpx.Response(401, text="no"), RefusedError, r"take the API key \(HTTP 401: no\); .* and the region"),
        (httpx.Response(404), UnreadableError, r"has no NerdGraph at its address \(HTTP 404\)"),
        (httpx.Response(502), UnreachableError, "answered HTTP 502"),
        (httpx.ReadTimeout("slow"), UnreachableError, "did not answer within 10 s"),
        (httpx.Response(200, text="<html>"), UnreadableError, "sent what is not JSON: <html>"),
        (httpx.Response(200, json=[]), UnreadableError, "sent no object"),
        (httpx.Response(200, json={"data": {"actor": None}}), UnreadableError, "sent an answer without results"),
        (found([{"facet": "x"}]), UnreadableError, "sent rows that are no series"),
        (
            found(
                [{"seen": 1, "facet": "x", "beginTimeSeconds": 7, "uncoded": 0, "code=failed": 1, "code=answered": 1}]
            ),
            UnreadableError,
            "sent other intervals than those asked for",
        ),
    ],
)
async def test_every_failure_is_told_with_query_and_answer(
    fault: httpx.Response | Exception, kind: type[Exception], said: str
) -> None:
    """Also those that hide behind HTTP 200."""
    server = scraped()
    server.faults.append(fault)
    async with newrelic_metrics(server) as metrics:
        with pytest.raises(kind, match=f"^New Relic main .*{said}") as told:
            await metrics.read(NEW_RELIC_QUERIES, after(3), after(5))
    assert "http_requests_total" in str(told.value)
    assert KEY not in str(told.value)


async def test_a_server_that_wants_time_gets_it() -> None:
    """Its wish goes to whoever can wait."""
    server = scraped()
    server.faults.append(httpx.Response(429, headers={"Retry-After": "30"}))
    async with newrelic_metrics(server) as metrics:
        with pytest.raises(UnreachableError, match="HTTP 429") as told:
            await metrics.read(NEW_RELIC_QUERIES, after(3), after(5))
    assert told.value.retry_after == timedelta(seconds=30)


async def test_a_key_or_an_account_that_is_not_ours_is_told() -> None:
    """With what to check."""
    for account, key in ((ACCOUNT, "NRAK-2"), (7, KEY)):
        place = newrelic.NewRelicServer("New Relic main", URL, account, SecretStr(key))
        async with NewRelicMetrics(place, transport=scraped()) as metrics:
            with pytest.raises(RefusedError, match=r"does not take the API key .* it may see the account"):
                await metrics.prove(NEW_RELIC_QUERIES, after(20))


async def test_intervals_without_data_are_not_quiet_pods() -> None:
    """New Relic fills them with zeros; a pod that is gone would look like one without requests."""
    server = scraped(6)
    server.streams.end(CANARY, after(7))
    for second in range(7, 10):
        server.scrape(after(second))
    async with newrelic_metrics(server) as metrics:
        readings = await metrics.read(NEW_RELIC_QUERIES, after(4), after(9))
    assert [list(reading.canary) for reading in readings] == [[CANARY], [CANARY], [], [], []]
    assert all(list(reading.baseline) == [STABLE] for reading in readings)


async def test_a_quiet_pod_is_told() -> None:
    """Its data points say zero, which is something else than none."""
    server = NewRelicServer()
    for second in range(10):
        point = {"metricName": "http_requests_total", "pod": STABLE, "code": "200"}
        server.add("Metric", after(second), http_requests_total=0, **point)
    async with newrelic_metrics(server) as metrics:
        (reading,) = await metrics.read(NEW_RELIC_QUERIES, after(4), after(5))
    assert (reading.baseline[STABLE].requests, reading.baseline[STABLE].errors) == (0, 0)


async def test_events_of_an_agent_are_counted() -> None:
    """Errors as the agent knows them or by their code, durations below every bound, pods by their host."""
    server, queries = NewRelicServer(), known(NEW_RELIC, preset="transactions", match={"appName": "shop"})
    for number in range(40):
        failure = {"error": True} if number % 10 == 0 else {"httpResponseCode": "503" if number % 10 == 1 else "200"}
        event = {"appName": "shop", "host": STABLE, "duration": 0.03 if number % 4 else 0.3, **failure}
        server.add("Transaction", after(number / 4), **event)
    other = {"appName": "shop", "duration": 0.3}
    server.add("Transaction", after(3), host="api-worker-7d9f8b6c5-bbbbb", **other)
    server.add(
        "K8sContainerSample", after(9), podName=STABLE, namespaceName="prod", containerName="a", cpuUsedCores=0.2
    )
    server.add(
        "K8sContainerSample", after(9), podName=STABLE, namespaceName="prod", containerName="b", cpuUsedCores=0.1
    )
    async with newrelic_metrics(server) as metrics:
        (*_, last) = await metrics.read(queries, after(8), after(10))
        proofs = await metrics.prove(queries, after(10))
    sample = last.baseline[STABLE]
    assert (sample.requests, sample.errors, list(sample.buckets)) == (40, 8, [30, 30, 40])
    assert sample.gauges == {CPU: pytest.approx(0.3)}
    assert list(last.baseline) == [STABLE]
    assert [(proof.signal, proof.problem) for proof in proofs] == [(ERRORS, ""), (LATENCY, ""), (CPU, "")]


async def test_quiet_pods_send_no_events() -> None:
    """That is no sign of a server that looks too seldom."""
    server = NewRelicServer()
    queries = known(NEW_RELIC, preset="transactions", match={"appName": "shop"}, metrics={"cpu": None})
    for second in (3, 60, 117):
        server.add("Transaction", after(second), appName="shop", host=STABLE, duration=0.03, httpResponseCode="200")
    async with newrelic_metrics(server) as metrics:
        proofs = await metrics.prove(queries, after(170))
    assert [(proof.signal, proof.problem) for proof in proofs] == [(ERRORS, ""), (LATENCY, "")]


async def test_an_application_that_sends_nothing_is_told() -> None:
    """With what there is in its place."""
    server = NewRelicServer()
    queries = known(NEW_RELIC, preset="transactions", match={"appName": "shop"})
    server.add("Transaction", after(5), appName="other", host="web-7d9f8b6c5-bbbbb", duration=0.3)
    async with newrelic_metrics(server) as metrics:
        proof, *_ = await metrics.prove(queries, after(10))
    assert "'Transaction' has no series whose host is like api-" in proof.problem
    assert "there are such as web-7d9f8b6c5-bbbbb" in proof.problem


async def test_a_day_later_the_same_counts_are_summed_in_few_requests() -> None:
    """What is long settled is asked for in long intervals, and once."""
    server, day = NewRelicServer(), 86_400
    queries = replace(known(NEW_RELIC, metrics={"latency": None, "cpu": None}, interval="30s"), counted_from=START)
    for second in range(0, day + 600, 30):
        point = {"metricName": "http_requests_total", "pod": STABLE, "code": "200"}
        server.add("Metric", after(second), http_requests_total=3, **point)
    async with newrelic_metrics(server) as metrics:
        (first,) = await metrics.read(queries, after(day - 30), after(day))
        asked = len(server.asked)
        (second_look,) = await metrics.read(queries, after(day), after(day + 30))
    assert first.baseline[STABLE].requests == day / 30 * 3
    assert second_look.baseline[STABLE].requests == (day / 30 + 1) * 3
    assert (asked, len(server.asked)) == (2, 3)
