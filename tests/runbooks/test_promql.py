"""Queries in PromQL."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from runbooks import promql
from runbooks.promql import Selector, matcher

SELECTOR = Selector("http_requests_total", ('namespace="prod"', 'pod=~"api-.*"'))


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        ("api", 'app="api"'),
        ("=~a|b", 'app=~"a|b"'),
        ("!=x", 'app!="x"'),
        ("!~x.*", 'app!~"x.*"'),
        ("", 'app=""'),
        ('a"b\\c', 'app="a\\"b\\\\c"'),
    ],
)
def test_a_matcher_may_bring_its_operator(wanted: str, written: str) -> None:
    """What would end the string early is escaped."""
    assert matcher("app", wanted) == written


def test_the_server_does_the_sums() -> None:
    """One series for each pod and code, not one for each path and method; and the times of the samples with them."""
    assert promql.requests(SELECTOR, ["pod"], ["code", "status"]) == snapshot(
        'sum by (pod, code, status) (http_requests_total{namespace="prod", pod=~"api-.*"})'
        ' or label_replace(max by (pod) (timestamp(http_requests_total{namespace="prod", pod=~"api-.*"})),'
        ' "sluice", "newest", "", "")'
    )
    assert promql.histogram(SELECTOR, ["canary", "pod"]) == snapshot(
        'sum by (canary, pod, le) (http_requests_total{namespace="prod", pod=~"api-.*"})'
    )


def test_usage_looks_at_the_last_two_scrapes() -> None:
    """In a window that bears two missed ones."""
    assert promql.usage(SELECTOR, ["pod"], timedelta(seconds=15)) == snapshot(
        'sum by (pod) (irate(http_requests_total{namespace="prod", pod=~"api-.*"}[60s]))'
    )
