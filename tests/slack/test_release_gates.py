"""Gates in the release message: what stands in the way first, and all of it within Slack's limits."""

import json
from dataclasses import replace
from typing import Any

from inline_snapshot import snapshot

from bot.domain.ids import StepKey
from bot.domain.phase import Phase, StepPhase
from bot.domain.run import Run, StepRun
from bot.slack.blocks import BLOCKS_LIMIT, MESSAGE_LIMIT, SECTION_LIMIT
from bot.slack.mrkdwn import size
from bot.slack.release_message import release_message
from tests.slack.samples import NOW, a_plan, a_run, a_step, done, failed, readable, running


def said(run: Run) -> str:
    """The whole message as text."""
    return readable(release_message(run).text)


def test_gates_are_shown_while_they_are_asked() -> None:
    """Which passed, which waits for what, and that nothing has begun."""
    steps = {StepKey("gates.ci"): running("12 of 14 checks done")}
    assert said(a_run(phase=Phase.GATING, steps=steps)) == snapshot("""\
:ship: *api* `9f2c1e7` → *prod*
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>
from `77ab012` (2 d, healthy) · image `sha256:8c1d8c1d8c1d`
▱▱▱▱  0 of 4 · gates first: 0 of 2 passed
:hourglass_flowing_sand: *ci* waits: 12 of 14 checks done
:white_circle: *image* not yet
If it fails: back to `77ab012`, then smoke tests, no vote needed.
Abort: `/release abort api-prod-42` · Pause: `/release pause api-prod-42` · Plan: `/release plan api-prod-42`\
""")


def test_each_gate_tells_its_state_in_words() -> None:
    """Nobody needs to see a colour: failed, blocked and not yet are words."""
    names = ("ci", "image", "soak", "order")
    plan = a_plan(gates=tuple(a_step(f"gates.{name}") for name in names))
    steps = {
        StepKey("gates.ci"): failed("13 of 14 checks passed"),
        StepKey("gates.image"): running("the registry does not answer; trying again", blocked=True),
        StepKey("gates.soak"): done(),
    }
    message = said(a_run(phase=Phase.GATING, plan=plan, steps=steps))
    assert message.splitlines()[4:7] == snapshot(
        [
            ":x: *ci* failed: 13 of 14 checks passed",
            ":warning: *image* waits: the registry does not answer; trying again",
            ":white_check_mark: *soak* passed   :white_circle: *order* not yet",
        ]
    )


TEN = {
    "freeze": done("no window"),
    "lock": done("free"),
    "ci": replace(done("14/14"), link="https://github.com/acme/api/commit/9f2c1e7/checks"),
    "image": done("sha256:8c1d8c1d8c1d"),
    "vulnerabilities": replace(failed("1 CRITICAL, 2 HIGH at or above HIGH"), link="https://ghcr.io/acme/api"),
    "signature": done("signed by release@acme.example"),
    "soak": done("healthy in staging for 26 h"),
    "order": done("3 commits ahead of 77ab012"),
    "budget": done("72 % of the budget left"),
    "pairing": failed("web needs api >=1.4, and prod runs `v1`; `/promote api staging prod` first"),
}


def with_ten_gates(**changes: Any) -> Run:
    """A release of which two gates have failed and eight have passed."""
    plan = a_plan(gates=tuple(a_step(f"gates.{name}") for name in TEN))
    steps = {StepKey(f"gates.{name}"): step for name, step in TEN.items()}
    return a_run(**{"phase": Phase.REFUSED, "plan": plan, "steps": steps, "reason": "two gates failed"} | changes)


def test_ten_gates_read_at_a_glance() -> None:
    """What stands in the way comes first, a line each; the rest in a row, each with its figure and its link."""
    *above, row, below = said(with_ten_gates()).splitlines()
    assert [*above, *row.split("   "), below] == snapshot(
        [
            ":no_entry: *api* `9f2c1e7` → *prod* was *refused*.",
            "Why: 2 of 10 gates did not pass, as shown below.",
            "Nothing was changed; `77ab012` still runs.",
            "Ask again: `/deploy api 9f2c1e7 prod`",
            ":x: *<https://ghcr.io/acme/api|vulnerabilities>* failed: 1 CRITICAL, 2 HIGH at or above HIGH",
            ":x: *pairing* failed: web needs api &gt;=1.4, and prod runs `v1`; `/promote api staging prod` first",
            ":white_check_mark: *freeze* no window",
            ":white_check_mark: *lock* free",
            ":white_check_mark: *<https://github.com/acme/api/commit/9f2c1e7/checks|ci>* 14/14",
            ":white_check_mark: *image* sha256:8c1d8c1d8c1d",
            ":white_check_mark: *signature* signed by release@acme.example",
            ":white_check_mark: *soak* healthy in staging for 26 h",
            ":white_check_mark: *order* 3 commits ahead of 77ab012",
            ":white_check_mark: *budget* 72 % of the budget left",
            "deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>",
        ]
    )


def test_ten_long_gates_stay_within_slacks_limits() -> None:
    """However much each of them has to say, and wherever it leads."""
    long = StepRun(StepPhase.FAILED, NOW, NOW, why="x & " * 400, link="https://ci.example/" + "a" * 400)
    steps = {StepKey(f"gates.{name}"): long for name in TEN}
    for phase in (Phase.REFUSED, Phase.GATING):
        message = release_message(with_ten_gates(steps=steps, phase=phase))
        blocks: Any = message.blocks
        assert len(blocks) <= BLOCKS_LIMIT
        assert all(size(block["text"]["text"]) <= SECTION_LIMIT for block in blocks if block["type"] == "section")
        assert size(json.dumps(message.blocks, ensure_ascii=False)) <= MESSAGE_LIMIT
