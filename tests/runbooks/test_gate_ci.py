"""The ci gate: the required checks of the commit have concluded well."""

from datetime import timedelta

import pytest

from bot.domain.errors import NotFoundError, UnreachableError
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from bot.ports.pipelines import Conclusion
from runbooks.gates.ci import KIND, NEXT_LOOK, CiGate, CiSpec
from tests.fakes.pipelines import FakeCiServers, FakePipelines
from tests.runbooks.passes import Place

SHA = "9f2c1e7" + "0" * 33
PAGE = f"https://ci.test/acme/api/commit/{SHA}/checks"
GOOD = Conclusion.SUCCESS


class Desk:
    """A CI server, and a gate that asks it about a commit of acme/api."""

    def __init__(self) -> None:
        self.place = Place()
        self.ci = FakePipelines(self.place.clock)

    def report(self, name: str, conclusion: Conclusion | None, **more: str) -> None:
        """A check's newest attempt."""
        self.ci.report("acme/api", SHA, name, conclusion, **more)

    async def asked(self, *required: str, **params: str) -> Outcome:
        """What the gate says."""
        sealed = {"required": [*required], "commit": SHA, "server": "main", "project": "acme/api", **params}
        return await CiGate(FakeCiServers(main=self.ci)).reconcile(self.place.context("ci", sealed))


async def test_good_checks_pass_with_their_number() -> None:
    """And with the page where a person sees them."""
    desk = Desk()
    for number in range(14):
        desk.report(f"test {number}", GOOD)
    assert await desk.asked() == Succeeded("14/14", link=PAGE)


async def test_only_required_checks_count_where_some_are_named() -> None:
    """By name or by pattern."""
    desk = Desk()
    for name, conclusion in {"build": GOOD, "test 1": GOOD, "test 2": GOOD, "docs": Conclusion.FAILURE}.items():
        desk.report(name, conclusion)
    assert await desk.asked("build", "test *") == Succeeded("3/3", link=PAGE)


async def test_a_name_with_brackets_is_a_name_first() -> None:
    """Jobs of a matrix are often called so."""
    desk = Desk()
    desk.report("test [3.11]", GOOD)
    assert await desk.asked("test [3.11]") == Succeeded("1/1", link=PAGE)


async def test_what_runs_is_waited_for() -> None:
    """And named."""
    desk = Desk()
    desk.report("build", GOOD)
    desk.report("test", None)
    assert await desk.asked() == Pending("1/2: `test` still runs", NEXT_LOOK, link=PAGE)
    assert KIND.deadline == timedelta(hours=1)


async def test_a_required_check_that_is_missing_does_not_pass() -> None:
    """It may come yet: a pattern that nothing matches, too."""
    desk = Desk()
    desk.report("build", GOOD)
    assert await desk.asked("build", "e2e *") == Pending("1/2: there is no `e2e *` yet", NEXT_LOOK, link=PAGE)


async def test_a_commit_without_checks_does_not_pass() -> None:
    """Nobody tested it yet."""
    assert await Desk().asked() == Pending("no checks yet for commit `9f2c1e700000`", NEXT_LOOK, link=PAGE)


@pytest.mark.parametrize("conclusion", [each for each in Conclusion if not each.good])
async def test_bad_checks_fail_at_once_with_what_ended_how(conclusion: Conclusion) -> None:
    """Whatever runs beside them."""
    desk = Desk()
    desk.report("build", conclusion, said="odd")
    desk.report("test", None)
    said = conclusion.replace("_", " ") + (" (odd)" if conclusion is Conclusion.UNKNOWN else "")
    evidence = Evidence("checks that are not good", (f"build: {said} https://ci.test/checks/0",))
    assert await desk.asked() == Failed(f"0/2: `build` {said}", evidence=(evidence,), link="https://ci.test/checks/0")


async def test_many_bad_checks_are_counted_in_the_figure_and_listed_in_the_thread() -> None:
    """Three names are enough for a line."""
    desk = Desk()
    for number in range(5):
        desk.report(f"test {number}", Conclusion.FAILURE)
    outcome = await desk.asked()
    assert isinstance(outcome, Failed)
    assert outcome.reason == "0/5: `test 0` failure, `test 1` failure, `test 2` failure and 2 more"
    assert len(outcome.evidence[0].lines) == 5


async def test_a_check_counts_by_its_newest_attempt() -> None:
    """A failure that was run again is forgotten; so is a success."""
    desk = Desk()
    desk.report("build", Conclusion.FAILURE)
    desk.report("build", GOOD)
    assert await desk.asked() == Succeeded("1/1", link=PAGE)
    desk.report("build", None)
    assert await desk.asked() == Pending("0/1: `build` still runs", NEXT_LOOK, link=PAGE)


async def test_checks_of_one_name_from_two_places_are_no_attempts_of_one_another() -> None:
    """Two workflows may each have a job of that name: both must be good."""
    desk = Desk()
    desk.report("build", Conclusion.FAILURE, source="suite 1")
    desk.report("build", GOOD, source="suite 2")
    assert isinstance(await desk.asked("build"), Failed)


async def test_skipped_and_neutral_checks_are_good_as_github_has_it() -> None:
    """Where they were asked for by name."""
    desk = Desk()
    desk.report("docs", Conclusion.SKIPPED)
    desk.report("lint", Conclusion.NEUTRAL)
    assert await desk.asked("docs", "lint") == Succeeded("2/2", link=PAGE)


async def test_a_commit_of_which_everything_was_skipped_does_not_pass() -> None:
    """Where no check is asked for by name, one at least must have run."""
    desk = Desk()
    desk.report("docs", Conclusion.SKIPPED)
    assert await desk.asked() == Failed("1/1, but none of them ran: `docs` skipped", link=PAGE)
    desk.report("build", GOOD)
    assert await desk.asked() == Succeeded("2/2", link=PAGE)


async def test_a_plan_without_a_commit_fails() -> None:
    """So does one without a place to ask; the planner has said what to do."""
    outcome = await Desk().asked(commit="", server="")
    assert outcome == Failed("nobody says whose checks count: the plan has no commit and no server")


async def test_a_server_that_is_down_is_no_answer() -> None:
    """The engine waits, and fails at the deadline."""
    desk = Desk()
    desk.ci.down = True
    with pytest.raises(UnreachableError):
        await desk.asked()


async def test_a_server_that_is_gone_from_the_catalogue_is_no_answer() -> None:
    """A plan may be older than the catalogue."""
    with pytest.raises(NotFoundError, match="no CI server 'other'"):
        await Desk().asked(server="other")


def test_it_is_read_aloud() -> None:
    """With the checks where they are named."""
    assert CiSpec(required=("build", "test *")).read_aloud().startswith("The checks build, test * of the commit")
    assert CiSpec().read_aloud().startswith("The required checks of the commit")
