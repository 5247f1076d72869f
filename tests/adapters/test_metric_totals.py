"""Windows in pieces, and how much of them is known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.counting_metrics import longer_step, portioned
from bot.adapters.kubernetes_usage import KubernetesUsage
from bot.adapters.metric_totals import length, moments_of, spells, spells_of_intervals
from bot.adapters.newrelic import MOST_FACETS
from bot.adapters.pod_usage_metrics import PodUsageMetrics
from bot.ports.metrics import LackKind
from tests.adapters.counting_world import DATADOG_QUERIES, NEW_RELIC_QUERIES, STABLE, after, counted, known
from tests.adapters.datadog_server import DatadogServer
from tests.adapters.newrelic_server import NewRelicServer, found
from tests.contracts.canaries import NEW_RELIC, datadog_metrics, newrelic_metrics
from tests.fakes.clock import FakeClock

HOUR, DAY = 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("span", "step", "most", "longer"),
    [
        (300_000, 30_000, 366, 30_000),
        (6 * HOUR, 30_000, 1000, 30_000),
        (6 * HOUR, 30_000, 366, 60_000),
        (30 * DAY, 30_000, 1000, 2_700_000),
        (30 * DAY, 30_000, 366, 2 * HOUR),
        (30 * DAY, 7_000, 1000, 2_597_000),
    ],
)
def test_long_windows_are_asked_for_in_long_intervals(span: int, step: int, most: int, longer: int) -> None:
    """The shortest that a server gives so many of, and a part of a day where there is one."""
    assert longer_step(span, step, most) == longer


@given(st.integers(0, 10**12), st.integers(1, 40 * DAY), st.sampled_from([1_000, 15_000, 30_000, 60_000, 7_000]))
def test_the_pieces_of_a_window_join(since: int, span: int, step: int) -> None:
    """Without gap or overlap, up to the last whole interval; none has more than the server gives."""
    windows = portioned(since, since + span, step, most=366)
    edges = [(window.steps[0], window.steps[-1] + window.step) for window in windows]
    assert all(len(window.steps) <= 366 + 1 for window in windows)
    assert all(window.steps[0] % window.step == 0 for window in windows)
    assert [begin for begin, _ in edges[1:]] == [end for _, end in edges[:-1]]
    if windows:
        assert since <= edges[0][0]
        assert edges[-1][1] == (since + span) // step * step


def test_a_month_is_looked_at_every_six_hours() -> None:
    """And five minutes at every scrape."""
    assert moments_of(30 * DAY, 100 * DAY, 15_000).step == 6 * HOUR
    assert len(moments_of(30 * DAY, 100 * DAY, 15_000)) == 121
    assert list(moments_of(300_000, 10 * DAY, 60_000)) == [10 * DAY - 60_000 * ago for ago in range(5, -1, -1)]


@pytest.mark.parametrize(
    ("there", "hours"),
    [
        ({0, 1, 2, 3, 4}, 4),
        ({4}, 0),
        ({3, 4}, 1),
        ({0, 1, 4}, 1),
        (set(), 0),
    ],
)
def test_what_is_known_begins_and_ends_with_data(there: set[int], hours: int) -> None:
    """One look at which there are any says nothing about the time before it."""
    looks = range(100 * DAY, 100 * DAY + 4 * HOUR + 1, HOUR)
    newest = {looks[number]: looks[number] / 1000 for number in there}
    assert length(spells(looks, newest, 15_000)) == timedelta(hours=hours)


def test_data_that_were_old_then_are_none() -> None:
    """A server shows the last sample for five minutes after it."""
    looks = range(0, 300_001, 60_000)
    assert length(spells(looks, dict.fromkeys(looks, 0.0), 15_000)) == timedelta(minutes=1)


def test_an_interval_after_nothing_may_have_begun_late() -> None:
    """Of intervals with counts, those count whose forerunner has some."""
    assert spells_of_intervals([(0, 10), (10, 20), (30, 40), (40, 60)]) == [(10, 20), (40, 60)]


async def test_a_month_of_datadog_is_two_requests() -> None:
    """Long intervals, and short ones for what came after their last."""
    server = DatadogServer()
    counted(server, 100)
    async with datadog_metrics(server) as metrics:
        totals = await metrics.totals(
            replace(DATADOG_QUERIES, interval=timedelta(seconds=15)), timedelta(days=30), after(90)
        )
    assert totals.requests == 90 * 50
    assert len(server.requests) <= 2


async def test_events_are_known_from_the_first_on() -> None:
    """A quiet minute of a service whose requests are events is no hole in the data."""
    server = NewRelicServer()
    named = {"appName": "shop", "host": STABLE, "duration": 0.1}
    for second in (5, 6, 40):
        server.add("Transaction", after(second), httpResponseCode="500" if second == 6 else "200", **named)
    queries = known(NEW_RELIC, preset="transactions", match={"appName": "shop"}, metrics={"cpu": None})
    async with newrelic_metrics(server) as metrics:
        totals = await metrics.totals(queries, timedelta(seconds=50), after(55))
    assert (totals.requests, totals.failures, totals.covered, totals.lacks) == (3.0, 1.0, timedelta(seconds=49), ())


async def test_as_many_pods_as_new_relic_tells_may_be_more() -> None:
    """It leaves out the rest without a word."""
    row = {"beginTimeSeconds": 0, "seen": 1, "uncoded": 0, "code=failed": 0, "code=answered": 1}
    begin = round(after(0).timestamp())
    rows = [{**row, "beginTimeSeconds": begin, "facet": f"api-7d9f8b6c5-{number}"} for number in range(MOST_FACETS)]
    rows[0]["facet"] = STABLE
    server = NewRelicServer()
    server.rewrite = lambda _: found(rows)
    async with newrelic_metrics(server) as metrics:
        totals = await metrics.totals(NEW_RELIC_QUERIES, timedelta(seconds=2), after(2))
    assert (LackKind.PARTIAL, "requests may not be whole: 5,000 pods are told, and there may be more") in {
        (lack.kind, lack.said) for lack in totals.lacks
    }


async def test_the_cluster_is_not_asked_for_requests() -> None:
    """Sums are the metrics server's alone, whoever measures the CPU."""
    server = DatadogServer()
    counted(server, 30)
    usage = KubernetesUsage({}, FakeClock())
    async with PodUsageMetrics(datadog_metrics(server), usage) as metrics:
        totals = await metrics.totals(DATADOG_QUERIES, timedelta(seconds=10), after(20))
    assert totals.requests == 10 * 50
