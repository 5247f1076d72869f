"""Which messages a change of a run leads to: keys, channels, threads, seeds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.events import (
    BallotClosed,
    BallotDecided,
    BallotOpened,
    Event,
    RunEnded,
    RunPlanned,
    RunQueued,
    StepEnded,
    StrayVote,
    VoteTooLate,
)
from bot.domain.ids import RunId, StepKey
from bot.domain.phase import Phase
from bot.domain.run import Run
from bot.ports.narrator import Telling
from bot.slack.narrator import SlackNarrator
from bot.slack.release_message import release_message
from tests.slack.samples import (
    ANN,
    BOB,
    NOW,
    a_ballot,
    a_plan,
    a_request,
    a_run,
    at_step,
    ended,
    running,
    voted,
    voting,
)

RUN = RunId("api-prod-42")
QUEUED = Run(RUN, a_request(), NOW)
PLANNING = replace(QUEUED, phase=Phase.PLANNING)
AWAY = replace(PLANNING, waiting_for="the registry does not answer")


def tell(before: Run | None, after: Run, *events: Event) -> dict[str, Telling]:
    """What is told, by key."""
    told: Sequence[Telling] = SlackNarrator().tell(before, after, events)
    assert len({telling.key for telling in told}) == len(told)
    return {telling.key: telling for telling in told}


def test_a_run_in_line_has_no_message() -> None:
    """The answer to the command tells its requester the place, and nobody else is concerned yet."""
    assert tell(None, QUEUED, RunQueued(RUN, NOW, 2, RunId("api-prod-41"))) == {}


def test_planning_that_goes_well_is_silent() -> None:
    """There is nothing to read yet."""
    assert tell(QUEUED, PLANNING) == {}


def test_planning_that_waits_says_so_once() -> None:
    """Where it was asked, as the service's channel may not be known yet."""
    told = tell(PLANNING, AWAY)
    assert {key: telling.channel for key, telling in told.items()} == {"api-prod-42/waiting/1": "C0DEPLOYS"}
    assert "the registry does not answer" in told["api-prod-42/waiting/1"].content.text
    assert tell(AWAY, AWAY) == {}


def test_the_waiting_message_gives_way_to_the_release_message() -> None:
    """The ballot must stand in the service's channel, wherever the command was typed."""
    told = tell(AWAY, a_run(phase=Phase.GATING), RunPlanned(RUN, NOW, "3f9a-c21e", "0" * 64))
    assert {key: telling.channel for key, telling in told.items()} == {
        "api-prod-42/waiting/1": "C0DEPLOYS",
        "api-prod-42/live/1": "#deploys",
    }
    assert "Planned" in told["api-prod-42/waiting/1"].content.text


def test_a_run_refused_without_a_plan_is_told_to_its_requester() -> None:
    """Nobody else needs to know of a mistyped tag."""
    over, events = PLANNING.ended(Phase.REFUSED, "there is no image 9f2c1e7", at=NOW)
    told = tell(PLANNING, over, *events)
    assert {key: telling.to for key, telling in told.items()} == {"api-prod-42/refused": ANN}
    assert "there is no image 9f2c1e7" in told["api-prod-42/refused"].content.text


def test_a_release_for_later_that_is_refused_is_told_where_people_look() -> None:
    """Whoever asked for it in the evening is asleep: what only they see is gone when they wake."""
    later = replace(PLANNING, request=replace(PLANNING.request, not_before=NOW))
    refused, events = later.ended(Phase.REFUSED, "the registry has no tag v3", at=NOW)
    told = tell(later, refused, *events)
    assert {key: (telling.channel, telling.to) for key, telling in told.items()} == {
        "api-prod-42/refused": ("C0DEPLOYS", ANN),
        "api-prod-42/later": ("C0DEPLOYS", None),
    }
    assert "the registry has no tag v3" in told["api-prod-42/later"].content.text
    aborted, events = later.ended(Phase.ABORTED, "", at=NOW)
    assert set(tell(later, aborted, *events)) == {"api-prod-42/aborted"}


def test_a_refusal_also_ends_the_waiting_message() -> None:
    """What was told in the channel does not stay there half true."""
    over, events = AWAY.ended(Phase.REFUSED, "gave up after an hour", at=NOW)
    told = tell(AWAY, over, *events)
    assert sorted(told) == ["api-prod-42/refused", "api-prod-42/waiting/1"]
    assert "gave up after an hour" in told["api-prod-42/waiting/1"].content.text


def test_an_abort_in_line_is_told_to_the_requester() -> None:
    """It never had a message."""
    over, events = QUEUED.ended(Phase.ABORTED, "aborted by <@U0BOB>", at=NOW)
    assert list(tell(QUEUED, over, *events)) == ["api-prod-42/aborted"]


def test_a_plan_brings_the_release_message() -> None:
    """In the service's channel, under the key that the ballot is found by."""
    gating = a_run(phase=Phase.GATING)
    told = tell(PLANNING, gating, RunPlanned(RUN, NOW, "3f9a-c21e", "0" * 64))
    assert list(told) == ["api-prod-42/live/1"]
    assert told["api-prod-42/live/1"].channel == "#deploys"
    assert told["api-prod-42/live/1"].content == release_message(gating)


def test_a_pass_that_shows_nothing_new_edits_nothing() -> None:
    """Slack's budget is about one message a second."""
    run = at_step("rollout", running("2 of 3 pods ready"))
    assert tell(run, replace(run, steps={**run.steps})) == {}


def test_progress_can_wait_but_an_end_cannot() -> None:
    """A short budget goes to what people act upon."""
    before, after = at_step("rollout", running("1 of 3")), at_step("rollout", running("2 of 3"))
    assert not tell(before, after)["api-prod-42/live/1"].urgent
    assert tell(before, ended(Phase.SUCCEEDED))["api-prod-42/live/1"].urgent


def test_an_open_ballot_is_seeded_and_called_out() -> None:
    """Voting is one tap, and the group is notified in the thread."""
    until = NOW + timedelta(minutes=30)
    event = BallotOpened(RUN, NOW, 1, a_plan().seal, "@release-approvers", 2, until)
    told = tell(a_run(), a_run(ballot=a_ballot()), event)
    assert told["api-prod-42/live/1"].seeds == ("white_check_mark", "x")
    assert told["api-prod-42/live/1"].urgent
    call = told["api-prod-42/thread/1/ballot_opened/1"]
    assert (call.under, call.channel, call.urgent) == ("api-prod-42/live/1", "#deploys", True)


def test_a_decided_ballot_asks_for_no_more_seeds() -> None:
    """The message stays, its ballot is struck out."""
    after = a_run(ballot=a_ballot(closed="rejected by <@U0BOB>", decided=True))
    told = tell(voting(), after, BallotDecided(RUN, NOW, 1, approved=False, by=(BOB,), seal=a_plan().seal))
    assert told["api-prod-42/live/1"].seeds == ()
    assert "~Vote on seal" in told["api-prod-42/live/1"].content.text


def test_a_void_plan_strikes_its_message_out_at_once() -> None:
    """Nobody can vote on what will not be done."""
    after, event = voting().replanned(at=NOW), BallotClosed(RUN, NOW, 1, "the tag moved", asks_again=True)
    told = tell(voting(), after, event)
    assert sorted(told) == ["api-prod-42/live/1", "api-prod-42/thread/1/ballot_closed/1"]
    assert "*Void:* the tag moved" in told["api-prod-42/live/1"].content.text
    assert told["api-prod-42/live/1"].seeds == ()


def test_the_next_edition_has_a_message_of_its_own() -> None:
    """The struck-out one is left as it is: its reason is not known any more."""
    after, events = voting().replanned(at=NOW).planned(a_plan(), at=NOW)
    assert list(tell(voting().replanned(at=NOW), after, *events)) == ["api-prod-42/live/2"]


def test_a_void_plan_and_its_successor_in_one_go() -> None:
    """The old message is struck out, the thread belongs to it, and the new message comes beside it."""
    after = replace(voting().replanned(at=NOW), phase=Phase.GATING, edition=2)
    told = tell(voting(), after, BallotClosed(RUN, NOW, 1, "the tag moved", asks_again=True))
    assert list(told) == ["api-prod-42/live/1", "api-prod-42/live/2", "api-prod-42/thread/1/ballot_closed/1"]
    assert told["api-prod-42/thread/1/ballot_closed/1"].under == "api-prod-42/live/1"


def test_waiting_for_a_second_plan_has_a_message_of_its_own() -> None:
    """The struck-out message does not become a waiting one."""
    planning = voting().replanned(at=NOW)
    told = tell(planning, replace(planning, waiting_for="the registry does not answer"))
    assert {key: telling.channel for key, telling in told.items()} == {"api-prod-42/waiting/2": "#deploys"}


def test_a_run_that_ends_without_its_second_plan_ends_its_message() -> None:
    """No message promises a plan that will not come."""
    planning = voting().replanned(at=NOW)
    over, events = planning.ended(Phase.ABORTED, "aborted by <@U0BOB>", at=NOW)
    told = tell(planning, over, *events)
    assert "was aborted by <@U0BOB>" in told["api-prod-42/live/1"].content.text
    assert "a new plan follows" not in told["api-prod-42/live/1"].content.text


def test_the_end_is_edited_and_told() -> None:
    """Edit for who looks, thread for who does not."""
    over = ended(Phase.SUCCEEDED)
    told = tell(a_run(), over, RunEnded(RUN, NOW, Phase.SUCCEEDED, "", 12))
    end = f"api-prod-42/thread/1/run_ended/{int(NOW.timestamp() * 1000)}"
    assert sorted(told) == ["api-prod-42/live/1", end]


def test_the_same_event_told_twice_is_one_message() -> None:
    """A pass that died after its commit, or before it, cannot double anything."""
    event = StepEnded(RUN, NOW, StepKey("steps.smoke"), ok=False, said="503", elapsed_s=1)
    assert tell(a_run(), a_run(), event) == tell(a_run(), a_run(), event)


def test_different_events_are_different_messages() -> None:
    """Two steps failing at once, one failing twice, two people at once: each is told."""
    later = NOW + timedelta(milliseconds=1)
    events: list[Event] = [
        StepEnded(RUN, NOW, StepKey("gates.ci"), ok=False, said="red", elapsed_s=1),
        StepEnded(RUN, NOW, StepKey("gates.image"), ok=False, said="gone", elapsed_s=1),
        StepEnded(RUN, later, StepKey("gates.ci"), ok=False, said="red", elapsed_s=1),
        VoteTooLate(RUN, NOW, ANN),
        VoteTooLate(RUN, NOW, BOB),
    ]
    assert len(tell(a_run(), a_run(), *events)) == 5


def test_a_vote_that_comes_too_late_is_told_what_stops_the_release() -> None:
    """Whoever meant to reject it may still want that; once it has ended there is nothing to stop."""
    event = StrayVote(RUN, NOW, BOB, 1, "it was closed: approved by <@U0ANN>")
    goes_on, has_ended = a_run(ballot=voted()), ended(Phase.SUCCEEDED, ballot=voted())
    (going,), (over,) = (tell(run, run, event).values() for run in (goes_on, has_ended))
    assert going.content.text.endswith("To stop it: `/release abort api-prod-42`")
    assert "To stop it" not in over.content.text


def test_a_stray_vote_is_answered_in_private() -> None:
    """The voter learns that it moved nothing; the channel need not."""
    event = StrayVote(RUN, NOW, BOB, 1, "it was closed: approved by <@U0ANN>")
    told = tell(a_run(), a_run(), event)
    assert {key: telling.to for key, telling in told.items()} == {"api-prod-42/stray/1/U0BOB": BOB}
    assert "did not count: it was closed: approved by <@U0ANN>" in told["api-prod-42/stray/1/U0BOB"].content.text
