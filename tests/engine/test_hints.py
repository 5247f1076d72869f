"""Hints and bells: what makes the worker look sooner."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.ids import RunId
from bot.engine.bells import Bells
from bot.engine.hints import Hints
from tests.builders import a_plan

API = a_plan().workload
WEB = replace(API, name="web")
ONE, TWO = RunId("api-prod-1"), RunId("api-prod-2")


def test_a_change_hints_at_whoever_watches() -> None:
    """Each is named once, until somebody looks."""
    rings: list[str] = []
    hints = Hints(lambda: rings.append("ring"))
    hints.watching(API, ONE)
    hints.watching(API, ONE)
    hints.watching(API, TWO)
    hints.changed(API)
    hints.changed(API)
    assert hints.take() == {ONE, TWO}
    assert hints.take() == frozenset()
    assert rings == ["ring", "ring"]


def test_a_change_that_nobody_watches_rings_no_bell() -> None:
    """Clusters are full of changes that are nothing to us."""
    rings: list[str] = []
    hints = Hints(lambda: rings.append("ring"))
    hints.watching(API, ONE)
    hints.changed(WEB)
    assert hints.take() == frozenset()
    assert rings == []


def test_a_hint_names_no_container() -> None:
    """A cluster speaks of the workload; the catalogue may name its container."""
    hints = Hints(lambda: None)
    hints.watching(replace(API, container="app"), ONE)
    hints.changed(API)
    assert hints.take() == {ONE}


def test_a_forgotten_run_is_hinted_at_no_more() -> None:
    """Others on the same workload still are; forgetting again changes nothing."""
    hints = Hints(lambda: None)
    for run in (ONE, TWO):
        hints.watching(API, run)
    hints.forget(API, ONE)
    hints.changed(API)
    assert hints.take() == {TWO}
    hints.forget(API, TWO)
    hints.forget(API, TWO)
    hints.changed(API)
    assert hints.take() == frozenset()


def test_ringing_wakes_every_loop() -> None:
    """And an alarm that nobody has set up is quietly not set."""
    bells = Bells()
    bells.ring()
    assert all(bell.is_set() for bell in (bells.runs, bells.inbox, bells.relay))
    bells.set_alarm(datetime(2026, 3, 2, tzinfo=UTC))
