"""What a plan fills into the gate `budget`: what the service promises, and how its requests are counted."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.json import JsonObject
from bot.domain.plan import Request, Verb
from bot.ports.metrics import SignalQueries
from runbooks.catalogue import Catalogue
from runbooks.slo import Slo
from runbooks.spec import Entry

BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Promise:
    """What a service promises in an environment, and the query that counts its requests and failures there."""

    slo: Slo
    queries: SignalQueries


def promise_of(catalogue: Catalogue, request: Request, gates: Iterable[Entry]) -> Promise | None:
    """The promise of the target, where one of the gates asks for it; a rollback passes without. Raises UsageError with
    the line to write."""
    asking = next((entry for entry in gates if entry.kind == BUDGET), None)
    if asking is None or request.verb is Verb.ROLLBACK:
        return None
    service, environment = request.target.service, request.target.environment
    entry = catalogue.service(service)
    if entry.slo is None:
        raise UsageError(
            f"The gate 'budget' asks how much of its error budget {service} has left, and {service} promises nothing.",
            hint=f"Write 'slo: {{availability: 99.9%, window: 30d}}' under services.{service} in sluice.yaml, beside "
            "its 'signals'.",
        )
    asked = catalogue.queries(service, environment)
    return Promise(entry.slo, replace(asked, latency=None, gauges=()))


def promised(params: JsonObject, promise: Promise | None, *, verb: Verb, where: str) -> JsonObject:
    """The gate's parameters with the promise: always the catalogue's, whatever a runbook wrote there; `where` is the
    line that asks. Raises UsageError."""
    if verb is Verb.ROLLBACK:
        return {**params, "slo": None, "queries": {}}
    if promise is None:
        raise UsageError(f"{where} asks for an error budget, and the service has none.")
    return {**params, "slo": promise.slo.model_dump(mode="json"), "queries": promise.queries.sealed()}
