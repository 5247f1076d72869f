"""What a plan seals for the budget gate: what the service promises, and how its requests are counted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import UsageError
from bot.domain.json import Json
from bot.domain.plan import Verb
from bot.domain.target import Target
from bot.ports.metrics import SignalQueries
from runbooks.budget_planning import Promise, promise_of
from runbooks.gates.budget import BudgetSpec
from runbooks.planner import make_plan
from runbooks.slo import Slo
from runbooks.spec import Runbook
from tests.builders import a_request
from tests.runbooks.catalogues import a_catalogue
from tests.runbooks.runbook_files import RUNBOOK, a_runbook
from tests.runbooks.test_planner import the_facts
from tests.runbooks.test_slo import with_slo

CATALOGUE = a_catalogue(with_slo("{availability: 99.5%, window: 7d}"))


def with_gate(gate: str) -> Runbook:
    """A runbook with that gate; it stands in line 5."""
    return a_runbook(RUNBOOK.replace("gates: [image]", f"gates: [{gate}]"))


def promise(gate: str = "budget", *, verb: Verb = Verb.DEPLOY, service: str = "api") -> Promise | None:
    """What is gathered for a plan with that gate."""
    request = a_request(verb=verb, target=Target(service, "prod"))
    return promise_of(CATALOGUE, request, with_gate(gate).gates)


def sealed(gate: str = "budget", *, verb: Verb = Verb.DEPLOY) -> dict[str, Json]:
    """The sealed parameters of the gate."""
    facts = replace(the_facts(protected=False), promise=promise(gate, verb=verb))
    return dict(make_plan(a_request(verb=verb), with_gate(gate), facts).gates[0].params)


def test_the_catalogue_says_what_is_promised() -> None:
    """And by which query that is counted, in the environment of the release; nothing but requests is asked for."""
    spec = BudgetSpec.model_validate(sealed("budget: 10%"))
    assert spec.slo == Slo.model_validate({"availability": "99.5%", "window": "7d"})
    assert (str(spec.least), spec.history) == ("10", timedelta(hours=1))
    queries = SignalQueries.unsealed(spec.queries)
    assert (queries.provider, queries.latency, queries.gauges) == ("main", None, ())
    assert queries.requests.selector == 'http_requests_total{namespace="special", pod=~"api-main-[0-9]+"}'


def test_a_runbook_cannot_promise_less() -> None:
    """Whatever it writes, the catalogue's word is sealed."""
    gate = "{budget: {slo: {availability: 95%}, queries: {provider: other}}}"
    assert sealed(gate)["slo"] == {"availability": "99.5%", "window": "7d"}
    assert sealed(gate)["queries"] == sealed()["queries"]


def test_only_runbooks_that_ask_need_a_promise() -> None:
    """A service without one can be released by the others."""
    assert promise("image", service="web") is None


def test_a_service_that_promises_nothing_is_not_planned() -> None:
    """With the line to write."""
    with pytest.raises(UsageError) as caught:
        promise(service="web")
    assert str(caught.value) == (
        "The gate 'budget' asks how much of its error budget web has left, and web promises nothing. Write 'slo: "
        "{availability: 99.9%, window: 30d}' under services.web in sluice.yaml, beside its 'signals'."
    )


def test_a_gate_without_a_promise_is_refused() -> None:
    """It never passes silently."""
    with pytest.raises(UsageError, match=r"r\.yaml:5 asks for an error budget, and the service has none"):
        make_plan(a_request(), with_gate("budget"), the_facts(protected=False))


def test_a_rollback_needs_no_promise() -> None:
    """The way back never depends on what is written for the way forth."""
    assert promise(verb=Verb.ROLLBACK, service="web") is None
    params = sealed("{budget: {slo: {availability: 95%}}}", verb=Verb.ROLLBACK)
    assert (params["slo"], params["queries"]) == (None, {})
