"""The release message in each state, as people read it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from inline_snapshot import snapshot

from bot.domain.approval import Approval
from bot.domain.ids import RunId, StepKey
from bot.domain.phase import Phase
from bot.domain.plan import Previous, Verb
from bot.domain.run import Pause, Run, StepRun, Wish
from bot.slack.release_message import planned_message, release_message, voided_message
from tests.slack.samples import (
    ANN,
    BOB,
    CID,
    NOW,
    OLD_DIGEST,
    a_ballot,
    a_plan,
    a_request,
    a_run,
    a_step,
    approved,
    at_step,
    done,
    ended,
    readable,
    running,
    voted,
    voting,
)


def said(run: Run) -> str:
    """The whole message as text."""
    return readable(release_message(run).text)


def buttons(run: Run) -> dict[str, Any]:
    """The message's buttons by their action id."""
    last: Any = release_message(run).blocks[-1]
    return {button["action_id"]: button for button in last["elements"]} if last["type"] == "actions" else {}


def test_an_open_ballot_shows_everything_a_vote_needs() -> None:
    """What changes, how to vote, who may, until when, the votes so far, and what failure will do."""
    assert said(voting()) == snapshot("""\
:ship: *api* `9f2c1e7` → *prod*
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>
from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`
▱▱▱▱  0 of 4 · waiting for votes
:white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d
:ballot_box_with_ballot: *Vote* on exactly this plan, seal `3f9a-c21e`:
react with :white_check_mark: to approve, :x: to reject.
2 votes of @release-approvers until [14:30 UTC]; one rejection is enough.
<@U0ANN> asked for it and does not count.
Votes: 1 of 2: <@U0BOB>
Do not count: <@U0ANN> (asked for this release)
If it fails: back to `77ab012`, then smoke tests, no vote needed.
Abort: `/release abort api-prod-42` · Pause: `/release pause api-prod-42` · Plan: `/release plan api-prod-42`\
""")


def test_a_used_approval_is_struck_out_and_names_who_gave_it() -> None:
    """Nobody mistakes a decided ballot for an open one."""
    assert said(at_step("rollout", running("2 of 3 pods ready"))) == snapshot("""\
:ship: *api* `9f2c1e7` → *prod*
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>
from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`
▰▰▱▱  2 of 4 · rolling out: 2 of 3 pods ready
:white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d
~Vote on seal `3f9a-c21e`~ approved by <@U0BOB>, <@U0CID> at [14:04 UTC]
If it fails: back to `77ab012`, then smoke tests, no vote needed.
Abort: `/release abort api-prod-42` · Pause: `/release pause api-prod-42` · Plan: `/release plan api-prod-42`\
""")


def test_an_approval_that_was_not_used_yet_says_until_when_it_may_be() -> None:
    """The second clock is as visible as the first."""
    run = a_run(ballot=voted(), approval=replace(approved(), used=False))
    assert said(at_step("set_image", StepRun(), run=run)).splitlines()[5] == snapshot(
        "~Vote on seal `3f9a-c21e`~ approved by <@U0BOB>, <@U0CID> at [14:04 UTC], to be used until [14:34 UTC]"
    )


def test_a_closed_ballot_names_why() -> None:
    """An approval that ran out leaves no ballot that looks alive."""
    run = a_run(ballot=a_ballot(closed="the approval was not used within 30 min"))
    assert said(run).splitlines()[5] == snapshot(
        "~Vote on seal `3f9a-c21e`~ closed: the approval was not used within 30 min"
    )


def test_broken_glass_is_loud() -> None:
    """Nobody voted, and everybody can see that."""
    run = a_run(approval=Approval((ANN,), NOW, NOW + timedelta(minutes=30), break_glass=True))
    assert said(run).splitlines()[5] == snapshot(
        ":rotating_light: *Break-glass* by <@U0ANN> at [14:00 UTC]: nobody was asked"
    )


def test_a_step_that_cannot_see_its_server_says_so() -> None:
    """A wait for something that should have been there is not progress."""
    run = at_step("rollout", running("the cluster does not answer; trying again", blocked=True))
    assert said(run).splitlines()[3] == snapshot(
        "▰▰▱▱  2 of 4 · :warning: rolling out waits: the cluster does not answer; trying again"
    )


def test_a_pause_and_an_abort_are_named_with_their_authors() -> None:
    """Whoever finds a release standing still sees who stopped it, why, and how it goes on."""
    run = at_step("rollout", running(), run=a_run(pause=Pause(BOB, "looks odd"), wish=Wish(CID, "wrong version")))
    assert said(run).splitlines()[3:6] == snapshot(
        [
            ":double_vertical_bar: *Paused* by <@U0BOB>: looks odd. Go on: `/release resume api-prod-42`",
            ":octagonal_sign: *Abort asked* by <@U0CID>: wrong version. It stops at its next look.",
            "▰▰▱▱  2 of 4 · rolling out",
        ]
    )
    assert sorted(buttons(run)) == ["plan", "resume"]


def test_a_run_that_paused_itself_says_so() -> None:
    """No person is named for what Sluice decided."""
    run = at_step("smoke", running(), run=a_run(pause=Pause(None, "not enough evidence"), waiting_for="the database"))
    assert said(run).splitlines()[3:5] == snapshot(
        [
            ":warning: *Waits:* the database",
            ":double_vertical_bar: *Paused* by itself: not enough evidence. Go on: `/release resume api-prod-42`",
        ]
    )


def test_restoring_shows_its_own_progress() -> None:
    """What is undone and why, and how far that is; there is nothing left to abort."""
    run = a_run(phase=Phase.RESTORING, reason="rollout failed: ImagePullBackOff", changed=True)
    restored = replace(run, steps={**run.steps, StepKey("on_failure.restore"): done()})
    assert said(restored) == snapshot("""\
:ship: *api* `9f2c1e7` → *prod*
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>
from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`
:leftwards_arrow_with_hook: *Restoring* `77ab012`: rollout failed: ImagePullBackOff
▰▱  1 of 2 · smoke tests
:white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d
If the restore fails too, it stops and says so here.
Plan: `/release plan api-prod-42`\
""")
    assert sorted(buttons(run)) == ["plan"]


def test_an_abort_that_restores_names_who_asked() -> None:
    """The engine's reason names people by id."""
    run = a_run(phase=Phase.RESTORING, reason="aborted by <@U0BOB>: wrong", wish=Wish(BOB, "wrong"), changed=True)
    assert said(run).splitlines()[3] == snapshot(
        ":leftwards_arrow_with_hook: *Restoring* `77ab012`: aborted by <@U0BOB>: wrong"
    )


def test_a_rollback_reads_as_one() -> None:
    """The way back is not announced as a release."""
    plan = a_plan(verb=Verb.ROLLBACK, notes=("77ab012 ran 40 d ago",), reason="carts are empty")
    run = a_run(request=a_request(verb=Verb.ROLLBACK, ref=""), plan=plan)
    assert said(run).splitlines()[:5] == snapshot(
        [
            ":rewind: *api* back to `9f2c1e7` in *prod*",
            "deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>",
            "from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`",
            "reason: carts are empty",
            ":warning: 77ab012 ran 40 d ago",
        ]
    )


def test_a_first_release_has_nothing_to_go_back_to() -> None:
    """The message promises no restore that cannot be kept."""
    assert said(a_run(plan=a_plan(previous=None))).splitlines()[2:6] == snapshot(
        [
            "the first known release there · image `sha256:8c1d8c1d8c1d`",
            "▱▱▱▱  0 of 4 · waiting for votes",
            ":white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d",
            "If it fails: it stops where it is and says so; nothing is restored by itself.",
        ]
    )


def test_what_is_not_known_of_the_version_before_is_not_made_up() -> None:
    """No age and no health are recorded: the message says so."""
    run = a_run(plan=a_plan(previous=Previous("ghcr.io/acme/api:77ab012", "77ab012")))
    assert said(run).splitlines()[2] == snapshot("from `77ab012` (health unknown) · image `sha256:8c1d8c1d8c1d`")


def test_text_from_outside_is_escaped() -> None:
    """A reference or a reason can neither mention anybody nor break the message."""
    run = a_run(request=a_request(ref="<!channel>"), plan=None, phase=Phase.PLANNING, waiting_for="<!here> & `x`")
    assert said(run).splitlines()[:2] == snapshot(
        [
            ":hourglass_flowing_sand: *api* `&lt;!channel&gt;` → *prod*",
            "waiting: &lt;!here&gt; &amp; `x`. Nothing is changed yet.",
        ]
    )


def test_a_run_without_a_plan_says_what_it_waits_for() -> None:
    """Somebody who asked knows that it was heard."""
    run = Run(RunId("api-prod-42"), a_request(), NOW, phase=Phase.PLANNING, waiting_for="the registry does not answer")
    assert said(run) == snapshot("""\
:hourglass_flowing_sand: *api* `9f2c1e7` → *prod*
waiting: the registry does not answer. Nothing is changed yet.
deploy · run `api-prod-42` · asked by <@U0ANN>
Abort: `/release abort api-prod-42`\
""")
    assert planned_message(run).text == snapshot("~*api* `9f2c1e7` → *prod* waits~ Planned: see its release message.")


def test_a_void_edition_is_struck_out_and_says_why() -> None:
    """Votes on it no longer count, and a new message follows."""
    assert readable(voided_message(voting(), "the tag means another image now").text) == snapshot("""\
~*api* `9f2c1e7` → *prod*~
*Void:* the tag means another image now; votes here no longer count; a new plan follows.
~deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>~\
""")
    assert "votes" not in voided_message(a_run(), "").text


def test_buttons_are_whole_commands() -> None:
    """A click becomes the same line as typing it."""
    values = {action: button["value"] for action, button in buttons(voting()).items()}
    assert values == {"abort": "abort api-prod-42", "pause": "pause api-prod-42", "plan": "plan api-prod-42"}


def test_abort_asks_first_and_says_what_it_leads_to() -> None:
    """Before the change nothing happens; after it the version before comes back, or nothing does."""
    unsafe = a_run(changed=True, plan=a_plan(on_failure=()))
    runs = (voting(), a_run(changed=True), unsafe)
    assert [buttons(run)["abort"]["confirm"]["text"]["text"] for run in runs] == snapshot(
        [
            "Abort api-prod-42, api 9f2c1e7 → prod? Nothing has been changed yet, and nothing will be.",
            "Abort api-prod-42, api 9f2c1e7 → prod? It is stopped and 77ab012 is restored.",
            "Abort api-prod-42, api 9f2c1e7 → prod? It is stopped where it is; nothing is restored by itself.",
        ]
    )


def test_roll_back_asks_first_and_names_both_versions() -> None:
    """Nobody rolls back without reading what will run."""
    run = ended(Phase.SUCCEEDED)
    assert buttons(run)["rollback"]["value"] == f"rollback api prod to {OLD_DIGEST}"
    assert buttons(run)["rollback"]["confirm"]["text"]["text"] == snapshot(
        "Roll api in prod back from 9f2c1e7 to 77ab012?"
    )


def test_the_message_is_within_slacks_limits_at_its_worst() -> None:
    """Everything long at once still has its buttons."""
    long = "x" * 5000
    plan = a_plan(gates=tuple(a_step(f"gates.{number}") for number in range(60)), reason=long, notes=(long,) * 9)
    steps = {gate.key: done(long) for gate in plan.gates}
    message = release_message(replace(voting(), plan=plan, steps=steps))
    assert message.blocks[-1]["type"] == "actions"
    assert len(json.dumps(message.blocks)) < 13_000
