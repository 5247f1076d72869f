"""A catalogue with every address replaced by a stand-in's; everything that people decided in it stays as it is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain.traffic import Router
from bot.sandbox.scenery import Manifest, deployment, kubernetes_service, route
from bot.sandbox.surroundings import Addresses
from runbooks.catalogue import Catalogue, ServiceEntry
from runbooks.checks import Expect, SmokeCheck
from runbooks.configuration import Configuration
from runbooks.environments import ClusterEntry
from runbooks.metrics_providers import PrometheusEntry, ProviderEntry
from runbooks.registries import RegistryEntry
from runbooks.signals import LabelNames, MetricNames, Signals
from runbooks.spec import Entry, Runbook

ASKS_OTHERS = frozenset({"budget", "ci", "compatibility", "order", "pairing", "signature", "vulnerabilities"})
"""Gates whose evidence comes from servers, or from a past, that a rehearsal does not have."""

PODS = 4


def readdressed(written: Configuration, at: Addresses) -> tuple[Configuration, tuple[str, ...]]:
    """The same configuration for the stand-ins, and the gates that were left out."""
    catalogue = written.catalogue
    services = {name: _service(entry, interval(catalogue, name)) for name, entry in catalogue.services.items()}
    moved = catalogue.model_copy(
        update={
            "clusters": {name: ClusterEntry(kubeconfig=str(at.kubeconfig)) for name in catalogue.clusters},
            # One cluster plays them all: environments that share a namespace in different clusters must not meet.
            "environments": {
                name: entry.model_copy(update={"namespace": name}) for name, entry in catalogue.environments.items()
            },
            "services": services,
            "registries": {
                host(entry.image): RegistryEntry(mirror=at.registry) for entry in catalogue.services.values()
            },
            "metrics": {"main": ProviderEntry(prometheus=PrometheusEntry(url=at.prometheus))},
            "signatures": None,
            "ci": {},
        }
    )
    runbooks = {name: _runbook(each) for name, each in written.runbooks.items()}
    gates = {place: _kept(listed) for place, listed in written.gates.items()}
    listed = [each for runbook in written.runbooks.values() for each in runbook.gates]
    listed += [each for entries in written.gates.values() for each in entries]
    left_out = sorted({each.kind for each in listed if each.kind in ASKS_OTHERS})
    return Configuration(moved, runbooks, gates), tuple(left_out)


def host(image: str) -> str:
    """The registry of an image."""
    return image.partition("/")[0]


def repository(image: str) -> str:
    """The path of an image without the registry's host."""
    return image.partition("/")[2]


def manifests(catalogue: Catalogue, images: Mapping[str, str]) -> list[tuple[str, Manifest]]:
    """Namespace and object of everything that the catalogue names. `images` by service."""
    made: list[tuple[str, Manifest]] = []
    for service, entry in catalogue.services.items():
        for environment in catalogue.environments:
            workload = catalogue.workload(service, environment)
            body = deployment(workload.name, images[service], PODS)
            if workload.container:
                body["spec"]["template"]["spec"]["containers"][0]["name"] = workload.container
            made.append((workload.namespace, body))
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


def _service(entry: ServiceEntry, every: timedelta) -> ServiceEntry:
    signals = entry.signals and Signals(
        interval=every,
        margins=entry.signals.margins,
        guards=entry.signals.guards,
        metrics=MetricNames(),
        labels=LabelNames(),
    )
    traffic = entry.traffic and entry.traffic.model_copy(update={"router": _router(entry.traffic.router), "rule": None})
    return entry.model_copy(
        update={
            "repository": None,
            "ci": None,
            "openapi": None,
            "slo": None,
            "signals": signals,
            "traffic": traffic,
            "smoke": tuple(_check(each) for each in entry.smoke),
            "signatures": None,
            "needs": {},
            "environments": {
                name: each.model_copy(update={"namespace": None, "traffic": None})
                for name, each in entry.environments.items()
            },
        }
    )


def _router(router: Router) -> Router:
    """Every router is rehearsed as a Gateway API route: what it does to the traffic is the same."""
    return router if router is Router.REPLICAS else Router.GATEWAY_API


def _check(check: SmokeCheck) -> SmokeCheck:
    """The same request. What it expects of the body only the real service could say."""
    return check.model_copy(update={"expect": Expect(status=check.expect.status)})


def _runbook(runbook: Runbook) -> Runbook:
    return replace(runbook, gates=_kept(runbook.gates))


def _kept(gates: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(each for each in gates if each.kind not in ASKS_OTHERS)
