"""A runbook in a scenario, on a target of a catalogue: what has to come before, and what is then played."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.plan import Verb
from bot.domain.target import Target
from bot.sandbox import readdressed
from bot.sandbox.asked_gates import BUDGET, asked, gates_of, history
from bot.sandbox.casting import ASKER, voters
from bot.sandbox.faults import Place
from bot.sandbox.part import Part
from bot.sandbox.rehearsed_door import backend
from bot.sandbox.rehearsed_evidence import NEW, OLD, Released
from bot.sandbox.scenarios import Scenario, traits
from runbooks.configuration import Configuration
from runbooks.durations import parse
from runbooks.spec import Runbook
from runbooks.windows import FreezeWindow

SOAK = "soak"
WARM_UP = timedelta(minutes=10)
"""The service has had traffic for so long, at least."""

MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """Of a catalogue for the stand-ins. `left_out`: see `Rehearsed`."""

    configuration: Configuration
    name: str
    target: Target
    scenario: Scenario
    left_out: tuple[str, ...]

    @property
    def runbook(self) -> Runbook:
        return self.configuration.runbooks[self.name]

    @property
    def is_way_back(self) -> bool:
        return self.name == Verb.ROLLBACK.value

    @property
    def keeps_calendar(self) -> bool:
        """Whether what freezes is the calendar, where there is one. On the way back it is somebody: a calendar might
        not let in the release that is to be taken back."""
        return self.scenario is Scenario.FROZEN and not self.is_way_back

    @property
    def origin(self) -> str:
        """The environment that comes before, where the version has to have been; empty where it need not."""
        return "" if self.is_way_back else next(iter(self._origins(self.target.environment, self.name)), "")

    @property
    def windows(self) -> tuple[FreezeWindow, ...]:
        """When the calendar freezes its environment."""
        return self.configuration.catalogue.windows(self.target.environment)

    @property
    def warm_up(self) -> timedelta:
        """For how long the service has to have had traffic."""
        wanted = [history(params) for params in asked(self.configuration, self.target.service, BUDGET)]
        return max([WARM_UP, *(known + MARGIN for known in wanted)])

    @property
    def waits(self) -> timedelta:
        """How long it takes at least until the command is typed."""
        return self.warm_up + sum((wait for _, wait in self.before()), start=timedelta(0))

    def before(self) -> list[tuple[str, timedelta]]:
        """Commands that must have succeeded before, each with the time that then has to pass."""
        service, environment = self.target.service, self.target.environment
        name = Verb.DEPLOY.value if self.is_way_back else self.name
        way = self._way_to(environment, name, [environment])
        back = [(f"/deploy {service} {NEW} {environment} --runbook {name}", WARM_UP)]
        return way + back if self.is_way_back else way

    def _way_to(self, environment: str, runbook: str, passed: list[str]) -> list[tuple[str, timedelta]]:
        """What a soak in an environment needs, and what that needs in turn. `passed` grows."""
        service, needed = self.target.service, []
        for origin, wait in self._origins(environment, runbook).items():
            if origin not in passed:
                passed.append(origin)
                usual = self.configuration.catalogue.runbook_name(service, origin, Verb.DEPLOY)
                needed += self._way_to(origin, usual, passed)
                needed.append((f"/deploy {service} {NEW} {origin}", wait + WARM_UP))
        return needed

    def _origins(self, environment: str, runbook: str) -> dict[str, timedelta]:
        """Where a version has to have been before, and for how long."""
        gates = gates_of(self.configuration, runbook, Target(self.target.service, environment))
        found: dict[str, timedelta] = {}
        for gate in gates:
            origin = gate.params.get("in") or self.configuration.catalogue.environment_before(environment)
            if gate.kind == SOAK and origin:
                found[str(origin)] = max(found.get(str(origin), timedelta(0)), parse(gate.params.get("for", "0s")))
        return found

    def part(self) -> Part:
        """What is played."""
        catalogue, service, environment = self.configuration.catalogue, self.target.service, self.target.environment
        policy = catalogue.policy(environment, Verb.DEPLOY)
        entry = catalogue.service(service)
        gates = gates_of(self.configuration, self.name, self.target)
        has = traits(
            self.runbook,
            smoke=bool(entry.smoke),
            guards=entry.signals.guards if entry.signals else (),
            latency=entry.signals is not None and "latency" not in readdressed.unjudged(entry.signals),
            asks=policy is not None,
            soaks=bool(self.origin),
        )
        has = replace(
            has,
            freezes=not self.is_way_back,
            looks=frozenset(gate.kind for gate in gates),
            unplayed=frozenset(self.left_out),
            earlier=self._earlier(),
        )
        tag, was = (OLD, NEW) if self.is_way_back else (NEW, OLD)
        return Part(
            runbook=self.name,
            scenario=self.scenario,
            command=self._command(),
            place=Place(
                catalogue.workload(service, environment),
                backend(catalogue, service, environment),
                entry.image,
                Released(self.target, tag, gates),
            ),
            before=was,
            traits=has,
            asker=ASKER,
            voters=tuple(person.name for person in voters(catalogue)),
            channel=catalogue.channel(service, environment).removeprefix("#"),
            left_out=self.left_out,
            windows=self.windows,
        )

    def _earlier(self) -> frozenset[str]:
        """What a version has to pass on its way to the target."""
        if self.is_way_back:
            return frozenset()
        passed: list[str] = [self.target.environment]
        self._way_to(self.target.environment, self.name, passed)
        catalogue, service = self.configuration.catalogue, self.target.service
        names = {origin: catalogue.runbook_name(service, origin, Verb.DEPLOY) for origin in passed[1:]}
        ways = (gates_of(self.configuration, name, Target(service, origin)) for origin, name in names.items())
        return frozenset(gate.kind for gates in ways for gate in gates)

    def _command(self) -> str:
        service, environment = self.target.service, self.target.environment
        if self.is_way_back:
            return f"/rollback {service} {environment}"
        if self.origin:
            return f"/promote {service} {self.origin} {environment} --runbook {self.name}"
        verb = "canary" if any(entry.kind == "canary" for entry in self.runbook.steps) else "deploy"
        return f"/{verb} {service} {NEW} {environment} --runbook {self.name}"
