"""What a rehearsal's end proves, and what it does not."""

import pytest

from bot.domain.phase import Phase
from bot.domain.target import Target
from bot.sandbox.aftermath import told
from bot.sandbox.scenarios import Scenario, demand
from bot.sandbox.scene import Scene
from bot.sandbox.simulate import usual
from tests.builders import a_run


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("prod is frozen until 18:00 UTC: weekend", ()),
        ("gate image: it is gone", ("it was refused, and not by the freeze: gate image: it is gone",)),
    ],
)
def test_only_the_freeze_may_have_refused_what_is_frozen(reason: str, said: tuple[str, ...]) -> None:
    """Another refusal says nothing of the freeze."""
    part = Scene(usual(), "deploy", Target("api", "prod"), Scenario.FROZEN, ()).part()
    run = a_run(phase=Phase.REFUSED, reason=reason)
    assert told(part, run, demand(part.scenario, part.traits), begun=True, lines=()) == said
