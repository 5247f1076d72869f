"""What speaks for the versions of a rehearsal, as the gates of its catalogue ask for it; and what a scenario spoils."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from bot.domain.image import Digest
from bot.domain.pattern import matches
from bot.domain.repository import Repository
from bot.domain.target import Target
from bot.sandbox import asked_gates, readdressed
from bot.sandbox.evidence import DAVE, REVISION
from bot.sandbox.registry.documents import (
    Vulnerability,
    openapi_document,
    operator_report,
    slsa_provenance,
    trivy_report,
    vulnerability_predicate,
)
from bot.sandbox.registry.server import LINUX
from bot.sandbox.registry.signing import ImageSigner
from bot.sandbox.rehearsed_ci import project_of
from bot.sandbox.scenarios import Scenario
from bot.sandbox.surroundings import Surroundings
from runbooks.configuration import Configuration
from runbooks.needs import VERSION_LABEL
from runbooks.provenance import SLSA_V1
from runbooks.scanning import VULNERABILITY_PREDICATES
from runbooks.spec import Entry

OLD, NEW = "v1", "v2"
AGES: Mapping[str, timedelta] = {OLD: timedelta(days=2), NEW: timedelta(hours=1)}
"""How long ago each version was built."""

CHECKS = ("build", "test")
"""Of a commit whose checks nobody names."""

SCANNED = timedelta(seconds=1)
"""How long ago the last scan was: what is found at the moment itself is newer."""

DESCRIPTION = "openapi.json"
API = {
    "openapi": "3.0.3",
    "info": {"title": "rehearsed", "version": "1"},
    "paths": {"/items": {"get": {"responses": {"200": {"description": "all of them"}}}}},
}
VULNERABILITY = max(VULNERABILITY_PREDICATES)


@dataclass(frozen=True, slots=True)
class Released:
    """What is released: a tag of a service's image, to a target, past these gates."""

    target: Target
    tag: str
    gates: tuple[Entry, ...]


class RehearsedEvidence:
    """Puts it into the registry, the GitHub and the cluster of the surroundings."""

    def __init__(self, around: Surroundings, configuration: Configuration, signer: ImageSigner) -> None:
        self._around, self._configuration, self._signer = around, configuration, signer
        self._digests: dict[tuple[str, str], Digest] = {}

    def give(self) -> None:
        """Both versions of every service, with everything that speaks for them but scans."""
        for path, services in self._images().items():
            for tag in AGES:
                self._push(path, services, tag)

    def renew(self) -> None:
        """Every version was scanned right before now, and nothing was found."""
        for (path, tag), digest in self._digests.items():
            for service in self._images()[path]:
                self._scanned(service, tag, digest, (), at=self._around.now - SCANNED)

    def spoil(self, scenario: Scenario, released: Released) -> str:
        """Make the evidence bad that the scenario is about; what was done, empty: there is none to make bad."""
        match scenario:
            case Scenario.CI_RED:
                return self._red(released)
            case Scenario.VULNERABLE:
                return self._vulnerable(released)
            case Scenario.UNSIGNED:
                self._around.registry.unsign(self._path(released.target.service), self._digest(released))
                return f"nobody has signed {released.tag}"
        return ""

    def _images(self) -> dict[str, list[str]]:
        """The repositories of the registry, each with the services that run what is in it."""
        found: dict[str, list[str]] = {}
        for service in self._configuration.catalogue.services:
            found.setdefault(self._path(service), []).append(service)
        return found

    def _path(self, service: str) -> str:
        return readdressed.repository(self._configuration.catalogue.service(service).image)

    def _digest(self, released: Released) -> Digest:
        return self._digests[self._path(released.target.service), released.tag]

    def _push(self, path: str, services: Sequence[str], tag: str) -> None:
        sha, registry = _commit(path, tag), self._around.registry
        labels = {REVISION: sha, **self._labels(services)}
        wanted = {one: None for service in services for one in asked_gates.platforms(self._configuration, service)}
        created = self._around.now - AGES[tag]
        digest = registry.push(path, tag, labels=labels, platforms=tuple(wanted) or LINUX, created=created)
        self._digests[path, tag] = digest
        registry.sign(path, digest, self._signer)
        self._built(services, digest, sha)
        for service in services:
            openapi = self._configuration.catalogue.service(service).openapi
            if openapi is not None and openapi.attached:
                registry.attach(path, digest, openapi_document(API))
        self._checked(services, tag, sha)

    def _labels(self, services: Sequence[str]) -> dict[str, str]:
        catalogue = self._configuration.catalogue
        openapis = (catalogue.service(service).openapi for service in services)
        needs = tuple(need for service in services for need in asked_gates.needed_of(catalogue, service))
        labels = {each.label: DESCRIPTION for each in openapis if each is not None and each.label}
        return labels | ({VERSION_LABEL: asked_gates.version_for(needs)} if needs else {})

    def _built(self, services: Sequence[str], digest: Digest, sha: str) -> None:
        """How it was built, where the catalogue wants to know that: once, whoever runs it, for every provenance that is
        there must fit."""
        chains = [self._configuration.catalogue.supply_chain(service) for service in services]
        wanted = [chain.signatures.provenance for chain in chains if chain.signatures]
        if not any(each.required for each in wanted):
            return
        sources = (*(each.source for each in wanted), *(chain.repository for chain in chains), "ci.example/source")
        built = slsa_provenance(_builder(each.builder for each in wanted), next(filter(None, sources)), sha)
        attestation = self._signer.attestation(digest, SLSA_V1, built)
        self._around.registry.attach(self._path(services[0]), digest, attestation)

    def _checked(self, services: Sequence[str], tag: str, sha: str) -> None:
        """The commit, with its files, in every repository of these services; and its checks."""
        files, names = {}, dict[str, dict[str, None]]()
        for service in services:
            entry = self._configuration.catalogue.service(service)
            if entry.openapi is not None and not entry.openapi.attached:
                files[entry.openapi.file or DESCRIPTION] = json.dumps(API).encode()
            if entry.repository:
                names.setdefault(project_of(Repository.parse(entry.repository).path), {})
            for project, required in self._checks(service):
                names.setdefault(project_of(project), {}).update({_name(one): None for one in required})
        for project, named in names.items():
            repository = self._around.github.repository(project)
            repository.commit(f"What is new in {tag}", sha=sha, author=DAVE, files=files)
            for name in named or CHECKS:
                repository.check(sha, name, "success")

    def _checks(self, service: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Projects and the checks that any gate may require there."""
        place = asked_gates.ci_place(self._configuration.catalogue, service)
        everywhere = [{}, *asked_gates.asked(self._configuration, service, asked_gates.CI)]
        return [found for params in everywhere if (found := asked_gates.checks(params, place))[0]]

    def _scanned(self, service: str, tag: str, digest: Digest, found: Sequence[Vulnerability], *, at: datetime) -> None:
        """A report of a scan, wherever a gate looks for one."""
        registry, path = self._around.registry, self._path(service)
        called = f"{self._configuration.catalogue.service(service).image}:{tag}"
        wanted = asked_gates.asked(self._configuration, service, asked_gates.VULNERABILITIES)
        registry.attach(path, digest, trivy_report(called, digest, found, at=at))
        if any(params.get("signed") is True for params in wanted):
            predicate = vulnerability_predicate(called, digest, found, at=at)
            registry.attach(path, digest, self._signer.attestation(digest, VULNERABILITY, predicate))
        if any(params.get("source") == "cluster" for params in wanted):
            self._scanned_there(service, tag, digest, found, at=at)

    def _scanned_there(
        self, service: str, tag: str, digest: Digest, found: Sequence[Vulnerability], *, at: datetime
    ) -> None:
        report = operator_report(digest, found, at=at)
        for workload in self._configuration.catalogue.workloads(service):
            name = {"name": f"{workload.name}-{tag}", "namespace": workload.namespace}
            kind = {"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "VulnerabilityReport"}
            self._around.cluster.apply({**kind, "metadata": name, "report": report})

    def _red(self, released: Released) -> str:
        """One check fails for each gate that looks; where none does, one of the service's."""
        place = asked_gates.ci_place(self._configuration.catalogue, released.target.service)
        gates = [asked_gates.filled(one, released.target) for one in released.gates if one.kind == asked_gates.CI]
        sha, failed = _commit(self._path(released.target.service), released.tag), dict[str, None]()
        for project, required in (asked_gates.checks(params, place) for params in gates or [{}]):
            if project:
                name = _name(required[-1]) if required else self._last(project_of(project))
                self._around.github.repository(project_of(project)).check(sha, name, "failure")
                failed[f"`{name}`"] = None
        one = "check" if len(failed) == 1 else "checks"
        return f"the {one} {', '.join(failed)} of {released.tag} failed" if failed else ""

    def _last(self, project: str) -> str:
        """The check that was reported last."""
        return str(self._around.github.repository(project).check_runs[-1]["name"])

    def _vulnerable(self, released: Released) -> str:
        service = released.target.service
        known = self._configuration.catalogue.supply_chain(service).exceptions
        ids = (f"CVE-2026-{number}" for number in itertools.count(9001))
        new = next(one for one in ids if not any(each.covers(one) for each in known))
        finding = Vulnerability(new, "CRITICAL", fixed="3.0.2")
        self._scanned(service, released.tag, self._digest(released), (finding,), at=self._around.now)
        return f"a scan finds {new} (CRITICAL) in {released.tag}"


def _commit(path: str, tag: str) -> str:
    """The commit that an image was built from; always the same one."""
    return hashlib.sha1(f"{path}:{tag}".encode(), usedforsecurity=False).hexdigest()


def _builder(patterns: Iterable[str]) -> str:
    """A builder whom all these patterns mean, where trying what each of them means finds one."""
    wanted = [pattern for pattern in patterns if pattern] or ["https://ci.example/builder"]
    tried = [re.sub(r"\*+", "any", pattern) for pattern in wanted]
    return next((one for one in tried if all(matches(pattern, one) for pattern in wanted)), tried[0])


def _name(pattern: str) -> str:
    """A check that a name or a pattern means: `test *` means `test 1`."""
    tried = re.sub(r"[*?]+", "1", pattern)
    if not fnmatchcase(tried, pattern):
        return pattern
    return tried if tried != "1" else CHECKS[0]
