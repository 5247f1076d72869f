"""What is said in the thread of a release: everything that somebody must not miss by not seeing an edit.

Steps that succeed say nothing here unless they bring a picture; they show in the live message.
"""

from dataclasses import replace
from datetime import timedelta

from bot.domain.events import (
    AbortRequested,
    BallotClosed,
    BallotDecided,
    BallotOpened,
    Event,
    GlassReviewed,
    RestoreStarted,
    RunEnded,
    RunPaused,
    RunPlanned,
    RunResumed,
    StepEnded,
    StepWaited,
    VoteTooLate,
)
from bot.domain.outcome import Evidence
from bot.domain.phase import Phase
from bot.domain.release import image_set_at
from bot.domain.run import Run
from bot.ports.chat import Content
from bot.slack.ballot_lines import how_to_vote
from bot.slack.blocks import SECTION_LIMIT, Piece, content, section
from bot.slack.endings import ending, ending_details
from bot.slack.mrkdwn import (
    code,
    counted,
    escape,
    fenced,
    group_mention,
    mention,
    mentions,
    moment,
    people,
    quoted,
    size,
)
from bot.slack.news_lines import changes, live
from bot.slack.release_lines import before, change, who_lets_go_on
from bot.slack.wording import duration, key_word, ref_word
from commands.wording import slash_line


def thread_message(run: Run, event: Event) -> Content | None:
    """What the thread says about an event; `None` when it says nothing."""
    text = _about_votes(run, event) or _about_steps(run, event) or _about_run(run, event)
    if text is None:
        return None
    match event:
        case StepEnded(evidence=evidence, picture=picture):
            said = content(section(text), *(_evidence(item) for item in evidence))
            return replace(said, picture=picture)
        case StepWaited(picture=picture):
            return replace(content(section(text)), picture=picture)
    return content(section(text))


def _about_votes(run: Run, event: Event) -> str | None:
    match event:
        case BallotOpened():
            return _opened(run, event)
        case BallotDecided():
            return _decided(run, event)
        case BallotClosed():
            return None if run.phase.final else _closed(event)  # RunEnded says it
        case VoteTooLate():
            return _too_late(run, event)
        case GlassReviewed():
            return _reviewed(run, event)
        case _:
            return None


def _about_steps(run: Run, event: Event) -> str | None:
    match event:
        case StepWaited():
            return _asked(run, event) if event.asks else _waited(run, event)
        case StepEnded(ok=False):
            return None if _is_vote(run, event) else _failed(event)  # the ballot's own messages say it
        case StepEnded(picture=picture, evidence=evidence) if picture is not None or evidence:
            return _succeeded(event)
        case RestoreStarted():
            return _restoring(run, event)
        case _:
            return None


def _about_run(run: Run, event: Event) -> str | None:
    match event:
        case RunPaused():
            return _paused(event)
        case RunResumed():
            return f":arrow_forward: *Resumed* by {mention(event.by)}."
        case AbortRequested():
            return _abort(run, event)
        case RunPlanned():
            return changes(run.plan.news) if run.plan and run.plan.news else None
        case RunEnded():
            return _ended(run)
        case _:
            return None


def _opened(run: Run, event: BallotOpened) -> str:
    policy = run.plan.approval if run.plan else None
    vote = how_to_vote(policy) if policy else "react to approve or to reject"
    votes = f"{group_mention(event.group)} {counted(event.needed, 'vote')} needed for {change(run)}"
    until = moment(event.until, seen_from=event.at)
    asked = mention(run.request.requester)
    return (
        f"{votes}, seal {code(event.seal)}, until {until}.\nOn the release message above: {vote}. {asked} asked for it."
        f"{_exempt(run)}"
    )


def _exempt(run: Run) -> str:
    if run.plan is None or not run.plan.exempt:
        return ""
    place = escape(run.request.target.environment)
    return f"\n:rotating_light: *{place} is frozen*, and this asks to be let through: {quoted(run.plan.exempt)}."


def _decided(run: Run, event: BallotDecided) -> str:
    by = mentions(event.by)
    if event.break_glass:
        reason = f": {quoted(run.request.reason)}" if run.request.reason else ""
        said = f":rotating_light: *Break-glass* by {by}{reason}. Seal {code(event.seal)} goes on without votes."
        policy = run.plan.approval if run.plan else None
        if policy is None:
            return said
        approve, reject = (f":{escape(emoji)}:" for emoji in (policy.approve_emoji, policy.reject_emoji))
        return (
            f"{said}\n{group_mention(policy.group)}: one of you, please look at it now and react on the release "
            f"message above: {approve} it was right, {reject} it was not."
        )
    if event.approved:
        return f":white_check_mark: *Approved* by {by}: seal {code(event.seal)} goes on."
    return f":no_entry_sign: *Rejected* by {by}: seal {code(event.seal)} will not be carried out."


def _reviewed(run: Run, event: GlassReviewed) -> str:
    who = mention(event.by)
    if event.agrees:
        return f":mag: *Reviewed* by {who}: going on without votes was right."
    back = code(f"/rollback {run.request.target.service} {run.request.target.environment}")
    return f":mag: *Reviewed* by {who}, who would have *rejected* it. Go back: {back}"


def _closed(event: BallotClosed) -> str:
    after = "Its votes no longer count; a new one follows." if event.asks_again else "Its votes no longer count."
    return f":no_entry_sign: *Ballot closed:* {people(event.reason)}. {after}"


def _too_late(run: Run, event: VoteTooLate) -> str:
    emoji = run.plan.approval.approve_emoji if run.plan and run.plan.approval else "white_check_mark"
    stop = code(slash_line(f"abort {run.id}"))
    late = f"{mention(event.by)} took the :{escape(emoji)}: back after the change had started; it goes on."
    return f"{late} Stop it: {stop}"


def _waited(run: Run, event: StepWaited) -> str:
    # Standing gates speak of people by our own words; what a server said must call nobody.
    standing = run.plan is not None and any(gate.key == event.step for gate in run.plan.gates if gate.standing)
    why = people(event.why) if standing else quoted(event.why)
    return f":hourglass_flowing_sand: *{_name(event.step)}* waits: {why}."


def _asked(run: Run, event: StepWaited) -> str:
    """People must decide now: those who may are called."""
    policy = run.plan.approval if run.plan else None
    whom = f"{group_mention(policy.group)} " if policy else ""
    figures = f"\n{quoted(event.detail)}" if event.detail else ""
    said = f":raised_hand: {whom}*{_name(event.step)}* cannot go on by itself: {quoted(event.why)}.{figures}"
    return f"{said}\n{who_lets_go_on(run)}"


def _failed(event: StepEnded) -> str:
    took = duration(timedelta(seconds=event.elapsed_s))
    return f":x: *{_name(event.step)}* failed after {took}: {quoted(event.said)}."


def _succeeded(event: StepEnded) -> str:
    took = duration(timedelta(seconds=event.elapsed_s))
    said = f": {people(event.said)}" if event.said else ""
    return f":white_check_mark: *{_name(event.step)}* done after {took}{said}."


def _ended(run: Run) -> str:
    said = " ".join([ending(run), *ending_details(run)])
    news = run.plan.news if run.plan else None
    if run.phase is not Phase.SUCCEEDED or image_set_at(run) is None or news is None or news.back:
        return said
    return f"{said}\n{live(news)}"


def _restoring(run: Run, event: RestoreStarted) -> str:
    to = code(ref_word(event.to)) if event.to else "what ran before"
    why = people(event.reason) if run.wish else quoted(event.reason)
    if run.plan is not None and not run.plan.restores:
        return f":leftwards_arrow_with_hook: *Failure steps* begin; they restore nothing: {why}."
    return f":leftwards_arrow_with_hook: *Restoring* {to}: {why}."


def _paused(event: RunPaused) -> str:
    by = f"by {mention(event.by)}" if event.by else "by itself"
    why = f": {quoted(event.reason)}" if event.reason else ""
    go_on, stop = code(slash_line(f"resume {event.run_id}")), code(slash_line(f"abort {event.run_id}"))
    return f":double_vertical_bar: *Paused* {by}{why}.\nGo on: {go_on} · stop: {stop}"


def _abort(run: Run, event: AbortRequested) -> str:
    why = f": {quoted(event.reason)}" if event.reason else ""
    restores = run.changed and run.plan is not None and run.plan.restores
    leads = f"{before(run)} will be restored" if restores else "it stops at its next look"
    return f":octagonal_sign: *Abort asked* by {mention(event.by)}{why}; {leads}."


def _evidence(item: Evidence) -> Piece:
    title = f"*{quoted(item.title, limit=200)}*\n"
    return section(title + fenced(item.lines, limit=SECTION_LIMIT - size(title)))


def _is_vote(run: Run, event: StepEnded) -> bool:
    return any(step.kind == "approval" and step.key == event.step for step in run.plan.steps) if run.plan else False


def _name(key: str) -> str:
    return f"{'Gate' if key.startswith('gates.') else 'Step'} {escape(key_word(key))}"
