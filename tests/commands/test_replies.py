"""Texts of plans that are out of the ordinary."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.plan import Plan, Previous, Request, Verb
from bot.domain.release import ReleaseRecord
from commands import replies
from commands.replies import plan_lines
from tests.commands.conversation import PROD, PaperPlanning
from tests.fakes.clock import START, FakeClock
from tests.fakes.people import ANN
from tests.runbooks.catalogues import a_catalogue


async def a_plan(verb: Verb = Verb.DEPLOY) -> Plan:
    """api to prod."""
    return await PaperPlanning(a_catalogue(), FakeClock()).plan(Request(verb, PROD, "v1", ANN))


async def test_nobody_is_asked_where_there_is_no_policy() -> None:
    """That nobody is asked is worth a line."""
    assert "nobody is asked here" in plan_lines(replace(await a_plan(), approval=None), START)


async def test_those_on_call_may_vote_for_their_own_rollback() -> None:
    """Whoever reads the plan knows that the requester may count."""
    said = "1 vote from @release-approvers within 20m, to be used within 1h; @on-call may vote for their own request"
    assert said in plan_lines(await a_plan(Verb.ROLLBACK), START)


async def test_without_an_earlier_version_nothing_is_promised() -> None:
    """The plan does not name what it cannot bring back."""
    lines = plan_lines(replace(await a_plan(), previous=None), START)
    assert lines[1].startswith("from nothing known to `v1`")
    assert "If it fails after something changed: without another vote:" in lines


@pytest.mark.parametrize(("healthy", "said"), [(True, "healthy"), (False, "not healthy"), (None, "health unrecorded")])
async def test_the_health_of_what_runs_is_told_as_known(healthy: bool | None, said: str) -> None:
    """Unknown is not healthy."""
    plan = replace(await a_plan(), previous=Previous("i", "v0", START - timedelta(hours=26), healthy))
    assert plan_lines(plan, START)[1].startswith(f"from `v0` (1d2h ago, {said}) to")


async def test_a_plan_without_a_way_back_says_so() -> None:
    """And one without gates does not list any."""
    lines = plan_lines(replace(await a_plan(), gates=(), on_failure=()), START)
    assert lines[-1] == "If it fails: what was changed stays as it is."
    assert "Gates, side by side:" not in lines


async def test_risks_are_noted() -> None:
    """Before anybody says yes."""
    assert "note: what runs now is not healthy" in plan_lines(
        replace(await a_plan(), notes=("what runs now is not healthy",)), START
    )


def test_a_slip_cannot_shout() -> None:
    """What was typed comes back as text."""
    assert replies.slip(UsageError("There is no service '<!channel>'.")).text == (
        "There is no service '&lt;!channel&gt;'."
    )


def test_a_release_is_told_with_its_reason() -> None:
    """Without its markup."""
    record = ReleaseRecord(PROD, "i", "v1", RunId("api-prod-1"), ANN, START, reason="<b>")
    assert replies.history([record], of="api", now=START).text.endswith("(`api-prod-1`) · &lt;b&gt;")
