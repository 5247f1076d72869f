"""The live message of a release: edited in place from the plan to the end. A pure function of the run."""

from bot.domain.phase import Phase
from bot.domain.plan import Plan, Verb
from bot.domain.run import Run
from bot.ports.chat import Content
from bot.slack.ballot_lines import ballot_lines
from bot.slack.blocks import Button, Confirm, Piece, actions, content, context, section
from bot.slack.endings import WayBack, ending, ending_details, way_back
from bot.slack.mrkdwn import code, mention, people, plain, quoted, strike
from bot.slack.release_lines import (
    asks,
    before,
    change,
    figures,
    gate_paragraphs,
    notes,
    origin,
    progress,
    small_print,
    waits_for,
    wanted,
)
from bot.slack.wording import ref_word, step_word
from commands.wording import slash_line


def release_message(run: Run) -> Content:
    """How the message of the run's present edition stands."""
    if run.phase.final:
        return _ended(run)
    if run.plan is None or run.phase in (Phase.QUEUED, Phase.PLANNING):
        return waiting_message(run)
    return _active(run, run.plan)


def waiting_message(run: Run) -> Content:
    """A run without a plan yet, and what it waits for."""
    why = f"waiting: {waits_for(run)}" if run.waiting_for else "being planned"
    return content(
        section(f":hourglass_flowing_sand: {change(run)}\n{why}. Nothing is changed yet."),
        context(small_print(run)),
        actions(abort_button(run)),
    )


def planned_message(run: Run) -> Content:
    """What a waiting message becomes when there is a plan: the release message takes over."""
    return content(section(f"{strike(f'{change(run)} waits')} Planned: see its release message."))


def voided_message(run: Run, reason: str) -> Content:
    """What an edition's message becomes when its plan no longer holds. `reason` may be empty."""
    why = quoted(reason) if reason else "the world changed after it was planned"
    votes = "votes here no longer count; " if run.ballot else ""
    return content(
        section(f"{strike(change(run))}\n*Void:* {why}; {votes}a new plan follows."),
        context(strike(small_print(run))),
    )


def abort_button(run: Run) -> Button:
    """Stops the run; asks first, and says what that leads to."""
    after = before(run)
    if run.changed and run.plan and run.plan.restores:
        leads = f"It is stopped and {plain(after or 'the version before')} is restored."
    elif run.changed:
        leads = "It is stopped where it is; nothing is restored by itself."
    else:
        leads = "Nothing has been changed yet, and nothing will be."
    question = f"Abort {run.id}, {plain(change(run))}? {leads}".replace("`", "")
    confirm = Confirm("Abort this release?", question, yes="Abort it")
    return Button("Abort", "abort", f"abort {run.id}", style="danger", confirm=confirm)


def _active(run: Run, plan: Plan) -> Content:
    sign = ":rewind:" if run.request.verb is Verb.ROLLBACK else ":ship:"
    ballot = ballot_lines(run)
    gates = gate_paragraphs(run, plan)
    return content(
        section(f"{sign} {change(run)}"),
        context(small_print(run)),
        section("\n".join([origin(run, plan), *notes(run, plan)])),
        section("\n".join([*_state(run), progress(run, plan), *figures(run), *asks(run)])),
        *(section(paragraph) for paragraph in gates),
        *([section("\n".join(ballot))] if ballot else []),
        context(_if_it_fails(run, plan)),
        actions(*_buttons(run)),
    )


def _ended(run: Run) -> Content:
    ballot = ballot_lines(run)
    gates = gate_paragraphs(run, run.plan) if run.plan else []
    pieces: list[Piece] = [
        section("\n".join([ending(run), *ending_details(run)])),
        *(section(paragraph) for paragraph in gates),
        *([context(*ballot)] if ballot else []),
        context(small_print(run)),
    ]
    back = way_back(run)
    if run.phase is Phase.SUCCEEDED and back:
        pieces.append(actions(_rollback_button(run, back)))
    return content(*pieces)


def _state(run: Run) -> list[str]:
    lines = []
    if run.phase is Phase.RESTORING:
        why = people(run.reason) if run.wish else quoted(run.reason)
        restores = run.plan is not None and run.plan.restores
        doing = f"*Restoring* {before(run)}" if restores else "*Failure steps*, which restore nothing"
        lines.append(f":leftwards_arrow_with_hook: {doing}: {why}")
    if run.waiting_for:
        lines.append(f":warning: *Waits:* {waits_for(run)}")
    if run.pause is not None:
        by = f"by {mention(run.pause.by)}" if run.pause.by else "by itself"
        go_on = code(slash_line(f"resume {run.id}"))
        why = f": {quoted(run.pause.reason)}" if run.pause.reason else ""
        lines.append(f":double_vertical_bar: *Paused* {by}{why}. Go on: {go_on}")
    if run.wish is not None and run.phase is not Phase.RESTORING:
        why = f": {quoted(run.wish.reason)}" if run.wish.reason else ""
        lines.append(f":octagonal_sign: *Abort asked* by {mention(run.wish.by)}{why}. It stops at its next look.")
    return lines


def _if_it_fails(run: Run, plan: Plan) -> str:
    if run.phase is Phase.RESTORING:
        return f"If {'the restore fails' if plan.restores else 'one of these fails'} too, it stops and says so here."
    if not plan.restores:
        return "If it fails: it stops where it is and says so; nothing is restored by itself."
    others = [step_word(step) for step in plan.on_failure if step.kind != "restore"]
    then = f", then {', '.join(others)}" if others else ""
    first = "all traffic back at once, " if plan.traffic else ""
    return f"If it fails: {first}back to {before(run)}{then}, no vote needed."


def _buttons(run: Run) -> list[Button]:
    plan = Button("Plan", "plan", f"plan {run.id}")
    if run.phase is Phase.RESTORING:
        return [plan]
    pause = Button("Resume", "resume", f"resume {run.id}") if run.pause else Button("Pause", "pause", f"pause {run.id}")
    go_on = [_go_on_button(run)] if asks(run) else []
    return [*go_on, *([abort_button(run)] if run.wish is None else []), pause, plan]


def _go_on_button(run: Run) -> Button:
    question = f"Let {run.id} go on, {plain(change(run))}?".replace("`", "")
    confirm = Confirm("Let it go on?", question, yes="Let it go on")
    return Button("Promote now", "promote", f"promote {run.id}", confirm=confirm)


def _rollback_button(run: Run, back: WayBack) -> Button:
    target = run.request.target
    question = f"Roll {target.service} in {target.environment} back from {wanted(run)} to {ref_word(back.ref)}?"
    confirm = Confirm("Roll back?", plain(question).replace("`", ""), yes="Roll back")
    return Button("Roll back", "rollback", back.line, confirm=confirm, is_said=True)
