"""A catalogue with every address replaced by a stand-in's; everything that people decided in it stays as it is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.adapters.oci_client import Repository
from bot.domain.json import Json
from bot.domain.plan import Verb
from bot.domain.target import Target, WorkloadRef
from bot.domain.traffic import Router
from bot.sandbox.asked_gates import PAIRING, answered, gates_of, go_together
from bot.sandbox.scenery import Manifest, deployment, kubernetes_service, route
from bot.sandbox.surroundings import Addresses
from runbooks.catalogue import Catalogue, ServiceEntry, WorkloadEntry
from runbooks.checks import Expect, SmokeCheck
from runbooks.configuration import Configuration
from runbooks.environments import ClusterEntry
from runbooks.metrics_providers import PrometheusEntry, ProviderEntry
from runbooks.registries import RegistryEntry
from runbooks.signals import LabelNames, MetricNames, Signals
from runbooks.spec import Entry, Runbook

PODS = 4

FREEZES = "freeze windows"
LONGEST_NAME = 63
"""Of a namespace."""


def readdressed(written: Configuration, at: Addresses, *, frozen: str = "") -> Configuration:
    """The same configuration for the stand-ins, without the gates that a rehearsal has no answer for, and without the
    freezes of all environments but `frozen`: what they let through depends on the moment, not on the runbook.

    `ci`, `repository` and `signatures` stay as they are: who reads those is replaced himself, so that their names are
    told as people know them.
    """
    catalogue = written.catalogue
    services = {name: _service(catalogue, name) for name in catalogue.services}
    moved = catalogue.model_copy(
        update={
            "clusters": {name: ClusterEntry(kubeconfig=str(at.kubeconfig)) for name in catalogue.clusters},
            # One cluster plays them all: environments that share a namespace in different clusters must not meet.
            "environments": {
                name: entry.model_copy(update={"namespace": name, "freeze": entry.freeze if name == frozen else ()})
                for name, entry in catalogue.environments.items()
            },
            "services": services,
            "registries": {
                host(entry.image): RegistryEntry(mirror=at.registry) for entry in catalogue.services.values()
            },
            "metrics": {"main": ProviderEntry(prometheus=PrometheusEntry(url=at.prometheus))},
        }
    )
    runbooks = {name: _runbook(each, catalogue) for name, each in written.runbooks.items()}
    gates = {place: _kept(listed, catalogue) for place, listed in written.gates.items()}
    return Configuration(moved, runbooks, gates)


def left_out(written: Configuration, runbook: str, target: Target, *, frozen: bool = False) -> tuple[str, ...]:
    """What a release would pass that a rehearsal leaves out: kinds of gates, and freezes unless it is `frozen`."""
    catalogue, service = written.catalogue, target.service
    kinds = {each.kind for each in gates_of(written, runbook, target) if not answered(each, catalogue)}
    paired = catalogue.service(service).needs or catalogue.needed_by(service)
    if paired and runbook != Verb.ROLLBACK.value and not go_together(catalogue):
        kinds.add(PAIRING)  # which is asked of everybody who needs another, though nobody writes it down
    freezes = [FREEZES] if catalogue.windows(target.environment) and not frozen else []
    return tuple(sorted(kinds) + freezes)


def host(image: str) -> str:
    """The registry of an image."""
    return Repository.parse(image).host


def repository(image: str) -> str:
    """The path of an image in its registry."""
    return Repository.parse(image).path


def workload_manifest(ref: WorkloadRef, image: str) -> Manifest:
    """The workload that runs this image."""
    body = deployment(ref.name, image, PODS)
    body["metadata"]["namespace"] = ref.namespace
    if ref.container:
        body["spec"]["template"]["spec"]["containers"][0]["name"] = ref.container
    return body


def manifests(catalogue: Catalogue, images: Mapping[str, str]) -> list[tuple[str, Manifest]]:
    """Namespace and object of everything that the catalogue names. `images` by service."""
    made: list[tuple[str, Manifest]] = []
    for service, entry in catalogue.services.items():
        for environment in catalogue.environments:
            workload = catalogue.workload(service, environment)
            made.append((workload.namespace, workload_manifest(workload, images[service])))
            traffic = entry.traffic.of(workload) if entry.traffic else None
            backend = kubernetes_service(traffic.service if traffic else workload.name)
            backend["spec"]["selector"] = {"app": workload.name}
            made.append((workload.namespace, backend))
            if traffic and traffic.router is Router.GATEWAY_API:
                way = route(traffic.name)
                way["spec"]["rules"][0]["backendRefs"][0]["name"] = traffic.service
                made.append((workload.namespace, way))
    return made


def interval(catalogue: Catalogue, service: str) -> timedelta:
    """How often the pods of a service are scraped."""
    signals = catalogue.service(service).signals
    if signals is not None and signals.interval is not None:
        return signals.interval
    named = signals.provider if signals is not None else None
    providers = [entry for name, entry in catalogue.metrics.items() if named in (None, name)]
    chosen = next((entry for entry in providers if entry.default), providers[0] if providers else None)
    return chosen.interval if chosen else ProviderEntry(prometheus=PrometheusEntry(url="http://nowhere")).interval


def _service(catalogue: Catalogue, name: str) -> ServiceEntry:
    entry, every = catalogue.service(name), interval(catalogue, name)
    signals = entry.signals and Signals(
        interval=every,
        margins=entry.signals.margins,
        guards=entry.signals.guards,
        metrics=MetricNames.model_validate(unjudged(entry.signals)),
        labels=LabelNames(),
    )
    traffic = entry.traffic and entry.traffic.model_copy(update={"router": _router(entry.traffic.router), "rule": None})
    return entry.model_copy(
        update={
            "signals": signals,
            "traffic": traffic,
            "smoke": tuple(_check(each) for each in entry.smoke),
            "needs": entry.needs if go_together(catalogue) else {},
            "workload": _workload(entry.workload),
            "environments": {name: _own(name, each) for name, each in entry.environments.items()},
        }
    )


def _router(router: Router) -> Router:
    """Every router is rehearsed as a Gateway API route: what it does to the traffic is the same."""
    return router if router is Router.REPLICAS else Router.GATEWAY_API


def unjudged(signals: Signals) -> dict[str, None]:
    """The metrics by which a service is expressly not judged."""
    written = signals.metrics.model_dump(exclude_unset=True)
    return {name: None for name, value in written.items() if value is None}


def _own(environment: str, entry: WorkloadEntry) -> WorkloadEntry:
    """A namespace of its own stays apart from the environment's: the same names may stand in both."""
    return entry.model_copy(
        update={
            "namespace": entry.namespace and f"{environment}-{entry.namespace}"[:LONGEST_NAME].rstrip("-"),
            "workload": entry.workload and _workload(entry.workload),
            "traffic": None,
        }
    )


def _workload(written: str) -> str:
    """Every workload is rehearsed as a Deployment: a runbook treats them alike."""
    return f"deployment/{written.partition('/')[2]}"


def _check(check: SmokeCheck) -> SmokeCheck:
    """The same request. What it expects of the answer only the real service could say: here it is that all is well."""
    return check.model_copy(update={"expect": Expect()})


def _runbook(runbook: Runbook, catalogue: Catalogue) -> Runbook:
    steps, on_failure = (tuple(_step(each) for each in listed) for listed in (runbook.steps, runbook.on_failure))
    return replace(runbook, gates=_kept(runbook.gates, catalogue), steps=steps, on_failure=on_failure)


def _step(entry: Entry) -> Entry:
    """A smoke step's own checks expect as little as those of the catalogue."""
    checks = entry.params.get("checks")
    if not isinstance(checks, list):
        return entry
    asked: list[Json] = [{**each, "expect": {}} for each in checks if isinstance(each, dict)]
    return replace(entry, params={**entry.params, "checks": asked})


def _kept(gates: tuple[Entry, ...], catalogue: Catalogue) -> tuple[Entry, ...]:
    return tuple(each for each in gates if answered(each, catalogue))
