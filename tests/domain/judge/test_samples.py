"""Counters and what happened between two scrapes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UnreadableError
from bot.domain.judge.samples import ALL, BAD, Counters


def seen(*scrapes: dict[str, tuple[float, ...]]) -> list[list[float]]:
    counters = Counters(2)
    return [counters.increments(scrape).total.tolist() for scrape in scrapes]


def test_the_first_scrape_tells_nothing() -> None:
    """Nobody knows when the counters of a pod that is new began."""
    assert seen({"a": (50, 5)}, {"a": (70, 6), "b": (9, 9)}) == [[0, 0], [20, 1]]


def test_a_counter_that_fell_was_reset() -> None:
    """What it shows happened since the restart; either counter may tell."""
    assert seen({"a": (50, 5)}, {"a": (20, 2)})[1] == [20, 2]
    assert seen({"a": (50, 5)}, {"a": (60, 2)})[1] == [60, 2]


def test_a_histogram_that_is_scraped_while_it_is_written_counts_no_request_twice() -> None:
    """More requests came below 100 ms than below 200 ms: those below the next edges are on their way."""
    counters = Counters(5)
    counters.increments({"a": (100, 0, 50, 90, 100)})
    assert counters.increments({"a": (120, 0, 55, 92, 120)}).total.tolist() == [20, 0, 5, 5, 20]
    assert counters.increments({"a": (121, 0, 55, 96, 121)}).total.tolist() == [1, 0, 0, 1, 1]


def test_a_missed_scrape_loses_nothing() -> None:
    """The next one shows what both would have shown."""
    assert seen({"a": (50, 5)}, {}, {"a": (90, 8)}) == [[0, 0], [0, 0], [40, 3]]


def test_bad_ones_are_never_more_than_all() -> None:
    """Two counters are not read at the same instant."""
    assert seen({"a": (50, 5)}, {"a": (51, 8)})[1] == [1, 1]


def test_a_row_with_a_hole_was_not_scraped() -> None:
    """A counter that is no number leaves the pod out until it shows one."""
    assert seen({"a": (50, 5)}, {"a": (math.nan, 6)}, {"a": (80, 7)}) == [[0, 0], [0, 0], [30, 2]]


def test_another_number_of_buckets_is_named() -> None:
    """A histogram with other bounds than configured cannot be read."""
    with pytest.raises(UnreadableError, match="pod a shows 1 buckets; 0 are configured"):
        Counters(2).check({"a": (1, 1, 1)})


STEPS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=30
)


@given(STEPS)
def test_restarts_and_missed_scrapes_neither_hide_nor_invent(steps: list[tuple[int, int, bool, bool]]) -> None:
    """Whatever is restarted or missed: what is counted is what happened, but for what was lost in an unseen restart."""
    counters = Counters(2)
    counters.increments({"a": (0, 0)})
    shown, counted, happened, lost, unseen = [0, 0], 0.0, 0, 0, 0
    for requests, bad, restarts, missed in steps:
        if restarts:
            lost += unseen
            shown, unseen = [0, 0], 0
        shown = [shown[ALL] + requests + bad, shown[BAD] + bad]
        happened += requests + bad
        unseen += requests + bad
        if not missed:
            counted += counters.increments({"a": tuple(shown)}).total[ALL]
            unseen = 0
    hidden = happened - lost - unseen
    assert counted <= hidden
    if not any(restarts for _, _, restarts, _ in steps):
        assert counted == hidden


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_of_pods_does_not_matter(order: list[str]) -> None:
    """Pods are known by their names."""
    first = {"a": (1, 0), "b": (10, 1), "c": (100, 2), "d": (1000, 3)}
    second = {"a": (2, 1), "b": (12, 2), "c": (103, 5), "d": (1004, 3)}
    counters = Counters(2)
    counters.increments(first)
    assert counters.increments({pod: second[pod] for pod in order}).total.tolist() == [10, 5]


def test_pods_that_are_long_gone_are_forgotten() -> None:
    """Pods come and go; the state does not grow with them."""
    counters = Counters(2)
    for number in range(1000):
        counters.increments({f"pod-{number}": (1, 0)})
    assert len(counters.state()) == 201


def test_counters_survive_a_restart_of_ours() -> None:
    """State holds pods that were seen last and pods that were missed."""
    counters, restored = Counters(2), Counters(2)
    counters.increments({"a": (5, 0), "b": (7, 0)})
    counters.increments({"a": (6, 0)})
    restored.restore(counters.state())
    assert restored.increments({"b": (9, 1), "a": (8, 0)}).total.tolist() == [4, 1]


@pytest.mark.parametrize("restored", [False, True])
def test_a_torn_scrape_that_is_read_twice_counts_once(restored: bool) -> None:
    """Moments are nearer to each other than scrapes: what was taken to have grown is no restart the next time."""
    counters = Counters(5)
    counters.increments({"a": (1000, 10, 400, 900, 1000)})
    assert counters.increments({"a": (1001, 10, 401, 900, 1000)}).total.tolist() == [1, 0, 1, 1, 1]
    if restored:
        state, counters = counters.state(), Counters(5)
        counters.restore(state)
    assert counters.increments({"a": (1001, 10, 401, 900, 1000)}).total.tolist() == [0, 0, 0, 0, 0]
    assert counters.increments({"a": (1002, 10, 402, 902, 1002)}).total.tolist() == [1, 0, 1, 1, 1]
