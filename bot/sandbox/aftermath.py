"""What is looked at when a rehearsal is over: how it ended and why, and whether anything is not as it must be."""

from collections.abc import Sequence

from bot.domain.phase import StepPhase
from bot.domain.run import Run
from bot.sandbox.faults import BY_HAND
from bot.sandbox.part import Part
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.scenarios import EVIDENCE, Demand, Ending, Scenario, must_begin
from bot.sandbox.stage import NotAsToldError
from bot.sandbox.transcript import Line

FROZEN = "is frozen"
"""What every answer says to whom a freeze stops."""


def ending(run: Run | None) -> Ending:
    """How it ended; without a run it was refused at once."""
    if run is None:
        return Ending.REFUSED
    if run.phase.final:
        return Ending(run.phase.value)
    current = run.current()
    return Ending.ASKED if current is not None and run.step(current.key).asks else Ending.UNFINISHED


def told(part: Part, run: Run | None, wanted: Demand, *, begun: bool, lines: Sequence[Line]) -> tuple[str, ...]:
    """Why it ended as it should not, in the bot's words; or that its end proves nothing. `begun`: the scenario was."""
    if run is None:
        answers = [line.text for line in lines if line.place == "private"]
        said = answers[-1] if answers else "the bot said nothing"
        stopped = part.scenario is Scenario.FROZEN and FROZEN in said
        return () if stopped else (f"nothing was begun: {said}",)
    if ending(run) not in wanted.endings:
        return (f"why: {run.reason}",) if run.reason else ()
    if not begun and must_begin(part.scenario, part.traits):
        return ("the scenario never began, so this proves nothing",)
    return _by_another(part, run)


def _by_another(part: Part, run: Run) -> tuple[str, ...]:
    """That what refused it is not the freeze, or not the gate that looks at what the scenario has spoiled."""
    if part.scenario is Scenario.FROZEN and ending(run) is Ending.REFUSED and FROZEN not in run.reason:
        return (f"it was refused, and not by the freeze: {run.reason}",)
    if part.scenario not in EVIDENCE or ending(run) is not Ending.REFUSED:
        return ()
    kind = EVIDENCE[part.scenario][0]
    failed = [gate.kind for gate in run.plan.gates if run.step(gate.key).phase is StepPhase.FAILED] if run.plan else []
    return () if kind in failed else (f"it was refused, and not by its gate {kind}: {run.reason}",)


async def faults(stage: Rehearsal, part: Part, seen: str, *, begun: bool) -> tuple[str, ...]:
    """What is not as it must be after every rehearsal that ended like this."""
    ref, cluster = part.place.workload, stage.around.cluster
    there = {each.name: each for each in cluster.shown() if each.namespace == ref.namespace}
    beside = (f"{ref.name}-canary", f"{ref.name}-baseline")
    found = [f"{name} was left in the cluster" for name in there if name in beside]
    stable, wanted = there[ref.name], _runs(part, seen, begun=begun)
    if stable.tag != wanted:
        found.append(f"{ref.name} runs {stable.tag} at the end, and should run {wanted}")
    elif stable.ready != stable.wanted:
        found.append(f"{stable.ready} of {stable.wanted} pods of {ref.name} are ready at the end")
    stays = part.place.backend.service
    given = cluster.weights(ref.namespace, stays)
    found += [f"{name} still has traffic" for name, weight in given.items() if weight and name != stays]
    left = await waiting(stage)
    found += [f"{left} messages were never delivered"] if left else []
    try:
        await stage.audited()
    except NotAsToldError as exc:
        found.append(str(exc))
    return tuple(found)


async def waiting(stage: Rehearsal) -> int:
    """Messages that are not delivered yet."""
    async with stage.opened.reading() as tx:
        return (await tx.backlog(stage.clock.now())).letters


def _runs(part: Part, seen: str, *, begun: bool) -> str:
    """The tag that must run at the end."""
    if begun and part.scenario is Scenario.DRIFT:
        return BY_HAND
    return part.place.tag if seen == Ending.SUCCEEDED and part.traits.changes else part.before
