"""What each scenario demands of a runbook, by what the runbook does."""

from dataclasses import replace

import pytest

from bot.sandbox.scenarios import ABOUT, Ending, Scenario, Traits, demand

NOTHING = Traits(judges=False, follows=False, proves=False, asks=False, changes=False, soaks=False)


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
        (Scenario.SLOW, {"judges": True}, Ending.RESTORED),
        (Scenario.SLOW, {"proves": True}, Ending.SUCCEEDED),
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


def test_a_change_by_hand_allows_any_end_but_not_being_written_over() -> None:
    """What runs in the end is looked at besides."""
    assert len(demand(Scenario.DRIFT, replace(NOTHING, changes=True)).endings) == 3
