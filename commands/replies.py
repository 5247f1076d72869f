"""Every text that answers a command: pure functions that say what happened, to what, and what to type next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.domain.approval import ApprovalPolicy
from bot.domain.errors import SluiceError
from bot.domain.hold import Lock
from bot.domain.ids import RunId
from bot.domain.plan import Plan, PlannedStep, Previous, Verb
from bot.domain.release import ReleaseRecord
from bot.domain.run import Run
from bot.ports.store import TargetState
from commands.grammar import OPTION_MEANINGS, option_line
from commands.news import between
from commands.reply import Reply
from commands.spec import CommandSpec
from commands.wording import ago, clipped, clock_time, code, person, safe, target, typed, version
from runbooks.durations import roughly, say
from runbooks.explain import read_aloud
from runbooks.report import Report


def slip(error: SluiceError) -> Reply:
    """A mistake, or a refusal, with its fix."""
    return Reply(safe(str(error)))


def requested(
    run: Run,
    state: TargetState,
    *,
    channel: str,
    now: datetime,
    back: str = "",
    locked: Lock | None = None,
    own_lock: Lock | None = None,
) -> Reply:
    """A run was stored. `back`: the last known good version, where it is known already; `locked`: the lock that it
    waits for; `own_lock`: the one of the same person for which the run waits that holds the target."""
    asked = run.request
    good = f"the last known good version{f', {version(back)},' if back else ''}"
    carried = f"what runs in *{asked.origin}*" if asked.origin else good
    what = version(asked.ref) if asked.ref else carried
    lines = [f"{code(run.id)}: {asked.verb} of {target(asked.target)} to {what} is asked for."]
    if asked.not_before:
        lines.append(f"It begins at {clock_time(asked.not_before, now)}; {typed(f'abort {run.id}')} takes it back.")
    ahead = state.ahead_of(run.id)
    if locked:
        lines.append(f"It waits at place {len(ahead) + 1} in the line: {safe(str(locked))}.")
    elif ahead and own_lock:
        here = f"{asked.target.service} {asked.target.environment}"
        place = f"It waits at place {len(ahead)}, behind {code(ahead[0])}, which waits for your own lock"
        lines.append(f"{place}: {typed(f'abort {ahead[0]}')} makes way, {typed(f'unlock {here}')} lets that one go on.")
    elif ahead:
        place = f"It waits at place {len(ahead)}, behind {code(ahead[0])}, and begins by itself"
        lines.append(f"{place}; {typed(f'abort {run.id}')} leaves the line.")
    lines.append(f"Follow it in {safe(channel)}; {typed(f'why {run.id}')} tells what it waits for.")
    return Reply("\n".join(lines), about=run.id)


def rolled_back_by_abort(run: Run, waiting: Sequence[RunId]) -> Reply:
    """A release was under way: stopping it is the way back. Who waits behind it would soon go forward again."""
    lines = [f"{_being_stopped(run)} {_what_abort_does(run)}"]
    if waiting:
        lines.append(f"Next in line is {code(waiting[0])}; {typed(f'abort {waiting[0]}')} keeps it from starting.")
    return Reply("\n".join(lines), about=run.id)


def rolled_back_instead(stopped: Run, run: Run, state: TargetState, *, back: str, channel: str, now: datetime) -> Reply:
    """A release that had changed nothing is stopped, and the way back comes after it. Who stands between them in the
    line would go forward first."""
    lines = [f"{_being_stopped(stopped)} {_what_abort_does(stopped)}"]
    lines.append(requested(run, state, channel=channel, now=now, back=back).text)
    between = [one for one in state.ahead_of(run.id) if one != stopped.id]
    if between:
        lines.append(f"Before it comes {code(between[0])}; {typed(f'abort {between[0]}')} takes that out of the line.")
    return Reply("\n".join(lines), about=run.id)


def abort_asked(run: Run, *, again: bool) -> Reply:
    """Somebody wants a run stopped; `again`: somebody wanted that before."""
    if again and run.wish:
        return Reply(f"{person(run.wish.by)} has asked for that already: {_being_stopped(run)}", about=run.id)
    return Reply(f"{_being_stopped(run)} {_what_abort_does(run)}", about=run.id)


def paused(run: Run) -> Reply:
    """A run stands still on purpose."""
    return Reply(
        f"{code(run.id)} is paused: it finishes the step it is at and begins no further one. "
        f"{typed(f'resume {run.id}')} lets it go on, {typed(f'abort {run.id}')} stops it.",
        about=run.id,
    )


def resumed(run: Run) -> Reply:
    """A run goes on."""
    return Reply(f"{code(run.id)} goes on. {typed(f'why {run.id}')} tells what it is doing.", about=run.id)


def canary_report(run: Run, found: Report, now: datetime) -> Reply:
    """How a canary stands: its step, each signal with its numbers, and what comes next."""
    plan = run.sealed_plan()
    from_ = f", from {version(plan.previous.ref)}" if plan.previous else ""
    weight = f", step to {found.step.params['weight']}" if "weight" in found.step.params else ""
    lines = [
        f"{code(run.id)}: canary of {version(plan.artifact.ref)}{weight}, {target(plan.target)}{from_}.",
        f"{code(found.step.key.partition('.')[2])}: {safe(found.stands)}",
        *(f"• {safe(line)}" for line in found.signals),
        f"Next: {safe(found.following)}.",
        f"{typed(f'abort {run.id}')} takes its traffic away and brings {_restored(plan)} back.",
    ]
    return Reply("\n".join(lines), about=run.id)


def let_go_on(run: Run, step: PlannedStep) -> Reply:
    """Somebody let a waiting step go on; whether that suffices is counted like votes."""
    policy, name = run.sealed_plan().approval, code(step.key.partition(".")[2])
    if policy is None:
        return Reply(f"Noted: your yes to what {code(run.id)} asks at {name}.", about=run.id)
    votes = f"{policy.count} of {safe(policy.group)}"
    return Reply(
        f"Noted: your yes to what {code(run.id)} asks at {name}. It counts as soon as {votes} have said so, other than "
        f"{person(run.request.requester)}, who asked for it.",
        about=run.id,
    )


def dry_run(plan: Plan, now: datetime) -> Reply:
    """What would happen; nothing was stored."""
    head = f"This is what {typed(_command(plan))} would do. Nothing was started, and nobody was asked."
    news = between(plan.news) if plan.news else []
    return Reply(clipped([head, *plan_lines(plan, now), *news], more="Narrow the runbook to see it all."))


def difference(plan: Plan, now: datetime) -> Reply:
    """What a version would bring to where it may go; nothing was stored."""
    would = f"{version(plan.artifact.ref)} would run in its place."
    head = f"{target(plan.target)} runs {_previous(plan.previous, now)}; {would}"
    ask = f"{typed(_command(plan))} asks for it; {code('--dry-run')} behind it shows the plan."
    return Reply(clipped([head, *between(plan.news), *(f"• {safe(note)}" for note in plan.notes), ask], more=ask))


def plan_of(run: Run, now: datetime) -> Reply:
    """The plan of a run, whole."""
    if run.plan is None:
        return Reply(f"{code(run.id)} has no plan yet. {typed(f'why {run.id}')} tells what it waits for.", about=run.id)
    lines = [f"Plan of {code(run.id)}, edition {run.edition}:", *plan_lines(run.plan, now)]
    return Reply(
        clipped(lines, more=f"{code(f'sluice explain {run.plan.runbook.name}')} shows the runbook."), about=run.id
    )


def plan_lines(plan: Plan, now: datetime) -> list[str]:
    """A plan read aloud: what, from what to what, who is asked, every gate and step, and what failure does."""
    return [
        f"{plan.verb} of {target(plan.target)} ({safe(str(plan.workload))}, cluster {safe(plan.workload.cluster)})",
        f"from {_previous(plan.previous, now)} to {version(plan.artifact.ref)} ({version(plan.artifact.digest)})",
        f"seal {code(plan.seal)} · runbook {safe(plan.runbook.name)} ({code(plan.runbook.sha256[:12])})",
        f"asked by {person(plan.requester)}" + (f": {safe(plan.reason)}" if plan.reason else ""),
        _asked_people(plan.approval),
        *(f"note: {safe(note)}" for note in plan.notes),
        *_read_aloud("Gates, side by side:", plan.gates),
        *_read_aloud("Steps:", plan.steps),
        *_failure(plan),
    ]


def status(rows: Sequence[str], *, active: Sequence[Run], now: datetime) -> Reply:
    """What is under way, then what each target runs (`rows`)."""
    going = [_active(run, now) for run in active]
    lines = [*(going or ["Nothing is under way."]), *(rows or ["No release has been recorded yet."])]
    return Reply(clipped(lines, more=f"Narrow it: {typed('status <service> [environment]')}."))


def status_row(state: TargetState, running: ReleaseRecord | None, now: datetime) -> str:
    """One target: what it runs, since when, by whom, and who holds it."""
    runs = "runs an unrecorded version"
    if running:
        health = "" if running.healthy else ", not healthy"
        runs = f"runs {version(running.ref)} since {ago(running.since, now)}, by {person(running.by)}{health}"
    held = f" · held by {code(state.holder)}" if state.holder else ""
    queue = f" · waiting: {', '.join(code(run) for run in state.waiting)}" if state.waiting else ""
    return f"{target(state.target)} {runs}{held}{queue}"


def history(records: Sequence[ReleaseRecord], *, of: str, now: datetime) -> Reply:
    """What ran, newest first."""
    if not records:
        return Reply(
            f"Nothing has been released yet: {safe(of)}. {typed('deploy <service> <ref> <environment>')} does."
        )
    lines = [f"Releases, newest first: {safe(of)}", *(_record(record, now) for record in records)]
    return Reply(clipped(lines, more=f"Narrow it: {typed('history <service> <environment>')}."))


def help_all(commands: Sequence[CommandSpec[Any]]) -> Reply:
    """Every verb in a line."""
    lines = [f"{_ways(spec)} {spec.summary}" for spec in commands]
    lines.append(f"Words may come in any unambiguous order. {typed('help deploy')} has a verb's options and examples.")
    return Reply("\n".join(lines))


def help_one(spec: CommandSpec[Any]) -> Reply:
    """One verb with its examples and what each of its options means."""
    options = [f"• {code(option_line(name))} {OPTION_MEANINGS[name]}" for name in spec.options]
    return Reply(
        "\n".join(
            [
                _ways(spec),
                f"{spec.summary[0].upper()}{spec.summary[1:]}.",
                *(f"• {typed(line)}" for line in spec.examples),
                *(["Anywhere in the line:", *options] if options else []),
            ]
        )
    )


# --- pieces ---


def _ways(spec: CommandSpec[Any]) -> str:
    """How a verb is written, each way by itself."""
    return " or ".join(typed(way) for way in spec.usage.split(" | "))


def _being_stopped(run: Run) -> str:
    return f"{code(run.id)} ({run.request.verb} of {target(run.request.target)}) is being stopped."


def _what_abort_does(run: Run) -> str:
    plan = run.plan
    if not run.changed or plan is None:
        keeps = f"{version(plan.previous.ref)} keeps running" if plan and plan.previous else "what runs there stays"
        return f"It had not changed anything: {keeps}."
    if plan.restores and plan.previous:
        return f"It brings back {version(plan.previous.ref)} by itself; nobody needs to vote for that."
    again = typed(f"rollback {plan.target.service} {plan.target.environment}")
    return f"It cannot undo what it changed: its runbook has no restore. {again} goes back once it has ended."


def _command(plan: Plan) -> str:
    to = f"{plan.artifact.ref} " if plan.verb in (Verb.DEPLOY, Verb.CANARY) else ""
    if plan.verb is Verb.PROMOTE:
        soak = next((gate for gate in plan.gates if gate.kind == "soak"), None)
        to = f"{soak.params['in']} " if soak else ""
    return f"{plan.verb} {plan.target.service} {to}{plan.target.environment}"


def _restored(plan: Plan) -> str:
    return version(plan.previous.ref) if plan.previous else "what ran before"


def _previous(previous: Previous | None, now: datetime) -> str:
    if previous is None:
        return "nothing known"
    age = [ago(previous.since, now)] if previous.since else []
    health = {True: ["healthy"], False: ["not healthy"], None: ["health unrecorded"]}[previous.healthy]
    return f"{version(previous.ref)} ({', '.join([*age, *health])})"


def _asked_people(policy: ApprovalPolicy | None) -> str:
    if policy is None:
        return "nobody is asked here"
    votes = f"{policy.count} vote{'s' if policy.count > 1 else ''} from {safe(policy.group)}"
    own = f"; {safe(policy.self_group)} may vote for their own request" if policy.self_group else ""
    return f"{votes} within {say(policy.within)}, to be used within {say(policy.use_within)}{own}"


def _read_aloud(title: str, steps: Sequence[PlannedStep]) -> list[str]:
    if not steps:
        return []
    return [title, *(f"{n}. {safe(read_aloud(step.kind, step.params))}" for n, step in enumerate(steps, 1))]


def _failure(plan: Plan) -> list[str]:
    if not plan.on_failure:
        return ["If it fails: what was changed stays as it is."]
    back = f" back to {version(plan.previous.ref)}," if plan.restores and plan.previous else ""
    return _read_aloud(f"If it fails after something changed:{back} without another vote:", plan.on_failure)


def _active(run: Run, now: datetime) -> str:
    asked = run.request
    what = f"{asked.verb} of {target(asked.target)}" + (f" to {version(asked.ref)}" if asked.ref else "")
    stands = "paused" if run.pause else str(run.phase)
    return f"{code(run.id)} {what}: {stands}, asked {ago(run.created_at, now)} by {person(asked.requester)}"


def _record(record: ReleaseRecord, now: datetime) -> str:
    lasted = "still running" if record.until is None else f"for {roughly(record.until - record.since)}"
    health = "healthy" if record.healthy else "not healthy"
    reason = f" · {safe(record.reason)}" if record.reason else ""
    return (
        f"{version(record.ref)} in *{record.target.environment}* from {clock_time(record.since, now)}, {lasted}, "
        f"{health}, by {person(record.by)} ({code(record.run_id)}){reason}"
    )
