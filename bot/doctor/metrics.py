"""Area `metrics`: each server answers, and each signal's query gives what a canary could be judged by."""

from bot.doctor.case import Case, connections, targets
from bot.doctor.finding import Area, Tell
from bot.domain.errors import PermanentError, SluiceError, TemporaryError, UsageError
from bot.domain.target import Target
from bot.measuring import providers
from bot.ports.metrics import Metrics, SignalQueries
from runbooks.catalogue import Catalogue
from runbooks.configuration import Configuration
from runbooks.judging import require_judgeable, seal, unsealed
from runbooks.metrics_providers import ProviderEntry

AREA = Area.METRICS


async def examine(case: Case, tell: Tell) -> None:
    """Tries every query on the stable pods, as the plan of a canary does."""
    entries = case.the_catalogue.metrics
    if not entries:
        tell(AREA.ok("catalogue", "it names no metrics server, so there is nothing to look at"))
    measured = _measured(case.the_configuration)
    for name, entry in entries.items():
        mine = {target: queries for target, queries in measured.items() if queries.provider == name}
        if mine:
            await _server(case, name, entry, mine, tell=tell)
        else:
            fix = "name it as `provider` in the `signals` of a service, or take it out of sluice.yaml"
            tell(AREA.warning(f"server {name}", "no service is measured by it, so it was not asked", fix))


def _measured(configuration: Configuration) -> dict[Target, SignalQueries]:
    """What is asked about each target that has signals."""
    catalogue = configuration.catalogue
    return {
        target: catalogue.queries(target.service, target.environment)
        for target in targets(configuration)
        if catalogue.service(target.service).signals is not None
    }


async def _server(
    case: Case, name: str, entry: ProviderEntry, mine: dict[Target, SignalQueries], *, tell: Tell
) -> None:
    subject, clusters = f"server {name}", connections(case.the_configuration)
    login = f"correct its login or certificates below `metrics: {{{name}: …}}` in sluice.yaml"
    try:
        async with providers({name: entry}, clusters=clusters, clock=case.clock) as opened:
            server = opened.get(name)
            for target, queries in mine.items():
                try:
                    await _tried(case, server, target, queries, tell=tell)
                except PermanentError as exc:
                    # Perhaps of this query alone; where it is of all, people are told once (see `report`).
                    tell(AREA.failed(str(target), exc, f"{login}, or what `signals` of the service ask for"))
    except TemporaryError as exc:
        # One server that is away is one finding, however many services it measures.
        fix = f"bring it up, let it be reached from here, or correct `metrics: {{{name}: …}}` in sluice.yaml"
        tell(AREA.failed(subject, exc, fix))
    except SluiceError as exc:
        tell(AREA.failed(subject, exc, login))


async def _tried(case: Case, server: Metrics, target: Target, queries: SignalQueries, *, tell: Tell) -> None:
    """Each signal of one target. Raises what the server answers instead."""
    proofs = await server.prove(queries, case.clock.now())
    for proof in proofs:
        if not proof.usable:
            fix = f"{_correct(target)}; `sluice doctor metrics --json` has the query"
            tell(AREA.fault(f"{target} {proof.signal}", proof.problem, fix, detail=proof.query))
    if not all(proof.usable for proof in proofs):
        return
    try:
        _judged(case.the_catalogue, target, queries.proven(proofs))
    except UsageError as exc:
        tell(AREA.failed(str(target), exc, _correct(target)))
    else:
        tell(AREA.ok(str(target), f"data of stable pods for {', '.join(proof.signal for proof in proofs)}"))


def _judged(catalogue: Catalogue, target: Target, proven: SignalQueries) -> None:
    """Raise UsageError where the judge or a guard rail cannot work with what was found."""
    signals = catalogue.service(target.service).signals
    if signals is not None:
        # How much of its CPU a container may use is looked up beside its workload: any figure will do here.
        require_judgeable(unsealed(seal(proven, signals, cpu_cores=1.0)))


def _correct(target: Target) -> str:
    return f"correct `signals` of {target.service} in sluice.yaml"
