"""What the thread says, event by event."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot.domain.events import (
    AbortRequested,
    BallotClosed,
    BallotDecided,
    BallotOpened,
    Event,
    RestoreStarted,
    RunEnded,
    RunPaused,
    RunPlanned,
    RunRequested,
    RunResumed,
    StepEnded,
    StepStarted,
    StepWaited,
    TurnCame,
    VotesCounted,
    VoteTooLate,
)
from bot.domain.ids import RunId, StepKey
from bot.domain.outcome import Evidence
from bot.domain.phase import Phase
from bot.domain.run import Run, Wish
from bot.slack.thread_messages import thread_message
from tests.slack.samples import ANN, BOB, CID, NOW, a_plan, a_request, a_run, ended, readable, voting

RUN = RunId("api-prod-42")
SEAL = a_plan().seal


def said(event: Event, run: Run | None = None) -> str:
    """The thread's message about an event."""
    content = thread_message(run or a_run(), event)
    assert content is not None
    return readable(content.text)


def test_an_opened_ballot_calls_the_group() -> None:
    """People are notified, and told how to vote on what."""
    event = BallotOpened(RUN, NOW, 1, SEAL, "@release-approvers", 2, NOW + timedelta(minutes=30))
    assert said(event, voting()) == snapshot("""\
<!subteam^@release-approvers> 2 votes needed for *api* `9f2c1e7` → *prod*, seal `3f9a-c21e`, until [14:30 UTC].
On the release message above: react with :white_check_mark: to approve, :x: to reject. <@U0ANN> asked for it.\
""")


def test_an_approval_names_who_gave_it() -> None:
    """And the seal it was given for."""
    assert said(BallotDecided(RUN, NOW, 1, approved=True, by=(BOB, CID), seal=SEAL)) == snapshot(
        ":white_check_mark: *Approved* by <@U0BOB>, <@U0CID>: seal `3f9a-c21e` goes on."
    )


def test_a_rejection_names_who_gave_it() -> None:
    """One is enough."""
    assert said(BallotDecided(RUN, NOW, 1, approved=False, by=(CID,), seal=SEAL)) == snapshot(
        ":no_entry_sign: *Rejected* by <@U0CID>: seal `3f9a-c21e` will not be carried out."
    )


def test_broken_glass_names_who_and_why() -> None:
    """Everybody in the thread hears of it."""
    run = a_run(request=a_request(reason="checkout is down"))
    event = BallotDecided(RUN, NOW, 1, approved=True, by=(ANN,), seal=SEAL, break_glass=True)
    assert said(event, run) == snapshot(
        ":rotating_light: *Break-glass* by <@U0ANN>: checkout is down. Seal `3f9a-c21e` goes on without votes.\n"
        "<!subteam^@release-approvers>: one of you, please look at it now and react on the release message above: "
        ":white_check_mark: it was right, :x: it was not."
    )


def test_a_void_ballot_says_that_a_new_one_follows() -> None:
    """A moved tag is told as what it is."""
    assert said(BallotClosed(RUN, NOW, 1, "9f2c1e7 means another image now", asks_again=True)) == snapshot(
        ":no_entry_sign: *Ballot closed:* 9f2c1e7 means another image now."
        " Its votes no longer count; a new one follows."
    )
    assert said(BallotClosed(RUN, NOW, 1, "the run was stopped", asks_again=False)) == snapshot(
        ":no_entry_sign: *Ballot closed:* the run was stopped. Its votes no longer count."
    )


def test_a_late_change_of_mind_is_answered_with_the_way_to_stop() -> None:
    """The vote was used; what is left is to abort."""
    assert said(VoteTooLate(RUN, NOW, BOB)) == snapshot(
        "<@U0BOB> took the :white_check_mark: back after the change had started; it goes on."
        " Stop it: `/release abort api-prod-42`"
    )


def test_a_blocked_step_says_what_it_waits_for() -> None:
    """Gates are called gates."""
    assert said(StepWaited(RUN, NOW, StepKey("gates.image"), "the registry does not answer; trying again")) == snapshot(
        ":hourglass_flowing_sand: *Gate image* waits: the registry does not answer; trying again."
    )


def test_a_failed_step_brings_its_evidence() -> None:
    """Events and log lines are where the team talks, and can break nothing."""
    evidence = (Evidence("events of api-1", ("Back-off pulling image", "<!channel>")), Evidence("log", ("```", "boom")))
    event = StepEnded(
        RUN, NOW, StepKey("steps.rollout"), ok=False, said="no pod ready.", elapsed_s=12, evidence=evidence
    )
    assert said(event) == snapshot("""\
:x: *Step rollout* failed after 12 s: no pod ready.
*events of api-1*
```
Back-off pulling image
&lt;!channel&gt;
```
*log*
```
'''
boom
```\
""")


def test_a_gate_that_passed_brings_its_evidence() -> None:
    """What its figure is made of; one without evidence says nothing more than the message does."""
    evidence = (Evidence("error budget of api in prod: 99.9% over 30d", ("30d 72 % left",)),)
    figure = "72 % of the budget left"
    event = StepEnded(RUN, NOW, StepKey("gates.budget"), ok=True, said=figure, elapsed_s=1, evidence=evidence)
    assert said(event) == snapshot("""\
:white_check_mark: *Gate budget* done after 1 s: 72 % of the budget left.
*error budget of api in prod: 99.9% over 30d*
```
30d 72 % left
```\
""")


def test_much_evidence_is_cut_visibly() -> None:
    """A thousand log lines still make one message."""
    evidence = tuple(Evidence(f"log {number}", ("a line of a log",) * 400) for number in range(8))
    content = thread_message(
        a_run(), StepEnded(RUN, NOW, StepKey("gates.ci"), ok=False, said="13 of 14", elapsed_s=1, evidence=evidence)
    )
    assert content is not None
    last = content.blocks[-1]["elements"]
    assert last == [{"type": "mrkdwn", "text": snapshot("… (940 more lines)"), "verbatim": True}]


def test_a_restore_says_what_comes_back_and_why() -> None:
    """The first line after something went wrong."""
    assert said(RestoreStarted(RUN, NOW, "rollout failed: no pod ready", "77ab012")) == snapshot(
        ":leftwards_arrow_with_hook: *Restoring* `77ab012`: rollout failed: no pod ready."
    )
    aborted = a_run(wish=Wish(BOB, ""))
    assert said(RestoreStarted(RUN, NOW, "aborted by <@U0BOB>", ""), aborted) == snapshot(
        ":leftwards_arrow_with_hook: *Restoring* what ran before: aborted by <@U0BOB>."
    )


def test_a_pause_says_how_to_go_on() -> None:
    """Whoever paused it, and both ways out."""
    assert said(RunPaused(RUN, NOW, BOB, "looks odd")) == snapshot(
        """\
:double_vertical_bar: *Paused* by <@U0BOB>: looks odd.
Go on: `/release resume api-prod-42` · stop: `/release abort api-prod-42`\
"""
    )
    assert said(RunPaused(RUN, NOW, None, "")) == snapshot(
        """\
:double_vertical_bar: *Paused* by itself.
Go on: `/release resume api-prod-42` · stop: `/release abort api-prod-42`\
"""
    )
    assert said(RunResumed(RUN, NOW, CID)) == snapshot(":arrow_forward: *Resumed* by <@U0CID>.")


def test_an_abort_says_what_it_leads_to() -> None:
    """Before the change it stops; after it the version before comes back."""
    assert said(AbortRequested(RUN, NOW, BOB, "wrong version")) == snapshot(
        ":octagonal_sign: *Abort asked* by <@U0BOB>: wrong version; it stops at its next look."
    )
    assert said(AbortRequested(RUN, NOW, BOB, ""), a_run(changed=True)) == snapshot(
        ":octagonal_sign: *Abort asked* by <@U0BOB>; `77ab012` will be restored."
    )


def test_the_end_is_one_line() -> None:
    """Nobody depends on having seen the edit of the message above."""
    event = RunEnded(RUN, NOW, Phase.SUCCEEDED, "", 12)
    assert said(event, ended(Phase.SUCCEEDED)) == snapshot(
        ":white_check_mark: *api* `9f2c1e7` runs in *prod*. Took 12 s · way back: `/rollback api prod to 77ab012`"
    )


@pytest.mark.parametrize(
    "event",
    [
        RunRequested(RUN, NOW, ANN, "deploy api 9f2c1e7 prod"),
        TurnCame(RUN, NOW, 3.0),
        RunPlanned(RUN, NOW, SEAL, "0" * 64),
        VotesCounted(RUN, NOW, (BOB,), (), 2),
        StepStarted(RUN, NOW, StepKey("steps.rollout")),
        StepEnded(RUN, NOW, StepKey("steps.rollout"), ok=True, said="3 of 3 pods ready", elapsed_s=12),
        StepEnded(RUN, NOW, StepKey("steps.approval"), ok=False, said="rejected by <@U0BOB>", elapsed_s=12),
    ],
)
def test_what_goes_well_makes_no_noise(event: Event) -> None:
    """Steps that succeed show in the live message; a failed vote is told by its ballot."""
    assert thread_message(a_run(), event) is None


def test_an_ended_run_does_not_tell_of_its_ballot_twice() -> None:
    """The end says why; the ballot's closing adds nothing."""
    event = BallotClosed(RUN, NOW, 1, "not approved within 30 min", asks_again=False)
    assert thread_message(ended(Phase.EXPIRED), event) is None
