"""`sluice simulate`: from a runbook's name to its rehearsals, each in surroundings of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.domain.errors import UsageError
from bot.domain.plan import Verb
from bot.domain.target import Target
from bot.sandbox import readdressed
from bot.sandbox.casting import ASKER, cast, voters
from bot.sandbox.faults import Place
from bot.sandbox.recorder import Recorder
from bot.sandbox.rehearsal import Pace, Rehearsal, at_once, settings_of, virtual_timing
from bot.sandbox.rehearsed_ci import RehearsedCi
from bot.sandbox.rehearsed_door import ToDoor, backend, known
from bot.sandbox.scenarios import Scenario, traits
from bot.sandbox.simulation import Part, Simulation
from bot.sandbox.stage import NotAsToldError
from bot.sandbox.surroundings import Surroundings
from bot.sandbox.traffic import SECOND
from bot.sandbox.transcript import Rehearsed
from bot.sandbox.virtual_clock import VirtualClock
from runbooks.catalogue import Catalogue
from runbooks.configuration import Configuration, load
from runbooks.durations import parse
from runbooks.lookups import OUTPUT, lookups
from runbooks.source import unknown
from runbooks.spec import Runbook

SOAK = "soak"
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday. Rehearsals always begin then."""

OLD, NEW = "v1", "v2"
WARM_UP = timedelta(minutes=10)
"""The service has had traffic for so long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to rehearse. `service` and `environment` may be empty: the first service, and the first
    protected environment or else the last."""

    runbook: str
    scenarios: Sequence[Scenario]
    service: str = ""
    environment: str = ""


USUAL = """\
clusters: {main: {}}
environments:
  staging: {cluster: main, namespace: staging}
  prod:
    cluster: main
    namespace: prod
    protected: true
    approval: {from: "@release-approvers", count: 2, on_call: "@on-call", break_glass: "@on-call"}
services:
  api:
    image: registry.example/acme/api
    workload: deployment/api
    channel: "#deploys"
    smoke: [{get: "https://{environment}.api.example/healthz"}]
    traffic: {router: gateway-api}
    signals: {preset: http, guards: ["error_rate < 5%"]}
metrics: {main: {prometheus: {url: "http://prometheus.example"}}}
"""
"""What runbooks are rehearsed on where nobody has a catalogue."""


def usual() -> Configuration:
    """The library's runbooks on one service in two environments."""
    with TemporaryDirectory(prefix="sluice-simulate-") as folder:
        path = Path(folder) / "sluice.yaml"
        path.write_text(USUAL)
        return load(path)


async def simulate(written: Configuration, asked: Asked, *, pace: Pace = at_once) -> list[Rehearsed]:
    """Rehearse a runbook in each scenario, one after another. Raises UsageError for names that there are not."""
    if asked.runbook not in written.runbooks:
        raise UsageError(unknown(f"There is no runbook '{asked.runbook}'", asked.runbook, written.runbooks))
    target = _target(written.catalogue, asked)
    return [await _rehearsed(written, asked.runbook, target, scenario, pace) for scenario in asked.scenarios]


def unfit(written: Configuration, asked: Asked) -> str:
    """Why this runbook cannot be rehearsed on its target whatever it does; empty: it can. Raises UsageError for names
    that there are not."""
    target, kinds = _target(written.catalogue, asked), {entry.kind for entry in written.runbooks[asked.runbook].steps}
    if not kinds & {"canary", "judge"}:
        return ""
    try:
        written.catalogue.route(target.service, target.environment)
        written.catalogue.queries(target.service, target.environment)
    except UsageError as exc:
        return str(exc)
    return ""


async def _rehearsed(written: Configuration, name: str, target: Target, scenario: Scenario, pace: Pace) -> Rehearsed:
    clock = VirtualClock(MORNING)
    every = readdressed.interval(written.catalogue, target.service)
    tick = every if every % SECOND == timedelta(0) else SECOND
    around = Surroundings(
        clock, tick=tick, acme=cast(written.catalogue, written.runbooks.values()), timing=virtual_timing(clock)
    )
    with TemporaryDirectory(prefix="sluice-simulate-") as place:
        folder = Path(place)
        async with around.serving(folder) as at:
            configuration = readdressed.readdressed(written, at)
            _furnish(around, configuration.catalogue)
            around.cluster.jobs_say(json.dumps(_outputs(configuration.runbooks[name])))
            catalogue = configuration.catalogue
            here = backend(catalogue, target.service, target.environment)
            stage = Rehearsal(
                around,
                clock,
                settings_of(folder, around),
                pace=pace,
                door=lambda: ToDoor(at.door, known(catalogue), here),
                ci=RehearsedCi(clock),
            )
            async with stage.running(configuration):
                simulation = Simulation(stage, Recorder(around.slack, clock))
                scene = _Scene(configuration, name, target, scenario, readdressed.left_out(written, name, target))
                return await _played(simulation, scene)


async def _played(simulation: Simulation, scene: "_Scene") -> Rehearsed:
    await simulation.passes(WARM_UP)
    try:
        for command, wait in scene.before():
            await simulation.prepare(scene.part(), command, wait)
    except NotAsToldError as exc:
        return simulation.unprepared(scene.part(), str(exc))
    return await simulation.play(scene.part())


def _target(catalogue: Catalogue, asked: Asked) -> Target:
    service = asked.service or next(iter(catalogue.services))
    catalogue.service(service)
    protected = (name for name, entry in catalogue.environments.items() if entry.protected)
    environment = asked.environment or next(protected, list(catalogue.environments)[-1])
    catalogue.environment(environment)
    return Target(service, environment)


def _furnish(around: Surroundings, catalogue: Catalogue) -> None:
    images = {}
    for service, entry in catalogue.services.items():
        repository = readdressed.repository(entry.image)
        around.registry.push(repository, OLD, created=MORNING - timedelta(days=2))
        around.registry.push(repository, NEW, created=MORNING - timedelta(hours=1))
        images[service] = f"{entry.image}:{OLD}"
    around.furnish(readdressed.manifests(catalogue, images))


def _outputs(runbook: Runbook) -> dict[str, str]:
    """What its Jobs say: a value for everything that is looked up of any step."""
    entries = (*runbook.steps, *runbook.on_failure)
    named = (OUTPUT.fullmatch(found.name) for entry in entries for found in lookups(dict(entry.params)))
    return {read.group(2): f"rehearsed-{read.group(2)}" for read in named if read}


@dataclass(frozen=True, slots=True)
class _Scene:
    """A runbook in a scenario, on a target of a catalogue for the stand-ins."""

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
    def origin(self) -> str:
        """The environment that comes before, where the version has to have been; empty where it need not."""
        return "" if self.is_way_back else next(iter(self._origins(self.target.environment, self.name)), "")

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
        target = Target(self.target.service, environment)
        gates = (*self.configuration.runbooks[runbook].gates, *self.configuration.gates_of(target))
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
        has = traits(
            self.runbook,
            smoke=bool(entry.smoke),
            guards=entry.signals.guards if entry.signals else (),
            latency=entry.signals is not None and "latency" not in readdressed.unjudged(entry.signals),
            asks=policy is not None,
            soaks=bool(self.origin),
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
                tag,
            ),
            before=was,
            traits=has,
            asker=ASKER,
            voters=tuple(person.name for person in voters(catalogue)),
            channel=catalogue.channel(service, environment).removeprefix("#"),
            left_out=self.left_out,
        )

    def _command(self) -> str:
        service, environment = self.target.service, self.target.environment
        if self.is_way_back:
            return f"/rollback {service} {environment}"
        if self.origin:
            return f"/promote {service} {self.origin} {environment} --runbook {self.name}"
        verb = "canary" if any(entry.kind == "canary" for entry in self.runbook.steps) else "deploy"
        return f"/{verb} {service} {NEW} {environment} --runbook {self.name}"
