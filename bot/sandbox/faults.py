"""What a scenario does to the world of a rehearsal, and when."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.run import Run
from bot.domain.target import WorkloadRef
from bot.sandbox.behaviour import arm_of
from bot.sandbox.readdressed import workload_manifest
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.rehearsed_evidence import RehearsedEvidence, Released
from bot.sandbox.scenarios import LATENCY_S, Scenario
from bot.sandbox.surroundings import Backend

ERRORS = 0.5
"""Of a canary that turns bad. Where nothing but smoke checks looks, every answer is an error: half of them may well be
missed by a single check."""

BY_HAND = "by-hand"
"""The tag of the image that somebody sets past Sluice."""

SPIKE_AFTER = timedelta(seconds=30)
SLACK_AWAY = timedelta(minutes=10)
DEATHS = 5
BETWEEN_DEATHS = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Place:
    """What is released: the workload, the Service in front of it, the repository, and of it what to where."""

    workload: WorkloadRef
    backend: Backend
    repository: str
    released: Released

    @property
    def tag(self) -> str:
        """The tag of the new version."""
        return self.released.tag


class Trouble:
    """The scenario's part of a rehearsal. `look` is called at every moment; `tell` hears what was broken or mended."""

    def __init__(self, scenario: Scenario, stage: Rehearsal, place: Place, tell: Callable[[str], None]) -> None:
        self._scenario, self._stage, self._place, self._tell = scenario, stage, place, tell
        self._since: datetime | None = None
        self._begun = False
        self._deaths = 0
        self._last_death: datetime | None = None

    @property
    def begun(self) -> bool:
        """Whether anything was done yet."""
        return self._begun

    def before(self, evidence: RehearsedEvidence) -> None:
        """What is so before anything is asked for."""
        if said := evidence.spoil(self._scenario, self._place.released):
            self._begins(said)
        if self._scenario is Scenario.CRASHLOOP:
            self._stage.around.cluster.behave(self._place.tag, "crash")
            self._begins(f"{self._place.tag} crashes whenever it starts")

    async def look(self, run: Run | None, *, judged: bool) -> None:
        """Do what is due now. `judged`: the runbook judges a canary, which is well for a moment first."""
        if run is None or run.phase.final:
            return
        if self._scenario in (Scenario.ERROR_SPIKE, Scenario.SLOW):
            self._spike(judged=judged)
        elif run.changed:
            await self._after_change()

    def frozen(self) -> None:
        """Nothing may change any more, which others tell."""
        self._begun = True

    def end(self) -> None:
        """Mend what can be mended: the world is well again."""
        around = self._stage.around
        around.slack.outage.down = around.prometheus.outage.down = False
        around.traffic.forget()
        for backend in around.backends:
            around.traffic.rate(around.rate, service=backend.service, namespace=backend.namespace)

    def _spike(self, *, judged: bool) -> None:
        now = self._stage.clock.now()
        if judged and self._since is None and self._canary_serves():
            self._since = now
        due = self._since is not None and now - self._since >= SPIKE_AFTER if judged else True
        if self._begun or not due:
            return
        self._begun = True
        share = ERRORS if judged else 1.0
        errors = share if self._scenario is Scenario.ERROR_SPIKE else None
        latency = LATENCY_S if self._scenario is Scenario.SLOW else None
        self._stage.around.traffic.answers(self._place.tag, error_rate=errors, latency_s=latency)
        said = f"{share:.0%} of its answers are errors" if errors else f"it takes {LATENCY_S} s to answer"
        self._tell(f"{self._place.tag} turns bad: {said}")

    def _canary_serves(self) -> bool:
        place = self._place.backend
        there = self._stage.around.cluster.endpoints(place.namespace, place.service)
        return any(one.share > 0 and arm_of(one.pod) == "canary" for one in there)

    async def _after_change(self) -> None:
        acts: dict[Scenario, Callable[[], Awaitable[None]]] = {
            Scenario.NO_TRAFFIC: self._quiet,
            Scenario.PROVIDER_DOWN: self._blind,
            Scenario.DRIFT: self._by_hand,
            Scenario.SLACK_DOWN: self._no_slack,
            Scenario.BOT_KILLED: self._killed,
        }
        if self._scenario in acts:
            await acts[self._scenario]()

    async def _quiet(self) -> None:
        if self._begins("nobody sends requests any more"):
            around = self._stage.around
            for backend in around.backends:
                around.traffic.rate(0.0, service=backend.service, namespace=backend.namespace)

    async def _blind(self) -> None:
        if self._begins("the metrics server is down"):
            self._stage.around.prometheus.outage.down = True

    async def _by_hand(self) -> None:
        image = f"{self._place.repository}:{BY_HAND}"
        if self._begins(f"somebody sets the image of {self._place.workload.name} to {BY_HAND} by hand"):
            self._stage.around.cluster.apply(workload_manifest(self._place.workload, image))

    async def _no_slack(self) -> None:
        outage, now = self._stage.around.slack.outage, self._stage.clock.now()
        if self._begins("Slack is down"):
            outage.down, self._since = True, now
        elif outage.down and self._since is not None and now - self._since >= SLACK_AWAY:
            outage.down = False
            self._tell("Slack is there again")

    async def _killed(self) -> None:
        now = self._stage.clock.now()
        if (self._last_death is not None and now - self._last_death < BETWEEN_DEATHS) or self._deaths == DEATHS:
            return
        self._deaths, self._last_death = self._deaths + 1, now
        self._begun = True
        self._tell("the bot is killed, and starts again")
        await self._stage.kill_bot()

    def _begins(self, said: str) -> bool:
        if self._begun:
            return False
        self._begun = True
        self._tell(said)
        return True
