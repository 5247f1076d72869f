"""`sluice simulate`: from a runbook's name to its rehearsals, each in surroundings of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.domain.errors import UsageError
from bot.domain.target import Target
from bot.sandbox import readdressed
from bot.sandbox.behaviour import Behaviour
from bot.sandbox.casting import cast
from bot.sandbox.recorder import Recorder
from bot.sandbox.registry.signing import ImageSigner
from bot.sandbox.rehearsal import Pace, Rehearsal, at_once, settings_of, virtual_timing
from bot.sandbox.rehearsed_ci import PAGES, servers
from bot.sandbox.rehearsed_door import ToDoor, backend, known
from bot.sandbox.rehearsed_evidence import OLD, RehearsedEvidence
from bot.sandbox.rehearsed_signatures import RehearsedSignatures
from bot.sandbox.scenarios import Scenario
from bot.sandbox.scene import Scene
from bot.sandbox.simulation import Simulation
from bot.sandbox.stage import NotAsToldError
from bot.sandbox.surroundings import Surroundings
from bot.sandbox.traffic import SECOND
from bot.sandbox.transcript import Rehearsed
from bot.sandbox.virtual_clock import VirtualClock
from runbooks.catalogue import Catalogue
from runbooks.configuration import Configuration, load
from runbooks.lookups import OUTPUT, lookups
from runbooks.source import unknown
from runbooks.spec import Runbook

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday. Rehearsals always begin then, unless they need another time of the day."""

LATER = timedelta(minutes=1)
"""After a freeze has begun the command is typed."""

RATE = 200.0
"""Requests a second to each service: enough for a canary of some minutes to be judged."""

KEY = "cosign.pub"
KEEPS = 5
"""How many times fewer requests fail than a service promises at most."""


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
    asked_for = Scene(written, name, target, scenario, left_out=())
    is_frozen = asked_for.keeps_calendar
    out = readdressed.left_out(written, name, target, frozen=is_frozen)
    clock = VirtualClock(_begin(asked_for))
    around = _surroundings(written, target, clock)
    with TemporaryDirectory(prefix="sluice-simulate-") as place:
        folder = Path(place)
        async with around.serving(folder) as at:
            configuration = readdressed.readdressed(written, at, frozen=target.environment if is_frozen else "")
            evidence = _furnish(around, configuration, folder)
            around.cluster.jobs_say(json.dumps(_outputs(configuration.runbooks[name])))
            catalogue = configuration.catalogue
            here = backend(catalogue, target.service, target.environment)
            async with servers(catalogue.ci, at.github, folder, clock) as ci:
                stage = Rehearsal(
                    around,
                    clock,
                    settings_of(folder, around),
                    pace=pace,
                    door=lambda: ToDoor(at.door, known(catalogue), here),
                    ci=ci,
                    signatures=RehearsedSignatures(folder / KEY),
                )
                async with stage.running(configuration):
                    simulation = Simulation(stage, Recorder(around.slack, clock), evidence)
                    return await _played(simulation, Scene(configuration, name, target, scenario, out))


async def _played(simulation: Simulation, scene: Scene) -> Rehearsed:
    await simulation.passes(scene.warm_up)
    try:
        for command, wait in scene.before():
            await simulation.prepare(scene.part(), command, wait)
    except NotAsToldError as exc:
        return simulation.unprepared(scene.part(), str(exc))
    return await simulation.play(scene.part())


def _begin(scene: Scene) -> datetime:
    """When to begin: where it must be frozen when the command is typed, so long before a window of the calendar that
    this will be in it."""
    if not scene.keeps_calendar:
        return MORNING
    coming = [window.next_begin(MORNING + scene.waits) for window in scene.windows]
    return min((at for at in coming if at), default=MORNING + scene.waits) - scene.waits + LATER


def _surroundings(written: Configuration, target: Target, clock: VirtualClock) -> Surroundings:
    every = readdressed.interval(written.catalogue, target.service)
    promised = [entry.slo.allowed / KEEPS for entry in written.catalogue.services.values() if entry.slo]
    return Surroundings(
        clock,
        tick=every if every % SECOND == timedelta(0) else SECOND,
        acme=cast(written.catalogue, written.runbooks.values()),
        timing=virtual_timing(clock),
        rate=RATE,
        usual=Behaviour(error_rate=min([Behaviour().error_rate, *promised])),
        # By chance a good version now and then looks doubtful: a runbook would be called bad for the name of an image.
        noisy=False,
    )


def _target(catalogue: Catalogue, asked: Asked) -> Target:
    service = asked.service or next(iter(catalogue.services))
    catalogue.service(service)
    protected = (name for name, entry in catalogue.environments.items() if entry.protected)
    environment = asked.environment or next(protected, list(catalogue.environments)[-1])
    catalogue.environment(environment)
    return Target(service, environment)


def _furnish(around: Surroundings, configuration: Configuration, folder: Path) -> RehearsedEvidence:
    catalogue, signer = configuration.catalogue, ImageSigner()
    (folder / KEY).write_text(signer.public_pem, encoding="utf-8")
    around.github.web = PAGES
    evidence = RehearsedEvidence(around, configuration, signer)
    evidence.give()
    images = {service: f"{entry.image}:{OLD}" for service, entry in catalogue.services.items()}
    around.furnish(readdressed.manifests(catalogue, images))
    return evidence


def _outputs(runbook: Runbook) -> dict[str, str]:
    """What its Jobs say: a value for everything that is looked up of any step."""
    entries = (*runbook.steps, *runbook.on_failure)
    named = (OUTPUT.fullmatch(found.name) for entry in entries for found in lookups(dict(entry.params)))
    return {read.group(2): f"rehearsed-{read.group(2)}" for read in named if read}
