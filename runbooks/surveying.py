"""What a plan with a canary must know beforehand: whether one can be run there, and whether it can be judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.errors import UsageError
from bot.domain.json import Json
from bot.domain.target import Target
from bot.domain.traffic import Route, Router, canary_pods_by_ratio, share_of
from bot.ports.canaries import CanaryClusters
from bot.ports.clock import Clock
from bot.ports.cluster import WorkloadState
from bot.ports.metrics import MetricsProviders, Proof
from runbooks.catalogue import Catalogue
from runbooks.judging import require_judgeable, seal, unsealed
from runbooks.percent import parse_percent
from runbooks.spec import Runbook

CANARIES, WATCHERS = frozenset({"canary", "judge"}), frozenset({"watch"})
"""Kinds that divide the traffic, and kinds that only look at the metrics."""

FAR = 1.2
"""A share this many times as large as the one asked for is worth telling."""


@dataclass(frozen=True, slots=True)
class TrafficFacts:
    """The way of the requests and the proven queries, for a plan to seal; `notes` are risks to tell."""

    route: Route | None = None
    signals: Mapping[str, Json] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Surveyor:
    """Asks the cluster and the metrics server; changes nothing."""

    def __init__(self, *, canaries: CanaryClusters, providers: MetricsProviders, clock: Clock) -> None:
        self._canaries = canaries
        self._providers = providers
        self._clock = clock

    async def facts(self, catalogue: Catalogue, target: Target, runbook: Runbook, state: WorkloadState) -> TrafficFacts:
        """What this runbook needs. Raises UsageError, with its fix, where there can be no canary or no judge of it."""
        kinds = {entry.kind for entry in (*runbook.steps, *runbook.on_failure)}
        if not kinds & CANARIES:
            watched = bool(kinds & WATCHERS) and catalogue.service(target.service).signals is not None
            return TrafficFacts(signals=await self._proven(catalogue, target, state)) if watched else TrafficFacts()
        fresh = any(entry.params.get("baseline") == "fresh" for entry in runbook.steps)
        route = replace(catalogue.route(target.service, target.environment), fresh_baseline=fresh)
        found = await self._canaries.canaries(route.workload.cluster).survey(route)
        if found.problems:
            place = f"{target.service} in {target.environment}"
            raise UsageError(f"There can be no canary of {place}: {'; '.join(found.problems)}.")
        shares = tuple(_shares(route, runbook, found.stable_pods))
        signals = await self._proven(catalogue, target, state, fresh_baseline=fresh)
        return TrafficFacts(route, signals, (*found.risks, *shares))

    async def _proven(
        self, catalogue: Catalogue, target: Target, state: WorkloadState, *, fresh_baseline: bool = False
    ) -> dict[str, Json]:
        """The queries as they will be asked, each of which has been tried on the pods of now. Raises UsageError."""
        queries = catalogue.queries(target.service, target.environment, fresh_baseline=fresh_baseline)
        proofs = await self._providers.get(queries.provider).prove(queries, self._clock.now())
        bad = [proof for proof in proofs if not proof.usable]
        if bad:
            raise UsageError(_unusable(target, bad))
        signals = catalogue.service(target.service).signals
        if signals is None:
            raise RuntimeError("queries without signals")
        sealed = seal(queries.proven(proofs), signals, cpu_cores=state.cpu_cores)
        require_judgeable(unsealed(sealed))
        return sealed


def _unusable(target: Target, proofs: Sequence[Proof]) -> str:
    told = [f"{proof.signal}: {proof.problem} (asked `{proof.query}`, found {proof.found})" for proof in proofs]
    place = f"{target.service} in {target.environment}"
    return f"The metrics of {place} cannot judge a canary: {'; '.join(told)}."


def _shares(route: Route, runbook: Runbook, stable: int) -> Iterator[str]:
    """Where pods alone divide the traffic, not every share can be had. Raises UsageError for one that no number of pods
    gives."""
    if route.router is not Router.REPLICAS:
        return
    for entry in runbook.steps:
        if entry.kind != "canary":
            continue
        weight = parse_percent(entry.params["weight"])
        try:
            pods = canary_pods_by_ratio(stable, weight, fresh_baseline=route.fresh_baseline)
        except ValueError as exc:
            place = f"{runbook.file}:{entry.line}"
            raise UsageError(f"The runbook '{runbook.name}' ({place}) cannot be had without a router: {exc}.") from exc
        share = share_of(pods, stable + (pods if route.fresh_baseline else 0))
        if share > FAR * weight:
            yield f"without a router {weight} % cannot be had beside {stable} pods: the canary gets about {share} %"
