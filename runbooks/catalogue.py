"""The catalogue: what is released where, by which runbook, and who is asked. The model of `sluice.yaml`."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from bot.domain.approval import ApprovalPolicy
from bot.domain.errors import UsageError
from bot.domain.hold import EVERYTHING
from bot.domain.plan import Verb
from bot.domain.repository import Repository
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.domain.traffic import Route
from bot.ports.metrics import SignalQueries
from runbooks.checks import SmokeCheck
from runbooks.ci_servers import CiEntry, CiPlace, ServiceCiField, place_of
from runbooks.environments import Approval, Channel, ClusterEntry, EnvironmentEntry, SlackUser
from runbooks.metrics_providers import ProviderEntry
from runbooks.needs import Need
from runbooks.openapi_source import OpenApi
from runbooks.parts import Name, Part
from runbooks.registries import RegistryEntry
from runbooks.signals import SignalsField, resolve
from runbooks.slo import Slo
from runbooks.source import did_you_mean, unknown
from runbooks.supply_chain import Signatures, SupplyChain, VulnerabilityRules
from runbooks.traffic import Traffic
from runbooks.windows import FreezeWindow

OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
REPOSITORY = re.compile(r"[a-zA-Z0-9.-]+(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+")


class WorkloadEntry(Part):
    """Where an environment differs from the rest of the service; `None`: it does not."""

    workload: str | None = Field(default=None, description="Another workload.")
    namespace: Name | None = Field(default=None, description="Another namespace than the environment's.")
    container: str | None = Field(default=None, description="Another container.")
    traffic: Traffic | None = Field(default=None, description="Another way of its requests.")

    @field_validator("workload")
    @classmethod
    def _readable(cls, written: str | None) -> str | None:
        if written is not None:
            read_workload(written)
        return written


class ServiceEntry(Part):
    """What is released. Its `signatures` win over those at the top of the file, its `vulnerabilities` add to them."""

    image: str = Field(description="The repository without tag or digest.")
    repository: str | None = Field(default=None, description="Where its source is: `github.com/acme/api`.")
    ci: ServiceCiField | None = Field(default=None, description="Where its commits are checked; a list is `required`.")
    openapi: OpenApi | None = Field(default=None, description="Where its OpenAPI documents are.")
    workload: str = Field(description="What runs it: `deployment/api`, `statefulset/…` or `daemonset/…`.")
    container: str | None = Field(default=None, description="Which container gets the image, if there are several.")
    channel: Channel = Field(description="Where its releases are told.")
    runbooks: dict[str, str] = Field(
        default_factory=dict, description="Environments and their runbooks; `deploy` where nothing is said."
    )
    smoke: tuple[SmokeCheck, ...] = Field(default=(), description="The requests that prove that it answers.")
    traffic: Traffic | None = Field(
        default=None, description="What divides its requests between stable and canary; left out: no canary."
    )
    signals: SignalsField | None = Field(
        default=None, description="What a canary is judged by; left out: there can be none. One word is its `preset`."
    )
    slo: Slo | None = Field(default=None, description="What its requests promise, measured by `signals`.")
    gates: list[object] = Field(
        default_factory=list, description="Gates before any release of it, whatever its runbook asks for."
    )
    needs: dict[str, Need] = Field(
        default_factory=dict, description="The services that it calls, and the versions that it can work with."
    )
    signatures: Signatures | None = Field(
        default=None, description="Whose signature its images must have; wins over those at the top."
    )
    vulnerabilities: VulnerabilityRules = Field(
        default=VulnerabilityRules(), description="What is put up with in its images, besides those at the top."
    )
    environments: dict[str, WorkloadEntry] = Field(default_factory=dict, description="Where an environment differs.")

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.slo is not None and self.signals is None:
            raise ValueError("'slo' is measured by 'signals', and there are none; add 'signals: http'")
        return self

    @field_validator("repository")
    @classmethod
    def _somewhere(cls, written: str | None) -> str | None:
        try:
            return str(Repository.parse(written)) if written else None
        except UsageError as exc:
            raise ValueError(str(exc).rstrip(".")) from exc

    @field_validator("image")
    @classmethod
    def _repository_alone(cls, image: str) -> str:
        if not REPOSITORY.fullmatch(image):
            raise ValueError(f"'{image}' is not a repository such as ghcr.io/acme/api, without tag or digest")
        return image

    @field_validator("workload")
    @classmethod
    def _readable(cls, written: str) -> str:
        read_workload(written)
        return written


class Catalogue(Part):
    """Everything in `sluice.yaml`."""

    clusters: dict[Name, ClusterEntry] = Field(min_length=1, description="Clusters by name.")
    environments: dict[Name, EnvironmentEntry] = Field(
        min_length=1, description="Environments by name, in the order in which a version goes through them."
    )
    services: dict[Name, ServiceEntry] = Field(min_length=1, description="Services by name.")
    runbooks_dir: str | None = Field(default=None, description="A folder beside the file, with runbooks of one's own.")
    registries: dict[str, RegistryEntry] = Field(
        default_factory=dict, description="Registries by host, where one is spoken to in an unusual way."
    )
    metrics: dict[Name, ProviderEntry] = Field(default_factory=dict, description="Metrics servers by name.")
    signatures: Signatures | None = Field(
        default=None, description="Whose signature every image must have, for the gate `signature`."
    )
    vulnerabilities: VulnerabilityRules = Field(
        default=VulnerabilityRules(), description="What is put up with in every service."
    )
    people: dict[str, SlackUser] = Field(
        default_factory=dict, description="The authors of commits, by login or address, and whom Slack knows them as."
    )
    ci: dict[Name, CiEntry] = Field(default_factory=dict, description="CI servers by name.")

    @field_validator("environments")
    @classmethod
    def _means_one(cls, named: dict[str, EnvironmentEntry]) -> dict[str, EnvironmentEntry]:
        if EVERYTHING in named:
            raise ValueError(
                f"no environment can be called '{EVERYTHING}': `/release freeze {EVERYTHING}` means them all"
            )
        return named

    def service(self, service: str) -> ServiceEntry:
        """The service of that name. Raises UsageError with the nearest one."""
        if service not in self.services:
            raise UsageError(unknown(f"There is no service '{service}'", service, self.services))
        return self.services[service]

    def environment(self, environment: str) -> EnvironmentEntry:
        """The environment of that name. Raises UsageError with the nearest one."""
        if environment not in self.environments:
            raise UsageError(unknown(f"There is no environment '{environment}'", environment, self.environments))
        return self.environments[environment]

    def workload(self, service: str, environment: str) -> WorkloadRef:
        """Where a service runs in an environment. Raises UsageError."""
        entry, place = self.service(service), self.environment(environment)
        own = entry.environments.get(environment, WorkloadEntry())
        kind, object_name = read_workload(own.workload or entry.workload)
        return WorkloadRef(
            cluster=place.cluster,
            namespace=own.namespace or place.namespace,
            kind=kind,
            name=object_name,
            container=own.container or entry.container,
        )

    def workloads(self, service: str) -> tuple[WorkloadRef, ...]:
        """Where a service runs, in every environment. Raises UsageError."""
        return tuple(self.workload(service, environment) for environment in self.environments)

    def supply_chain(self, service: str) -> SupplyChain:
        """What must hold of a service's images. Raises UsageError."""
        entry = self.service(service)
        exceptions = (*entry.vulnerabilities.exceptions, *self.vulnerabilities.exceptions)
        return SupplyChain(service, entry.signatures or self.signatures, exceptions, entry.repository or "")

    def policy(self, environment: str, verb: Verb, *, exempt: bool = False) -> ApprovalPolicy | None:
        """Who is asked; `None`: nobody is. A rollback needs one vote, and those on call may vote for their own. What is
        `exempt` from a freeze needs a vote even where nobody is asked otherwise. Raises UsageError."""
        place = self.environment(environment)
        asked = place.approval
        if asked is None and exempt:
            asked = Approval(from_=self._exempting(environment, place.exemptions))
        if asked is None:
            return None
        back = verb is Verb.ROLLBACK
        return ApprovalPolicy(
            group=asked.from_,
            count=1 if back else asked.count,
            within=asked.within,
            use_within=asked.use_within,
            self_group=asked.on_call if back else None,
            break_glass=asked.break_glass,
        )

    @staticmethod
    def _exempting(environment: str, named: str | None) -> str:
        if named is None:
            raise UsageError(
                f"Nobody is named who may vote on an exemption in {environment}.",
                hint=f"Write 'exemptions: \"@release-approvers\"' under environments.{environment} in sluice.yaml.",
            )
        return named

    def windows(self, environment: str) -> tuple[FreezeWindow, ...]:
        """When nothing may change in an environment. Raises UsageError."""
        return self.environment(environment).freeze

    def channels(self, environment: str | None = None) -> tuple[str, ...]:
        """Every channel in which releases are told; of one environment: where its own are. Raises UsageError."""
        named = list(self.environments) if environment is None else [environment]
        return tuple(dict.fromkeys(self.channel(service, each) for each in named for service in self.services))

    def channel(self, service: str, environment: str | None = None) -> str:
        """Where a release is told: the environment's own channel, else the service's. Raises UsageError."""
        own = self.environment(environment).channel if environment is not None else None
        return own or self.service(service).channel

    def runbook_name(self, service: str, environment: str, verb: Verb) -> str:
        """The runbook of a target: for a deploy or a promotion the one that the service names. Raises UsageError."""
        self.environment(environment)
        own = self.service(service).runbooks.get(environment)
        return verb.value if verb in (Verb.ROLLBACK, Verb.CANARY) else own or verb.value

    def environment_before(self, environment: str) -> str:
        """The environment that the catalogue names before this one; empty: it is the first."""
        names = list(self.environments)
        at = names.index(environment)
        return names[at - 1] if at else ""

    def route(self, service: str, environment: str) -> Route:
        """The way of the requests to a target. Raises UsageError."""
        workload, entry = self.workload(service, environment), self.service(service)
        own = entry.environments.get(environment, WorkloadEntry()).traffic
        traffic = own or entry.traffic
        if traffic is None:
            raise UsageError(
                f"{service} has no 'traffic' that a canary could have a share of.",
                hint="Write 'traffic: {router: replicas}', or name gateway-api, istio or nginx.",
            )
        return traffic.of(workload)

    def smoke(self, service: str, environment: str) -> tuple[SmokeCheck, ...]:
        """The service's smoke checks with the target's names filled in. Raises UsageError."""
        self.environment(environment)
        checks = self.service(service).smoke
        return tuple(check.placed(service=service, environment=environment) for check in checks)

    def needed_by(self, service: str) -> dict[str, str]:
        """Who needs a service, and in which versions."""
        return {name: entry.needs[service] for name, entry in self.services.items() if service in entry.needs}

    def provider(self, service: str) -> tuple[str, ProviderEntry]:
        """The metrics server of a service, and its name: its own, else the only one or the default. Raises
        UsageError."""
        signals = self.service(service).signals
        own = signals.provider if signals else None
        usual = [name for name, entry in self.metrics.items() if entry.default or len(self.metrics) == 1]
        found = own or next(iter(usual), None)
        if found is None:
            raise UsageError(f"{service} has no metrics provider; name one with 'provider', or a 'default' one.")
        if found not in self.metrics:
            raise UsageError(unknown(f"There is no metrics provider '{found}'", found, self.metrics))
        return found, self.metrics[found]

    def ci_place(self, service: str) -> CiPlace:
        """Where the commits of a service are checked, and its pipelines run. Raises UsageError."""
        entry = self.service(service)
        return place_of(service, entry.repository, entry.ci, self.ci)

    def queries(self, service: str, environment: str, *, fresh_baseline: bool = False) -> SignalQueries:
        """What a canary of a target is judged by, before it is proven. Raises UsageError."""
        workload, signals = self.workload(service, environment), self.service(service).signals
        if signals is None:
            raise UsageError(
                f"{service} has no 'signals' to judge a canary by; one line such as 'signals: http' is enough."
            )
        name, entry = self.provider(service)
        return resolve(signals, workload, name, entry, fresh_baseline=fresh_baseline)


def read_workload(written: str) -> tuple[WorkloadKind, str]:
    """Kind and name of `deployment/api`. Raises ValueError with what to write instead."""
    kind, _, object_name = written.partition("/")
    if kind.lower() not in set(WorkloadKind) or not OBJECT_NAME.fullmatch(object_name):
        offer = did_you_mean(kind, WorkloadKind) if object_name else "write it like deployment/api"
        raise ValueError(f"'{written}' is not a workload; {offer}")
    return WorkloadKind(kind.lower()), object_name
