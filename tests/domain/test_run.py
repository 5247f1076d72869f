"""The moves of a run."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.events import ConsentGiven, RunEnded, RunPlanned, StepEnded, StepStarted, StepWaited, TurnCame
from bot.domain.ids import StepKey, UserId, live_key, run_id, run_of_key
from bot.domain.outcome import Failed, Pending, Question, Succeeded
from bot.domain.phase import IllegalMoveError, Phase, StepPhase
from bot.domain.run import Consent
from tests.builders import NOW, a_plan, a_planned_run, a_run, a_running_run

RETRY = timedelta(seconds=5)
LATER = NOW + timedelta(seconds=90)
APPROVAL, ROLLOUT = StepKey("steps.approval"), StepKey("steps.rollout")
BOB = UserId("U0BOB")


def test_a_run_waits_for_its_turn_and_says_how_long() -> None:
    """The event carries the time in the line."""
    run, (event,) = a_run().turn_came(at=LATER)
    assert run.phase is Phase.PLANNING
    assert event == TurnCame(run.id, LATER, 90.0)


def test_planning_anew_forgets_votes_and_steps() -> None:
    """A new edition of the plan starts from nothing."""
    run = a_running_run()
    run, _ = run.step_started(APPROVAL, at=NOW)
    run, (event,) = run.replanned(at=NOW).planned(a_plan(), at=NOW)
    assert (run.edition, run.steps, run.ballot) == (2, {}, None)
    assert isinstance(event, RunPlanned)


def test_steps_are_taken_in_order() -> None:
    """The current step is the first that has not ended, in the list that applies now."""
    run = a_running_run()
    assert [step.key for step in [run.current()] if step] == [APPROVAL]
    run, _ = run.step_started(APPROVAL, at=NOW)
    run, (event,) = run.step_succeeded(APPROVAL, Succeeded("2 of 2 votes", {"by": "bob"}), at=LATER)
    assert event == StepEnded(run.id, LATER, APPROVAL, ok=True, said="2 of 2 votes", elapsed_s=90.0)
    assert run.current() is not None
    assert run.step(APPROVAL).outputs == {"by": "bob"}
    restoring, _ = run.restoring("rollout failed", at=LATER)
    current = restoring.current()
    assert current is not None
    assert current.kind == "restore"


def test_a_run_without_a_plan_has_no_step() -> None:
    """Asking for the plan of a run that has none is a fault of ours."""
    assert a_run().current() is None
    with pytest.raises(RuntimeError, match="has no plan yet"):
        a_run().sealed_plan()


def test_starting_a_step_again_changes_nothing() -> None:
    """A repeated pass tells nothing twice."""
    run, (event,) = a_running_run().step_started(ROLLOUT, at=NOW)
    assert isinstance(event, StepStarted)
    assert run.step_started(ROLLOUT, at=LATER) == (run, ())


def test_a_waiting_step_keeps_its_memory() -> None:
    """Without a new memo the old one stays."""
    run = a_running_run().step_waits(ROLLOUT, Pending("1 of 3", RETRY, {"tries": 1}, blocked=False), at=NOW)[0]
    run = run.step_waits(ROLLOUT, Pending("2 of 3", RETRY, None, blocked=True), at=NOW)[0]
    assert (run.step(ROLLOUT).memo, run.step(ROLLOUT).why) == ({"tries": 1}, "2 of 3")
    assert run.step(ROLLOUT).phase is StepPhase.PENDING


def test_a_failed_step_says_why() -> None:
    """The reason is on the step and in the event."""
    run, _ = a_running_run().step_started(ROLLOUT, at=NOW)
    run, (event,) = run.step_failed(ROLLOUT, Failed("CrashLoopBackOff"), at=LATER)
    assert run.step(ROLLOUT).phase is StepPhase.FAILED
    assert isinstance(event, StepEnded)
    assert not event.ok


def test_restoring_names_where_to() -> None:
    """People read which version comes back; without one there is none to name."""
    _, (event,) = a_running_run().restoring("smoke failed", at=NOW)
    assert event.to == "v1"
    _, (event,) = a_running_run(plan=a_plan(previous=None)).restoring("smoke failed", at=NOW)
    assert event.to == ""


def test_the_end_says_how_long_it_took() -> None:
    """From the turn, or from the request where the turn never came."""
    _, (event,) = a_planned_run().ended(Phase.REFUSED, "no such tag", at=LATER)
    assert event == RunEnded(event.run_id, LATER, Phase.REFUSED, "no such tag", 90.0)
    _, (event,) = a_run().ended(Phase.ABORTED, "aborted", at=LATER)
    assert event.elapsed_s == 90.0


def test_pause_resume_and_abort_are_safe_to_repeat() -> None:
    """The first wish counts, the second changes nothing."""
    run, _ = a_running_run().paused(BOB, "lunch", at=NOW)
    assert run.paused(BOB, "again", at=NOW) == (run, ())
    run, _ = run.resumed(BOB, at=NOW)
    assert run.resumed(BOB, at=NOW) == (run, ())
    run, _ = run.abort_wished(BOB, "wrong version", at=NOW)
    assert run.abort_wished(BOB, "again", at=NOW) == (run, ())
    assert run.wish is not None
    assert run.wish.reason == "wrong version"


def test_an_ended_run_cannot_move() -> None:
    """The table is the only door."""
    run, _ = a_planned_run().ended(Phase.REFUSED, "no", at=NOW)
    with pytest.raises(IllegalMoveError):
        run.gates_passed()


def test_what_others_wrote_is_put_beside_the_state() -> None:
    """Wishes and pauses come from columns of their own."""
    run, _ = a_running_run().paused(BOB, "lunch", at=NOW)
    assert run.amended(wish=None, pause=None, consent=None).pause is None


def test_ids_can_be_read_back() -> None:
    """A message's key names its run; a run's id its target."""
    run = run_id("api", "prod", 42)
    assert run == "api-prod-42"
    assert run_of_key(live_key(run, 2)) == run
    assert live_key(run, 0) == live_key(run, 1)


def test_time_in_which_a_step_was_blocked_does_not_count() -> None:
    """A server that was down for a minute gives the step a minute more."""
    run, _ = a_running_run().step_started(ROLLOUT, at=NOW)
    run = run.step_waits(ROLLOUT, Pending("cluster down", RETRY, None, blocked=True), at=NOW + timedelta(seconds=10))[0]
    assert run.step(ROLLOUT).worked_s(NOW + timedelta(seconds=60)) == 10
    run = run.step_waits(ROLLOUT, Pending("2 of 3", RETRY, None, blocked=False), at=NOW + timedelta(seconds=70))[0]
    assert run.step(ROLLOUT).worked_s(NOW + timedelta(seconds=90)) == 30
    assert a_running_run().step(ROLLOUT).worked_s(NOW) == 0


# --- a step that asks people ---

CID = UserId("U0CID")
ASKS = Pending("too little to tell", RETRY, asks=Question.UNDECIDED, blocked=True, detail="errors 0 % vs 0 %")
LOOKS = Pending("judging 2m of 10m", RETRY)


def test_a_step_that_begins_to_ask_is_told_once() -> None:
    """With its figures; asking on is no news."""
    run, (event,) = a_running_run().step_waits(ROLLOUT, ASKS, at=NOW)
    assert isinstance(event, StepWaited)
    assert (event.asks, event.why, event.detail) == (Question.UNDECIDED, "too little to tell", "errors 0 % vs 0 %")
    assert (run.step(ROLLOUT).asks, run.step(ROLLOUT).detail) == (Question.UNDECIDED, "errors 0 % vs 0 %")
    assert run.step_waits(ROLLOUT, ASKS, at=LATER)[1] == ()


def test_a_step_that_was_blocked_and_now_asks_is_told_anew() -> None:
    """A wait becomes a question: people must know."""
    run, _ = a_running_run().step_waits(ROLLOUT, Pending("blind", RETRY, blocked=True), at=NOW)
    assert len(run.step_waits(ROLLOUT, ASKS, at=LATER)[1]) == 1


def test_each_person_lets_a_step_go_on_once() -> None:
    """In the order in which they said so; a repetition tells nothing."""
    run, _ = a_running_run().step_waits(ROLLOUT, ASKS, at=NOW)
    for user in (BOB, CID):
        run, (event,) = run.consented(ROLLOUT, user, at=NOW)
        assert event == ConsentGiven(run.id, NOW, user, ROLLOUT)
    assert run.consented(ROLLOUT, BOB, at=LATER) == (run, ())
    assert run.consent == Consent(ROLLOUT, (BOB, CID), Question.UNDECIDED)
    assert run.yes_to(ROLLOUT) == (BOB, CID)


def test_consent_is_for_one_step() -> None:
    """Who let one go on has said nothing about another."""
    run, _ = a_running_run().step_waits(ROLLOUT, ASKS, at=NOW)
    run, _ = run.consented(ROLLOUT, BOB, at=NOW)
    run, _ = run.step_waits(APPROVAL, ASKS, at=NOW)
    run, _ = run.consented(APPROVAL, CID, at=NOW)
    assert (run.yes_to(ROLLOUT), run.yes_to(APPROVAL)) == ((), (CID,))


def test_consent_is_for_one_question() -> None:
    """What somebody said while another question was being asked counts for nothing, whenever it is written."""
    run, _ = a_running_run().step_waits(ROLLOUT, ASKS, at=NOW)
    said, _ = run.consented(ROLLOUT, BOB, at=NOW)
    other, _ = run.step_waits(ROLLOUT, replace(ASKS, asks=Question.SHARE), at=NOW)
    assert replace(other, consent=said.consent).yes_to(ROLLOUT) == ()


def test_a_new_question_forgets_what_was_said_to_the_last() -> None:
    """It looked on by itself in between; as long as it asks, consent is gathered."""
    run, _ = a_running_run().step_waits(ROLLOUT, ASKS, at=NOW)
    run, _ = run.consented(ROLLOUT, BOB, at=NOW)
    run, _ = run.step_waits(ROLLOUT, ASKS, at=NOW)
    assert run.yes_to(ROLLOUT) == (BOB,)
    run, _ = run.step_waits(ROLLOUT, LOOKS, at=NOW)
    run, _ = run.step_waits(ROLLOUT, ASKS, at=NOW)
    assert run.consent is None


@pytest.mark.parametrize("ok", [True, False])
def test_a_step_that_has_ended_asks_nobody(ok: bool) -> None:
    """Its figures have become its result."""
    run, _ = a_running_run().step_waits(ROLLOUT, ASKS, at=NOW)
    ended, _ = (
        run.step_succeeded(ROLLOUT, Succeeded(), at=NOW) if ok else run.step_failed(ROLLOUT, Failed("bad"), at=NOW)
    )
    assert (ended.step(ROLLOUT).asks, ended.step(ROLLOUT).detail, ended.step(ROLLOUT).blocked) == (None, "", False)


def test_the_time_of_a_question_is_not_the_steps_time() -> None:
    """People may think for as long as they need."""
    run, _ = a_running_run().step_started(ROLLOUT, at=NOW)
    run, _ = run.step_waits(ROLLOUT, ASKS, at=NOW + timedelta(seconds=10))
    run, _ = run.step_waits(ROLLOUT, LOOKS, at=LATER)
    assert run.step(ROLLOUT).worked_s(LATER) == 10.0
