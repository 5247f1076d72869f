"""One rehearsal of one runbook in one scenario: asked for, voted on, troubled, and looked at when it is over."""

from collections.abc import Callable
from datetime import timedelta

from bot.domain.ids import live_key
from bot.domain.outcome import Question
from bot.domain.phase import Phase
from bot.domain.run import Run
from bot.ports.chat import Place as MessagePlace
from bot.sandbox import aftermath
from bot.sandbox.faults import Trouble
from bot.sandbox.part import Part
from bot.sandbox.recorder import Recorder
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.rehearsed_evidence import RehearsedEvidence
from bot.sandbox.scenarios import Demand, Ending, Scenario, demand
from bot.sandbox.stage import NotAsToldError
from bot.sandbox.transcript import Rehearsed
from runbooks.windows import frozen

YES = "white_check_mark"
LONGEST = timedelta(days=4)
LONGEST_ABORT = timedelta(hours=6)
NOTHING_BEGINS = timedelta(minutes=1)
VOTES_AFTER = timedelta(seconds=20)
PATIENCE = timedelta(minutes=5)
"""How long a question to people stands before it is taken that nobody answers."""

FROZEN_FOR = "2h"
AFTERMATH = timedelta(seconds=30)
"""What still comes after the end: messages, above all."""

LONGEST_AFTERMATH = timedelta(minutes=5)


class Simulation:
    """Plays parts on a stage."""

    def __init__(self, stage: Rehearsal, recorder: Recorder, evidence: RehearsedEvidence) -> None:
        self._stage, self._recorder, self._evidence = stage, recorder, evidence
        self._voted: set[tuple[str, int]] = set()
        self._asked: set[str] = set()
        self._agreed: set[tuple[str, str, str]] = set()

    async def prepare(self, part: Part, command: str, wait: timedelta) -> None:
        """What must have happened before: a release that succeeds, and then some time.

        Raises NotAsToldError when it did not succeed.
        """
        self._evidence.renew()
        run = await self._watch(part, command, lambda run: run.phase.final)
        if run is None or run.phase is not Phase.SUCCEEDED:
            why = run.reason if run else "nothing was begun"
            raise NotAsToldError(f"`{command}`, which this rehearsal needs, did not succeed: {why}")
        await self.passes(wait)

    def unprepared(self, part: Part, why: str) -> Rehearsed:
        """What was to be played, and could not be, for what must have happened before did not."""
        return self._rehearsed(part, Ending.UNPREPARED, demand(part.scenario, part.traits), faults=(why,), took_s=0.0)

    async def play(self, part: Part) -> Rehearsed:
        """Play it to its end."""
        trouble = Trouble(part.scenario, self._stage, part.place, self._recorder.world)
        self._evidence.renew()
        trouble.before(self._evidence)
        if part.scenario is Scenario.FROZEN:
            trouble.frozen()
            await self._freeze(part)
        begun_s = self._recorder.after_s
        run = await self._watch(part, part.command, self._over(), trouble)
        took_s = self._recorder.after_s - begun_s if run is not None else 0.0
        seen = aftermath.ending(run)
        if run is not None and not run.phase.final:
            await self._abort(part, run)
        trouble.end()
        await self._after()
        wanted = demand(part.scenario, part.traits)
        faults = (
            *aftermath.told(part, run, wanted, begun=trouble.begun, lines=self._recorder.lines),
            *await aftermath.faults(self._stage, part, seen, begun=trouble.begun),
        )
        return self._rehearsed(part, seen, wanted, faults=faults, took_s=took_s)

    def _rehearsed(self, part: Part, seen: str, wanted: Demand, *, faults: tuple[str, ...], took_s: float) -> Rehearsed:
        return Rehearsed(
            runbook=part.runbook,
            scenario=part.scenario,
            command=part.command,
            seen=seen,
            wanted=tuple(sorted(wanted.endings)),
            why=wanted.why,
            took_s=took_s,
            faults=faults,
            left_out=part.left_out,
            lines=tuple(self._recorder.lines),
        )

    async def _freeze(self, part: Part) -> None:
        """The environment is frozen now: by its calendar, or else by somebody for a while."""
        environment, who = part.place.released.target.environment, part.voters[0]
        found = frozen(environment, part.windows, (), self._stage.clock.now())
        if found is not None:
            self._recorder.world(str(found))
            return
        await self._says(who, part.channel, f"/release freeze {environment} {FROZEN_FOR} nothing may change now")
        await self.passes(VOTES_AFTER)

    def _over(self) -> Callable[[Run], bool]:
        """Whether a run has ended, or has asked people in vain."""
        asked_at: list[float] = []

        def over(run: Run) -> bool:
            current = run.current()
            if current is None or run.step(current.key).asks is None:
                asked_at.clear()
                return run.phase.final
            asked_at[:] = asked_at or [self._recorder.after_s]
            return self._recorder.after_s - asked_at[0] > PATIENCE.total_seconds()

        return over

    async def _watch(
        self, part: Part, command: str, over: Callable[[Run], bool], trouble: Trouble | None = None
    ) -> Run | None:
        """Ask for a run and let time pass until it is over; `None` when none was begun."""
        await self._ask(part, command)
        begun = self._stage.clock.now()
        while self._stage.clock.now() - begun < LONGEST:
            run = await self._newest()
            if run is None and self._stage.clock.now() - begun > NOTHING_BEGINS:
                return None
            if run is not None and over(run):
                self._asked.add(run.id)
                return run
            if run is not None and (trouble is None or part.scenario is not Scenario.APPROVAL_TIMEOUT):
                await self._vote(part, run)
                await self._let_go_on(part, run)
            if trouble is not None:
                await trouble.look(run, judged=part.traits.judges)
            await self._moment(VOTES_AFTER)
        return run

    async def _ask(self, part: Part, command: str) -> None:
        await self._says(part.asker, part.channel, command)

    async def _says(self, who: str, channel: str, command: str) -> None:
        self._recorder.says(who, command)
        await self._stage.around.slack.people.says(who, channel, command)
        await self._stage.settle()
        self._recorder.look()

    async def _vote(self, part: Part, run: Run) -> None:
        """Everybody who votes says yes, a while after the ballot was opened; once for each ballot."""
        ballot = run.ballot
        if ballot is None or ballot.closed or (run.id, ballot.number) in self._voted:
            return
        letter = await self._letter(run)
        if letter is None or self._stage.clock.now() - ballot.opened_at < VOTES_AFTER:
            return
        self._voted.add((run.id, ballot.number))
        for voter in _needed(part, run):
            await self._stage.around.slack.people.reacts(voter, letter, YES)

    async def _let_go_on(self, part: Part, run: Run) -> None:
        """Where the runbook wants the word of people although all is well, they give it, one after the other."""
        held = run.current()
        away = self._stage.around.slack.outage.down
        if away or held is None or run.step(held.key).asks is not Question.HELD:
            return
        for who in _needed(part, run) or (part.asker,):
            if (run.id, held.key, who) not in self._agreed:
                self._agreed.add((run.id, held.key, who))
                await self._says(who, part.channel, f"/promote {run.id}")
                return

    async def _abort(self, part: Part, run: Run) -> None:
        """Somebody ends what waits for people."""
        await self._ask(part, f"/release abort {run.id}")
        begun = self._stage.clock.now()
        while not run.phase.final and self._stage.clock.now() - begun < LONGEST_ABORT:
            await self._moment(timedelta(minutes=1))
            async with self._stage.opened.reading() as tx:
                run = await tx.run(run.id) or run

    async def _newest(self) -> Run | None:
        """The run that was asked for last."""
        async with self._stage.opened.reading() as tx:
            runs = await tx.runs(limit=1)
        return runs[0] if runs and runs[0].id not in self._asked else None

    async def _letter(self, run: Run) -> MessagePlace | None:
        async with self._stage.opened.reading() as tx:
            letter = await tx.letter(live_key(run.id, run.edition))
        return letter.place if letter else None

    async def _moment(self, longest: timedelta) -> None:
        await self._stage.moment(self._stage.clock.now() + longest)
        self._recorder.look()

    async def passes(self, span: timedelta) -> None:
        """Let time pass."""
        end = self._stage.clock.now() + span
        while self._stage.clock.now() < end:
            await self._stage.moment(end)
            self._recorder.look()

    async def _after(self) -> None:
        """Let come what still comes; what Slack did not take while it was away is sent again after a while."""
        end = self._stage.clock.now() + LONGEST_AFTERMATH
        await self.passes(AFTERMATH)
        while await aftermath.waiting(self._stage) and self._stage.clock.now() < end:
            await self.passes(AFTERMATH)


def _needed(part: Part, run: Run) -> tuple[str, ...]:
    """Who says yes; nobody where nobody is asked."""
    policy = run.plan.approval if run.plan else None
    return part.voters[: policy.count] if policy else ()
