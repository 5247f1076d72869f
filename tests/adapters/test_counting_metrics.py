"""Servers that keep counts for each interval: from when on, and how much is remembered."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from bot.adapters.metric_marks import MOST_KEPT, Marks
from bot.adapters.metric_series import Answer, Series
from bot.domain.errors import PermanentError
from bot.ports.metrics import ERRORS, LackKind
from tests.adapters.counting_world import CANARY, DATADOG_QUERIES, NEW_RELIC_QUERIES, STABLE, after, counted, known
from tests.adapters.datadog_server import DatadogServer
from tests.adapters.newrelic_server import NewRelicServer
from tests.contracts.canaries import DATADOG, datadog_metrics, newrelic_metrics, queries_of
from tests.fakes.clock import START


async def test_queries_must_be_proven_before_reading() -> None:
    """Else nobody knows the bounds, or since when counts are added up."""
    async with datadog_metrics(DatadogServer()) as metrics:
        with pytest.raises(PermanentError, match="the buckets of the latency histogram are not known; prove"):
            await metrics.read(queries_of("api", vendor=DATADOG), after(3), after(9))
        with pytest.raises(PermanentError, match="since when counts are added up is not known; prove"):
            await metrics.read(queries_of("api", vendor=DATADOG, bounds=[0.05, 0.1]), after(3), after(9))


async def test_counting_begins_half_an_hour_before_the_proof() -> None:
    """Between whole blocks of intervals; the judge first looks at some of the baseline's past."""
    server = DatadogServer()
    counted(server)
    async with datadog_metrics(server) as metrics:
        queries = known(DATADOG).proven(await metrics.prove(known(DATADOG), after(13)))
    assert queries.counted_from == after(0) - timedelta(minutes=30)


async def test_before_counting_began_there_is_nothing() -> None:
    """And from then on the sums grow from 0."""
    server = NewRelicServer()
    counted(server)
    queries = replace(NEW_RELIC_QUERIES, counted_from=after(10))
    async with newrelic_metrics(server) as metrics:
        readings = await metrics.read(queries, after(8), after(12))
        early = await metrics.read(queries, after(5), after(7))
    assert [len(reading.canary) for reading in readings] == [0, 0, 1, 1]
    assert {(lack.kind, lack.signal) for lack in readings[0].lacks} == {(LackKind.NO_SERIES, ERRORS)}
    assert [reading.canary[CANARY].requests for reading in readings[2:]] == [50, 100]
    assert [len(reading.canary) for reading in early] == [0, 0]


async def test_older_moments_may_be_read_later() -> None:
    """What is remembered of newer ones does no harm."""
    server = DatadogServer()
    counted(server, 200)
    queries = replace(DATADOG_QUERIES, counted_from=START)
    async with datadog_metrics(server) as metrics:
        await metrics.read(queries, after(190), after(195))
        (old,) = await metrics.read(queries, after(89), after(90))
        (new,) = await metrics.read(queries, after(195), after(196))
    assert (old.baseline[STABLE].requests, new.baseline[STABLE].requests) == (90 * 50, 196 * 50)


async def test_a_suggestion_is_left_out_where_names_are_hidden() -> None:
    """The proof stands without it."""
    server = DatadogServer()
    server.rewrite = lambda answer: httpx.Response(403) if "metrics" in answer.json() else answer
    async with datadog_metrics(server) as metrics:
        proof, *_ = await metrics.prove(known(DATADOG), after(9))
    assert proof.problem == "there is no metric 'http_requests.count'; check its name and that it is scraped"


async def test_a_service_may_be_away_for_hours() -> None:
    """No moment is lost or told twice, and no answer is larger than one request may bring."""
    server = DatadogServer()
    counted(server, 450)
    async with datadog_metrics(server) as metrics:
        readings = await metrics.read(DATADOG_QUERIES, after(0), after(450))
    assert [reading.at for reading in readings] == [after(second) for second in range(1, 451)]
    assert [reading.baseline[STABLE].requests for reading in readings] == [50 * second for second in range(1, 451)]


def test_marks_of_the_oldest_signals_are_forgotten() -> None:
    """A process that serves for months does not fill its memory."""
    marks = Marks()
    high, low = (Answer((Series({"pod": "a"}, {1000: value}),)) for value in (5.0, 3.0))
    for number in range(MOST_KEPT + 1):
        marks.checked((f"query {number}", 0), high, ["pod"])
    assert marks.checked(("query 0", 0), low, ["pod"]) == low
    fell = marks.checked((f"query {MOST_KEPT}", 0), low, ["pod"])
    assert (fell.series, fell.warnings) == ((), ("the counts of 1 pod are lower than they were: left out",))
