"""What people read when a canary cannot go on by itself: in the thread, in the release message, on the button."""

from dataclasses import replace
from textwrap import fill
from typing import Any

from inline_snapshot import snapshot

from bot.domain.events import StepEnded, StepWaited
from bot.domain.ids import RunId, StepKey
from bot.domain.outcome import Question
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import PlannedStep, Verb
from bot.domain.run import Consent, Pause, Run, StepRun, Wish
from bot.domain.traffic import Route, Router
from bot.slack.release_message import release_message
from bot.slack.thread_messages import thread_message
from tests.builders import a_picture
from tests.slack.samples import ANN, BOB, CID, NOW, a_plan, a_request, a_run, a_step, approved, done, readable, voted

KEY = StepKey("steps.canary")
RUN = RunId("api-prod-42")
WHY = "too little to tell: nothing from the canary for 21 min"
FIGURES = "errors 0 % vs 0.1 % (0 of 0 vs 12 of 12,000)"
ROUTE = Route(Router.GATEWAY_API, a_plan().workload, "api", "api")


def a_canary(seen: StepRun, **changes: Any) -> Run:
    """Approved, and at its first share."""
    planned = PlannedStep(KEY, "canary", {"weight": "5%"}, a_step(KEY).deadline, changes=True)
    steps = (a_step("steps.approval"), planned, a_step("steps.promote"))
    plan = a_plan(verb=Verb.CANARY, steps=steps, traffic=ROUTE)
    before = a_run(plan=plan, request=a_request(verb=Verb.CANARY))
    known = {**before.steps, StepKey("steps.approval"): done(), KEY: seen}
    run = replace(before, steps=known, approval=approved(), ballot=voted(), changed=True)
    return replace(run, **changes)


def asking(**changes: Any) -> Run:
    """People are asked, with the figures of now."""
    seen = StepRun(StepPhase.RUNNING, NOW, why=WHY, blocked_since=NOW, asks=Question.UNDECIDED, detail=FIGURES)
    return a_canary(seen, **changes)


def unprotected(run: Run) -> Run:
    """The same where nobody has to approve."""
    return replace(run, plan=replace(run.sealed_plan(), approval=None), approval=None, ballot=None)


def folded(text: str) -> str:
    """A message as a narrow window shows it."""
    return "\n".join(fill(line, 110) for line in readable(text).splitlines())


def said(run: Run) -> str:
    """The whole release message."""
    return folded(release_message(run).text)


def buttons(run: Run) -> list[str]:
    """The action ids of its buttons, in order."""
    last: Any = release_message(run).blocks[-1]
    return [button["action_id"] for button in last["elements"]] if last["type"] == "actions" else []


def told(event: StepWaited | StepEnded, run: Run) -> str:
    """The thread's message."""
    content = thread_message(run, event)
    assert content is not None
    return folded(content.text)


def test_the_release_message_says_what_people_decide() -> None:
    """The question, who may answer it, and what to type for yes and for no."""
    assert said(asking()) == snapshot("""\
:ship: *api* `9f2c1e7` → *prod*
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>
from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`
▰▱▱  1 of 3 · :raised_hand: canary 5 %: people decide
errors 0 % vs 0.1 % (0 of 0 vs 12 of 12,000)
:raised_hand: *People decide:* too little to tell: nothing from the canary for 21 min.
2 of @release-approvers, other than <@U0ANN>, may type `/promote api prod` to let it go on; `/release abort
api-prod-42` takes its traffic away.
:white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d
~Vote on seal `3f9a-c21e`~ approved by <@U0BOB>, <@U0CID> at [14:04 UTC]
If it fails: all traffic back at once, back to `77ab012`, then smoke tests, no vote needed.
Promote now: `/promote api-prod-42` · Abort: `/release abort api-prod-42` · Pause: `/release pause api-
prod-42` · Plan: `/release plan api-prod-42`\
""")


def test_who_has_answered_already_is_named() -> None:
    """An answer to another step is none."""
    assert "So far: <@U0BOB>, <@U0CID>." in said(asking(consent=Consent(KEY, (BOB, CID), Question.UNDECIDED)))
    assert "So far" not in said(asking(consent=Consent(StepKey("steps.promote"), (BOB,), Question.UNDECIDED)))


def test_where_nobody_has_to_approve_anybody_may_decide() -> None:
    """Nobody is excluded, and nobody is called."""
    assert "Anybody here may type `/promote api prod` to let it go on" in said(unprotected(asking()))
    event = StepWaited(RUN, NOW, KEY, WHY, asks=Question.UNDECIDED)
    assert "<!subteam" not in told(event, unprotected(asking()))


def test_the_button_is_there_as_long_as_people_are_asked() -> None:
    """And says what it will do before it does."""
    assert buttons(asking()) == snapshot(["promote", "abort", "pause", "plan"])
    assert "promote" not in buttons(a_canary(StepRun(StepPhase.RUNNING, NOW, why="judging")))
    assert "promote" not in buttons(replace(asking(), phase=Phase.RESTORING))
    last: Any = release_message(asking()).blocks[-1]
    (button,) = (one for one in last["elements"] if one["action_id"] == "promote")
    assert (button["value"], button["confirm"]["text"]["text"]) == snapshot(
        ("promote api-prod-42", "Let api-prod-42 go on, api 9f2c1e7 → prod?")
    )


def test_a_stop_leaves_the_question_standing() -> None:
    """Until the run has honoured it; it can also be paused meanwhile."""
    assert ":raised_hand:" in said(asking(pause=Pause(BOB, "lunch")))
    assert "abort" not in buttons(asking(wish=Wish(BOB, "enough")))


def test_figures_stand_on_lines_of_their_own() -> None:
    """While the canary is judged, too."""
    seen = StepRun(StepPhase.RUNNING, NOW, why="judging 2m of 10m", detail=f"{FIGURES}\nno harm seen yet")
    assert said(a_canary(seen)) == snapshot("""\
:ship: *api* `9f2c1e7` → *prod*
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>
from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`
▰▱▱  1 of 3 · canary 5 %: judging 2m of 10m
errors 0 % vs 0.1 % (0 of 0 vs 12 of 12,000)
no harm seen yet
:white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d
~Vote on seal `3f9a-c21e`~ approved by <@U0BOB>, <@U0CID> at [14:04 UTC]
If it fails: all traffic back at once, back to `77ab012`, then smoke tests, no vote needed.
Abort: `/release abort api-prod-42` · Pause: `/release pause api-prod-42` · Plan: `/release plan api-prod-42`\
""")


def test_the_thread_calls_those_who_may_decide() -> None:
    """With the figures, and the picture beside."""
    event = StepWaited(RUN, NOW, KEY, WHY, asks=Question.UNDECIDED, detail=FIGURES, picture=a_picture())
    assert told(event, asking()) == snapshot("""\
:raised_hand: <!subteam^@release-approvers> *Step canary* cannot go on by itself: too little to tell: nothing
from the canary for 21 min.
errors 0 % vs 0.1 % (0 of 0 vs 12 of 12,000)
2 of @release-approvers, other than <@U0ANN>, may type `/promote api prod` to let it go on; `/release abort
api-prod-42` takes its traffic away.\
""")
    content = thread_message(asking(), event)
    assert content is not None
    assert content.picture == a_picture()


def test_a_wait_for_a_server_calls_nobody() -> None:
    """Nobody can answer it."""
    event = StepWaited(RUN, NOW, KEY, "judging 2m of 10m; the metrics server cannot be reached")
    assert told(event, asking()) == snapshot(
        ":hourglass_flowing_sand: *Step canary* waits: judging 2m of 10m; the metrics server cannot be reached."
    )


def test_those_who_let_it_go_on_are_named_as_people() -> None:
    """And nothing else in the text acts as markup."""
    text = f"<@{ANN}>, <@U0BOB> let it go on; errors <!here> 0 %"
    event = StepEnded(RUN, NOW, KEY, ok=True, said=text, elapsed_s=1300, picture=a_picture())
    assert told(event, asking()) == snapshot("""\
:white_check_mark: *Step canary* done after 21 min 40 s: <@U0ANN>, <@U0BOB> let it go on; errors &lt;!here&gt;
0 %.\
""")
