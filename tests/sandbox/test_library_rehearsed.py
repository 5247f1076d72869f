"""Every runbook of the library through every scenario: each ends as the scenario demands."""

import pytest

from bot.sandbox.scenarios import Scenario
from bot.sandbox.simulate import Asked, simulate, usual
from bot.sandbox.transcript import verdict

LIBRARY = sorted(usual().runbooks)


@pytest.mark.parametrize("scenario", list(Scenario))
@pytest.mark.parametrize("runbook", LIBRARY)
async def test_a_runbook_of_the_library_ends_as_it_must(runbook: str, scenario: Scenario) -> None:
    """And leaves nothing behind: no canary, no traffic on it, no message undelivered, no gap in the journal."""
    (found,) = await simulate(usual(), Asked(runbook, (scenario,)))
    assert found.is_good, verdict(found)
    assert found.command in [line.text for line in found.lines]
