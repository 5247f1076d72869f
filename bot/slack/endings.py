"""How a release ended: one clear sentence for each final phase, what runs now, and what to type next."""

from dataclasses import dataclass

from bot.domain.image import TAG, ImageRef, is_mutable, short
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import Verb
from bot.domain.release import BRINGING, digest_of, image_set_at, known_before, restored_at
from bot.domain.run import Run
from bot.slack.mrkdwn import code, counted, people, quoted
from bot.slack.release_lines import before, change, environment, service, wanted
from bot.slack.wording import duration

PROOFS = ("smoke", "recovery", "watch")
"""Kinds of steps that prove something and change nothing."""

_SIGNS = {
    Phase.SUCCEEDED: ":white_check_mark:",
    Phase.RESTORED: ":leftwards_arrow_with_hook:",
    Phase.FAILED: ":x:",
    Phase.REJECTED: ":no_entry_sign:",
    Phase.EXPIRED: ":alarm_clock:",
    Phase.ABORTED: ":octagonal_sign:",
    Phase.REFUSED: ":no_entry:",
}


def ending(run: Run) -> str:
    """The one sentence."""
    if run.phase not in _SIGNS:
        raise ValueError(f"{run.id} has not ended: it is {run.phase}")
    return f"{_SIGNS[run.phase]} {_happened(run)}."


def _happened(run: Run) -> str:
    match run.phase:
        case Phase.SUCCEEDED if image_set_at(run):
            return f"{service(run)} {wanted(run)} runs in {environment(run)}"
        case Phase.SUCCEEDED:
            runbook = code(run.sealed_plan().runbook.name)
            return f"{service(run)} {wanted(run)}: the runbook {runbook} has *finished* in {environment(run)}"
        case Phase.RESTORED if image_set_at(run) is None and run.sealed_plan().traffic:
            return f"{change(run)} was *taken back*; {before(run) or 'the version before'} has all the traffic"
        case Phase.RESTORED if image_set_at(run) is None:
            return f"{change(run)} *stopped* before the image was set; its failure steps are done"
        case Phase.RESTORED:
            return f"{change(run)} was *undone*; {before(run) or 'the version before'} is restored"
        case Phase.REJECTED | Phase.ABORTED if run.reason.startswith(f"{run.phase} by"):
            return f"{change(run)} was {people(run.reason)}"  # the engine's reason is this very clause
        case Phase.FAILED | Phase.EXPIRED:
            return f"{change(run)} *{run.phase}*"
        case _:
            why = f": {people(run.reason)}" if run.reason and run.phase is not Phase.REFUSED else ""
            return f"{change(run)} was *{run.phase}*{why}"


def ending_details(run: Run) -> list[str]:
    """Why, what runs now, how long it took, and what to type next; one line each."""
    return [*_why(run), *_what_runs(run), *_next(run)]


def elapsed(run: Run) -> str:
    """How long it took, from its turn to its end."""
    begun = run.started_at or run.created_at
    return duration((run.ended_at or begun) - begun)


@dataclass(frozen=True, slots=True)
class WayBack:
    """The version that a rollback of a release would bring: `ref` as people say it, `command` to be typed, and the
    `line` of the button, which names the image itself and so means the same later."""

    ref: str
    command: str
    line: str


def way_back(run: Run) -> WayBack | None:
    """How to undo this release; `None` when it put no image there, or no version is known that could be named."""
    image = known_before(run.plan.previous) if run.plan else None
    if run.plan is None or image is None or run.request.verb is Verb.ROLLBACK or image_set_at(run) is None:
        return None
    target, previous, digest = run.request.target, run.plan.previous, digest_of(image)
    tag = ImageRef.parse(image).tag
    known = previous.ref if previous and previous.image == image else tag or f"sha256:{short(digest or '')}"
    to = f"rollback {target.service} {target.environment} to"
    return WayBack(known, f"/{to} {known}", f"{to} {digest}")


def _why(run: Run) -> list[str]:
    if not run.reason:
        return []
    if run.phase is Phase.SUCCEEDED:
        return [f":warning: {quoted(run.reason)}."]
    if run.phase in (Phase.REJECTED, Phase.ABORTED):
        return []
    gates = run.plan.gates if run.plan else ()
    if run.phase is Phase.REFUSED and (bad := [gate for gate in gates if run.step(gate.key).phase is StepPhase.FAILED]):
        # Each of them stands below with its reason and its link.
        return [f"Why: {len(bad)} of {counted(len(gates), 'gate')} did not pass, as shown below."]
    ours = run.phase is Phase.EXPIRED or run.wish is not None  # why a plan was refused may be a server's own words
    return [f"Why: {people(run.reason) if ours else quoted(run.reason)}."]


def _what_runs(run: Run) -> list[str]:
    if run.overwritten:
        return ["*What runs now was set by somebody else*; Sluice left it as it is."]
    if run.phase is Phase.SUCCEEDED:
        return [] if image_set_at(run) else _image_stays(run)
    if run.phase is Phase.RESTORED:
        runs = "Now runs" if image_set_at(run) else "Still runs"
        return [f"{runs}: {before(run) or 'the version before'}. Took {elapsed(run)}.", *_proof(run)]
    return _what_runs_after_failure(run)


def _proof(run: Run) -> list[str]:
    """What showed that all is well again after a restore."""
    steps = [step for step in run.sealed_plan().on_failure if step.kind in PROOFS]
    said = [f"{step.kind.replace('_', ' ')} {run.step(step.key).why}" for step in steps if run.step(step.key).why]
    return [f"Proof: {quoted(' · '.join(said))}."] if said else []


def _what_runs_after_failure(run: Run) -> list[str]:
    if not run.changed:
        runs = f"; {before(run)} still runs" if before(run) else ""
        return [f"Nothing was changed{runs}."]
    if restored_at(run):
        return [f"Now runs: {before(run) or 'the version before'}; it was *restored*, but the steps after that failed."]
    if _restore_begun(run) or _unsure(run):
        return ["*What runs now is not certain:* the change had begun and was not undone."]
    if image_set_at(run):
        return [f"Now runs: {wanted(run)}; the change was *not undone*."]
    return _image_stays(run)


def _image_stays(run: Run) -> list[str]:
    stays = f": {before(run)} still runs" if before(run) else ""
    return [f"The image was not changed{stays}."]


def _restore_begun(run: Run) -> bool:
    return any(run.step(s.key).started_at for s in run.sealed_plan().on_failure if s.kind == "restore")


def _unsure(run: Run) -> bool:
    """Whether the image may have been set without our knowing: its step began and was neither done nor refused."""
    return any(run.step(s.key).phase is StepPhase.RUNNING for s in run.sealed_plan().steps if s.kind in BRINGING)


def _next(run: Run) -> list[str]:
    target = f"{run.request.target.service} {run.request.target.environment}"
    if run.phase is Phase.SUCCEEDED:
        return [f"Took {elapsed(run)}{_back_from(run)}"]
    if run.phase in (Phase.RESTORED, Phase.REJECTED):
        return []
    if run.changed:
        look, back = code(f"/release status {target}"), way_back(run)
        offers = back is not None and restored_at(run) is None
        return [f"Look: {look}" + (f" · go back: {code(back.command)}" if back and offers else "")]
    return [f"Ask again: {code(again(run))}"]


def _back_from(run: Run) -> str:
    """What undoes a release that went well."""
    if image_set_at(run) is None:
        return ""
    if run.request.verb is Verb.ROLLBACK:
        target, left = run.request.target, run.plan.previous if run.plan else None
        digest = digest_of(left.image) if left else None
        ref = left.ref if left and TAG.fullmatch(left.ref) and not is_mutable(left.ref) else digest
        return f" · forward again: {code(f'/deploy {target.service} {ref} {target.environment}')}" if ref else ""
    back = way_back(run)
    if back:
        return f" · way back: {code(back.command)}"
    if before(run) is None:
        return " · no earlier version is known to go back to"
    target = run.request.target
    others = code(f"/release history {target.service} {target.environment}")
    return f" · {before(run)} is no sure way back; others: {others}"


def again(run: Run) -> str:
    """The command that asks for the same once more."""
    target, asked = run.request.target, run.request
    options = f" --runbook {asked.runbook}" if asked.runbook else ""
    if asked.verb is Verb.ROLLBACK:
        to = f" to {asked.ref}" if asked.ref else ""
        return f"/rollback {target.service} {target.environment}{to}{options}"
    what = asked.origin or asked.ref
    return f"/{asked.verb} {target.service} {what} {target.environment}{options}"
