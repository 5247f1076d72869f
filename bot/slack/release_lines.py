"""The lines of a release message that its active and its final form share. Pure functions of a run."""

from datetime import datetime

from bot.domain.outcome import Question
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import Plan, PlannedStep, Verb
from bot.domain.run import Run, StepRun
from bot.engine.standing import stands_in_the_way
from bot.slack.mrkdwn import code, escape, link, mention, mentions, people, quoted
from bot.slack.news_lines import summary
from bot.slack.wording import age, bar, gate_word, health, ref_word, step_word
from commands.wording import slash_line

_FIGURE_LIMIT = 300
_PASSED_LIMIT = 100
"""A gate that passed stands in a row with others: its figure is short, and the thread has the rest."""

YES: dict[Question | None, str] = {Question.SHARE: "have its share set again"}
"""What a yes does, where it does not let the step go on."""


def service(run: Run) -> str:
    """`*api*`."""
    return f"*{escape(run.request.target.service)}*"


def environment(run: Run) -> str:
    """`*prod*`."""
    return f"*{escape(run.request.target.environment)}*"


def wanted(run: Run) -> str:
    """What shall run, as it was named; before there is a plan, as it was typed."""
    ref = run.plan.artifact.ref if run.plan else run.request.ref
    if ref:
        return code(ref_word(ref))
    origin = run.request.origin
    return f"what runs in *{escape(origin)}*" if origin else "the last known good version"


def before(run: Run) -> str | None:
    """What ran before; `None` when that is not known."""
    return code(ref_word(run.plan.previous.ref)) if run.plan and run.plan.previous else None


def change(run: Run) -> str:
    """The change in one line: `*api* `9f2c1e7` → *prod*`."""
    if run.request.verb is Verb.ROLLBACK:
        return f"{service(run)} back to {wanted(run)} in {environment(run)}"
    return f"{service(run)} {wanted(run)} → {environment(run)}"


def small_print(run: Run) -> str:
    """Runbook, run, seal and who asked."""
    asked = f"asked by {mention(run.request.requester)}"
    if run.plan is None:
        return f"{run.request.verb} · run {code(run.id)} · {asked}"
    return f"{escape(run.plan.runbook.name)} · run {code(run.id)} · seal {code(run.plan.seal)} · {asked}"


def origin(run: Run, plan: Plan) -> str:
    """What runs until this release, since when and how well, and what will run instead."""
    image = f"image {code(ref_word(plan.artifact.digest))}"
    if plan.news:
        image = f"{summary(plan.news)} · {image}"
    if plan.previous is None:
        return f"the first known release there · {image}"
    known = []
    if plan.previous.since is not None:
        known.append(age(_start(run) - plan.previous.since))
    known.append(health(plan.previous))
    return f"from {code(ref_word(plan.previous.ref))} ({', '.join(known)}) · {image}"


def notes(run: Run, plan: Plan) -> list[str]:
    """The requester's reason and what the planner wants people to know."""
    reason = plan.reason or run.request.reason
    return [
        *([f"reason: {quoted(reason)}"] if reason else []),
        *(f":warning: {quoted(note, limit=_FIGURE_LIMIT)}" for note in plan.notes),
    ]


def progress(run: Run, plan: Plan) -> str:
    """The bar, how many steps are done, and what is being done now."""
    steps = plan.on_failure if run.phase is Phase.RESTORING else plan.steps
    done = sum(run.step(step.key).phase is StepPhase.SUCCEEDED for step in steps)
    return f"{bar(done, len(steps))}  {done} of {len(steps)} · {_now(run, plan)}"


def figures(run: Run) -> list[str]:
    """What the step that is being done has measured until now."""
    step = run.current()
    detail = run.step(step.key).detail if step else ""
    return [f"{quoted(line, limit=_FIGURE_LIMIT)}" for line in detail.splitlines()]


def asks(run: Run) -> list[str]:
    """What people are asked, who may answer, and how; nothing when they are not."""
    step = run.current()
    if step is None or not run.step(step.key).asks:
        return []
    given = run.yes_to(step.key)
    so_far = f" So far: {mentions(given)}." if given else ""
    return [f":raised_hand: *People decide:* {quoted(run.step(step.key).why)}.", f"{who_lets_go_on(run)}{so_far}"]


def who_lets_go_on(run: Run) -> str:
    """Who may let a waiting step go on, and what to type for that and for its opposite."""
    target = run.request.target
    go_on, stop = (
        code(slash_line(line)) for line in (f"promote {target.service} {target.environment}", f"abort {run.id}")
    )
    policy = run.plan.approval if run.plan else None
    who = "Anybody here"
    if policy is not None:
        who = (
            f"{policy.count} of @{escape(policy.group.removeprefix('@'))}, other than {mention(run.request.requester)},"
        )
    step = run.current()
    asked = run.step(step.key).asks if step else None
    return f"{who} may type {go_on} to {YES.get(asked, 'let it go on')}; {stop} takes its traffic away."


def waits_for(run: Run) -> str:
    """What the run itself waits for. Locks and standing gates name people by our own words; what a server said must
    mention nobody."""
    gate = stands_in_the_way(run)
    ours = run.phase is Phase.QUEUED or (gate is not None and run.waiting_for.startswith(f"gate {gate.kind}: "))
    return people(run.waiting_for) if ours else quoted(run.waiting_for)


def gate_paragraphs(run: Run, plan: Plan) -> list[str]:
    """Each gate with its figure; words and signs, so that no colour is needed. What stands in the way comes first, a
    line each; what passed follows in a row. Nothing where there is no gate."""
    shown = [(gate, run.step(gate.key)) for gate in plan.gates]
    bad = [_gate_line(gate, seen) for gate, seen in shown if seen.phase is StepPhase.FAILED]
    waiting = [_gate_line(gate, seen, over=run.phase.final) for gate, seen in shown if seen.phase is StepPhase.RUNNING]
    good = [_gate_line(gate, seen, limit=_PASSED_LIMIT) for gate, seen in shown if seen.phase is StepPhase.SUCCEEDED]
    later = [_gate_line(gate, seen) for gate, seen in shown if seen.phase is StepPhase.PENDING]
    row = "   ".join([*good, *later])
    return [paragraph for paragraph in ("\n".join(bad), "\n".join(waiting), row) if paragraph]


def _now(run: Run, plan: Plan) -> str:
    if run.phase is Phase.GATING:
        passed = sum(run.step(gate.key).phase is StepPhase.SUCCEEDED for gate in plan.gates)
        return f"gates first: {passed} of {len(plan.gates)} passed"
    step = run.current()
    if step is None:
        return "finishing"
    seen = run.step(step.key)
    if seen.asks:
        return f":raised_hand: {step_word(step)}: people decide"
    why = f": {quoted(seen.why, limit=_FIGURE_LIMIT)}" if seen.why else ""
    word = link(seen.link, step_word(step))
    return f":warning: {word} waits{why}" if seen.blocked else f"{word}{why}"


def _gate_line(gate: PlannedStep, seen: StepRun, *, limit: int = _FIGURE_LIMIT, over: bool = False) -> str:
    """`over`: the run has ended, and what it still waited for is not waited for any more."""
    name = f"*{link(seen.link, gate_word(gate))}*"
    # Standing gates speak of people by our own words; what others say must mention nobody.
    figure = people(seen.why) if gate.standing else quoted(seen.why, limit=limit)
    match seen.phase:
        case StepPhase.SUCCEEDED:
            return f":white_check_mark: {name} {figure or 'passed'}"
        case StepPhase.FAILED:
            return f":x: {name} failed" + (f": {figure}" if figure else "")
        case StepPhase.PENDING:
            return f":white_circle: {name} not yet"
        case StepPhase.RUNNING if over:
            return f":white_circle: {name} had not passed" + (f": {figure}" if figure else "")
        case StepPhase.RUNNING:
            sign = ":warning:" if seen.blocked else ":hourglass_flowing_sand:"
            return f"{sign} {name} waits" + (f": {figure}" if figure else "")


def _start(run: Run) -> datetime:
    return run.started_at or run.created_at
