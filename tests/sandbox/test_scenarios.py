"""What each scenario demands of a runbook, by what the runbook does."""

from dataclasses import replace

import pytest

from bot.sandbox.scenarios import ABOUT, Ending, Scenario, Traits, demand, must_begin, traits
from runbooks.guards import parse
from runbooks.spec import Entry, Runbook

NOTHING = Traits(judges=False, follows=False, proves=False, times=False, asks=False, changes=False, soaks=False)


def test_every_scenario_is_explained() -> None:
    """The command line and the documentation take their words from here."""
    assert set(ABOUT) == set(Scenario)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_nothing_is_demanded_of_a_runbook_that_looks_at_nothing(scenario: Scenario) -> None:
    """It cannot notice anything, so it succeeds whatever happens."""
    assert demand(scenario, NOTHING).endings == {Ending.SUCCEEDED}


@pytest.mark.parametrize(
    ("scenario", "has", "ending"),
    [
        (Scenario.ERROR_SPIKE, {"judges": True}, Ending.RESTORED),
        (Scenario.ERROR_SPIKE, {"proves": True}, Ending.RESTORED),
        (Scenario.SLOW, {"judges": True}, Ending.SUCCEEDED),
        (Scenario.SLOW, {"proves": True}, Ending.SUCCEEDED),
        (Scenario.SLOW, {"times": True}, Ending.RESTORED),
        (Scenario.CRASHLOOP, {"follows": True}, Ending.RESTORED),
        (Scenario.CRASHLOOP, {"follows": True, "soaks": True}, Ending.REFUSED),
        (Scenario.NO_TRAFFIC, {"judges": True}, Ending.ASKED),
        (Scenario.PROVIDER_DOWN, {"judges": True}, Ending.ASKED),
        (Scenario.APPROVAL_TIMEOUT, {"asks": True}, Ending.EXPIRED),
        (Scenario.HEALTHY, {"judges": True, "asks": True, "proves": True}, Ending.SUCCEEDED),
    ],
)
def test_what_a_runbook_looks_at_it_must_notice(scenario: Scenario, has: dict[str, bool], ending: Ending) -> None:
    """One trait alone decides."""
    assert demand(scenario, replace(NOTHING, **has)).endings == {ending}


@pytest.mark.parametrize(
    ("scenario", "gate"),
    [(Scenario.CI_RED, "ci"), (Scenario.VULNERABLE, "vulnerabilities"), (Scenario.UNSIGNED, "signature")],
)
def test_bad_evidence_must_be_refused_where_a_gate_looks_at_it(scenario: Scenario, gate: str) -> None:
    """Elsewhere it is let in, and the reason says who did not look."""
    release = replace(NOTHING, freezes=True)
    looks = replace(release, looks=frozenset({gate}))
    assert demand(scenario, looks).endings == {Ending.REFUSED}
    assert must_begin(scenario, looks)
    for blind, why in (
        (release, "nothing of this runbook"),
        (replace(release, unplayed=frozenset({gate})), f"its gate {gate} is left out"),
        (replace(release, earlier=frozenset({gate})), "only an environment before"),
        (NOTHING, "gates of the target do not hold up the way back"),
    ):
        assert demand(scenario, blind).endings == {Ending.SUCCEEDED}
        assert demand(scenario, blind).why.startswith(why)


def test_a_freeze_holds_up_all_but_the_way_back() -> None:
    """Whatever a runbook looks at: the gate is part of every plan."""
    assert demand(Scenario.FROZEN, replace(NOTHING, freezes=True)).endings == {Ending.REFUSED}
    assert demand(Scenario.FROZEN, replace(NOTHING, freezes=False)).endings == {Ending.SUCCEEDED}


def test_a_change_by_hand_allows_any_end_but_not_being_written_over() -> None:
    """What runs in the end is looked at besides."""
    assert len(demand(Scenario.DRIFT, replace(NOTHING, changes=True)).endings) == 3


def written(*kinds: str, checks: bool = False) -> Runbook:
    """A runbook of these steps; its smoke steps have checks of their own, or not."""
    own = {"checks": [{"get": "https://api.example"}]} if checks else {}
    steps = tuple(Entry(f"steps.{kind}", kind, own if kind == "smoke" else {}, None, 1) for kind in kinds)
    return Runbook("own", "about", (), steps, (), "sha", "text", "file")


def read(runbook: Runbook, *guards: str, smoke: bool = False, latency: bool = True, asks: bool = False) -> Traits:
    """Its traits, on a service with these guard rails."""
    limits = [parse(guard) for guard in guards]
    return traits(runbook, smoke=smoke, guards=limits, latency=latency, asks=asks, soaks=False)


def test_checks_of_its_own_prove_as_much_as_those_of_the_service() -> None:
    """A service without smoke checks does not make the runbook blind."""
    assert read(written("set_image", "smoke", checks=True)).proves
    assert not read(written("set_image", "smoke")).proves


def test_a_watch_notices_what_the_guard_rails_limit() -> None:
    """Errors by one for errors, slowness by one for a latency that a slow version exceeds."""
    watched = written("set_image", "watch")
    assert (read(watched, "error_rate < 5%").proves, read(watched, "error_rate < 5%").times) == (True, False)
    assert (read(watched, "p95 < 800ms").proves, read(watched, "p95 < 800ms").times) == (False, True)
    assert not read(watched, "p95 < 5s").times
    assert not read(written("set_image"), "error_rate < 5%").proves


def test_votes_are_asked_for_by_the_approval_step_alone() -> None:
    """An environment that could ask somebody does not, where the runbook never comes to it."""
    assert read(written("approval", "set_image"), asks=True).asks
    assert not read(written("set_image"), asks=True).asks


@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_scenario_need_not_begin_where_there_is_nothing_to_do_it_to(scenario: Scenario) -> None:
    """A runbook that changes nothing and looks at nothing is none the worse for it."""
    assert not must_begin(scenario, NOTHING)


@pytest.mark.parametrize("scenario", [Scenario.NO_TRAFFIC, Scenario.DRIFT, Scenario.SLACK_DOWN, Scenario.BOT_KILLED])
def test_what_happens_after_the_change_must_happen_where_there_is_one(scenario: Scenario) -> None:
    """Else the rehearsal would have proven nothing."""
    assert must_begin(scenario, replace(NOTHING, changes=True))


def test_slowness_is_judged_where_the_latency_is() -> None:
    """A service that says `latency: null` lets nobody see it."""
    assert read(written("canary")).times
    assert not read(written("canary"), latency=False).times
