"""Pure: a request, a runbook and the facts become a plan in which nothing is left open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pydantic import ValidationError

from bot.domain.approval import ApprovalPolicy
from bot.domain.errors import PermanentError, UsageError
from bot.domain.ids import StepKey
from bot.domain.json import Json, JsonObject
from bot.domain.news import News
from bot.domain.plan import Artifact, Plan, PlannedStep, Previous, Request, RunbookPin, Verb, goes_back
from bot.domain.target import WorkloadRef
from bot.domain.traffic import Route
from runbooks.budget_planning import BUDGET, Promise, promised
from runbooks.canary_rules import require_whole
from runbooks.checks import SmokeCheck
from runbooks.ci_planning import CI, PIPELINE, checked, placed
from runbooks.ci_servers import CiPlace
from runbooks.kinds import StepSpec
from runbooks.lookups import lookups, resolve, spoken
from runbooks.openapi_planning import COMPATIBILITY, ApiFacts, sealed
from runbooks.registry import gate_kind, step_kind
from runbooks.spec import Entry, Runbook
from runbooks.supply_chain import SupplyChain

APPROVAL, PAIRING, SMOKE, SOAK = "approval", "pairing", "smoke", "soak"
ALWAYS = ("freeze", "lock")
"""Gates of every plan, whatever its runbook asks for besides."""

RUN = "${run}"
"""A plan does not know its run: this look-up stays until a step is executed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about the world before planning. `soaks_in` is the environment that a version comes from;
    empty: there is none. `gates` are asked for by the target itself, beside the runbook's. `needs` are the services
    that this one needs, `needed_by` those that need it, each with the versions. `supply_chain` is what the catalogue
    says of the service's images, `api` what it says of its OpenAPI documents, `ci` where its commits are checked,
    `promise` what its error budget is; `None`: nothing asks."""

    workload: WorkloadRef
    protected: bool
    artifact: Artifact
    previous: Previous | None
    live_template: str
    live_mark: str
    policy: ApprovalPolicy | None
    channel: str
    smoke: tuple[SmokeCheck, ...] = ()
    notes: tuple[str, ...] = ()
    traffic: Route | None = None
    signals: Mapping[str, Json] = field(default_factory=dict)
    soaks_in: str = ""
    gates: tuple[Entry, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    needed_by: Mapping[str, str] = field(default_factory=dict)
    news: News | None = None
    supply_chain: SupplyChain = field(default_factory=SupplyChain)
    api: ApiFacts = field(default_factory=ApiFacts)
    ci: CiPlace | None = None
    promise: Promise | None = None


def make_plan(request: Request, runbook: Runbook, facts: Facts) -> Plan:
    """The plan. Raises UsageError when the runbook may not be used here, PermanentError for an unknown look-up."""
    require_whole(runbook)
    if facts.protected or request.exempt:
        require_approval_first(runbook, request.target.environment, facts.smoke)
        if facts.policy is None:
            raise PermanentError(f"{request.target.environment} needs votes for this, and nobody is named who may vote")
    values = {
        "artifact.digest": facts.artifact.digest,
        "artifact.image": facts.artifact.image,
        "artifact.ref": facts.artifact.ref,
        "artifact.commit": facts.artifact.commit,
        "service": request.target.service,
        "environment": request.target.environment,
        "run": RUN,
    }
    fill = _Filler(runbook, values, facts, request.verb)
    return Plan(
        verb=request.verb,
        target=request.target,
        workload=facts.workload,
        protected=facts.protected,
        artifact=facts.artifact,
        previous=facts.previous,
        live_template=facts.live_template,
        live_mark=facts.live_mark,
        runbook=RunbookPin(runbook.name, runbook.sha256),
        gates=tuple(fill.gate(entry) for entry in _gates(request, runbook, facts)),
        steps=tuple(fill.step(entry) for entry in runbook.steps if facts.policy or entry.kind != APPROVAL),
        on_failure=tuple(fill.step(entry) for entry in runbook.on_failure),
        approval=facts.policy,
        requester=request.requester,
        channel=facts.channel,
        reason=request.reason,
        notes=facts.notes,
        traffic=facts.traffic,
        signals=facts.signals,
        exempt=request.exempt,
        news=facts.news,
    )


def _gates(request: Request, runbook: Runbook, facts: Facts) -> list[Entry]:
    """The runbook's gates and the target's own, each once. The way back is never held up by what the target asks of a
    new version."""
    back = goes_back(request.verb, runbook.name)
    own = () if back else facts.gates
    wanted = [*runbook.gates, *own]
    if request.verb is Verb.PROMOTE and all(entry.kind != SOAK for entry in wanted):
        # What is promoted must run healthy where it comes from, whatever the runbook asks for besides.
        wanted.append(Entry(f"gates.{SOAK}", SOAK, {}, None, 0))
    related = facts.needs or facts.needed_by
    if related and not back and all(entry.kind != PAIRING for entry in wanted):
        wanted.append(Entry(f"gates.{PAIRING}", PAIRING, {}, None, 0))
    present = {entry.kind for entry in wanted}
    wanted += [Entry(f"gates.{kind}", kind, {}, None, 0) for kind in ALWAYS if kind not in present]
    found: list[Entry] = []
    for entry in wanted:
        if any((entry.kind, entry.params, entry.deadline) == (one.kind, one.params, one.deadline) for one in found):
            continue
        names = [one.name for one in found]
        numbered = (f"{entry.name}-{number}" for number in range(2, len(wanted) + 2))
        name = entry.name if entry.name not in names else next(one for one in numbered if one not in names)
        found.append(replace(entry, key=f"gates.{name}"))
    return found


def require_approval_first(runbook: Runbook, environment: str, smoke: Sequence[SmokeCheck] = ()) -> None:
    """Nothing in a protected environment may change before people were asked; `smoke` are the service's own checks.

    Raises UsageError.
    """
    for entry in runbook.steps:
        if entry.kind == APPROVAL:
            return
        if step_kind(entry.kind).alters(entry.params) or (entry.kind == SMOKE and _posts(entry, smoke)):
            raise UsageError(
                f"The runbook '{runbook.name}' changes {environment} before anybody is asked: its step '{entry.name}' "
                f"({runbook.file}:{entry.line}) comes before an approval, and {environment} is protected.",
                hint="Put '- approval' before it.",
            )


def _posts(entry: Entry, smoke: Sequence[SmokeCheck]) -> bool:
    """Whether a smoke step sends more than questions: what a POST does to a service, nobody here can know."""
    own = entry.params.get("checks")
    if isinstance(own, list) and own:
        return any(isinstance(check, dict) and check.get("post") for check in own)
    return any(check.post for check in smoke)


@dataclass(frozen=True, slots=True)
class _Filler:
    """Makes planned steps of a runbook's entries by filling in what the plan knows."""

    runbook: Runbook
    values: Mapping[str, str]
    facts: Facts
    verb: Verb

    def gate(self, entry: Entry) -> PlannedStep:
        kind = gate_kind(entry.kind)
        params = self.facts.supply_chain.sealed(entry.kind, self._params(entry, kind.spec))
        if entry.kind == SOAK and not params["in"]:
            if not self.facts.soaks_in:
                raise UsageError(
                    f"The gate 'soak' ({self._place(entry)}) does not say where a version soaks, and the "
                    "catalogue names no environment before this one.",
                    hint="Write where, as in `soak: {in: staging, for: 1h}`, or leave the gate out.",
                )
            params["in"] = self.facts.soaks_in
        if entry.kind == CI:
            params = checked(params, self.facts.ci, of=self.facts.artifact, where=self._place(entry))
        if entry.kind == BUDGET:
            params = promised(params, self.facts.promise, verb=self.verb, where=self._place(entry))
        if entry.kind == COMPATIBILITY:
            params = sealed(params, self.facts.api, of=self.facts.artifact, where=self._place(entry))
        if entry.kind == PAIRING:
            params |= {
                "needs": dict(self.facts.needs),
                "needed_by": dict(self.facts.needed_by),
                "in": params["in"] or self.facts.soaks_in,
            }
        deadline = _deadline(entry, kind.deadline)
        return PlannedStep(StepKey(entry.key), entry.kind, params, deadline, standing=kind.standing)

    def step(self, entry: Entry) -> PlannedStep:
        kind = step_kind(entry.kind)
        params = self._params(entry, kind.spec)
        if entry.kind == SMOKE and not params["checks"]:
            params["checks"] = [check.model_dump(mode="json", by_alias=True) for check in self.facts.smoke]
        if entry.kind == PIPELINE:
            params = placed(params, self.facts.ci, where=self._place(entry))
        deadline = max(_deadline(entry, kind.deadline), kind.spec.model_validate(params).takes())
        return PlannedStep(StepKey(entry.key), entry.kind, params, deadline, changes=kind.alters(params))

    def _params(self, entry: Entry, spec: type[StepSpec]) -> JsonObject:
        values = self.values
        if spec.told:
            # What people read: no value may act as markup, and none leaves a hole in the sentence.
            values = {name: (value if value == RUN else spoken(value)) for name, value in values.items()}
        filled = resolve(entry.params, values)
        try:
            return spec.model_validate(filled).model_dump(mode="json", by_alias=True)
        except ValidationError as exc:
            raise self._slip(entry, exc) from exc

    def _place(self, entry: Entry) -> str:
        return f"{entry.file or self.runbook.file}:{entry.line}"

    def _slip(self, entry: Entry, exc: ValidationError) -> UsageError:
        """A look-up gave a value that the step cannot take: the runbook must not count on it."""
        fault = exc.errors(include_url=False, include_context=False)[0]
        at: Json = dict(entry.params)
        for part in fault["loc"]:
            at = at[part] if isinstance(at, dict) and part in at else at
        looked = ", ".join(sorted({f"${{{one.name}}}" for one in lookups(at)})) or "its look-ups"
        key = ".".join(str(part) for part in fault["loc"]) or entry.kind
        return UsageError(
            f"The runbook '{self.runbook.name}' cannot be used for this version: '{key}' of its step '{entry.name}' "
            f"({self._place(entry)}) does not take what {looked} gives here: {fault['msg']}.",
            hint="Let the runbook say something beside the look-up, or release a version that has it.",
        )


def _deadline(entry: Entry, default: timedelta) -> timedelta:
    return default if entry.deadline is None else entry.deadline
