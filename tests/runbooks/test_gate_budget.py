"""budget: what the gate makes of what was counted, beyond what a chat shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from bot.domain.json import Json
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.plan import Verb
from bot.domain.target import Target
from bot.ports.metrics import ERRORS, Arm, Lack, LackKind, Totals
from runbooks.gates.budget import NEXT_LOOK, Budget, BudgetGate, BudgetSpec, in_per_cent
from runbooks.slo import Slo
from tests.contracts.canaries import pod, queries_of
from tests.fakes.metrics import FakeMetrics, FakeProviders
from tests.runbooks.passes import Place

SLO = Slo.model_validate({"availability": "99.9%", "window": "30d"})
MINUTES = {"5m": 5, "30m": 30, "1h": 60, "6h": 360, "30d": 43_200}
STALE = (Lack(LackKind.STALE, ERRORS, Arm.BASELINE, "the newest sample of all pods is 300 s old"),)
WARNED = (Lack(LackKind.PARTIAL, ERRORS, None, "requests may not be whole: store 3 is away"),)


def counted(window: str, share: float = 0.0, *, rate: float = 600.0, **more: object) -> Totals:
    """The totals of a window in which this share of `rate` requests a minute failed."""
    length = timedelta(minutes=MINUTES[window])
    requests = rate * MINUTES[window]
    return replace(Totals(requests, requests * share, length), **more)


def judged(changes: Mapping[str, Totals] | None = None, **params: str) -> Outcome:
    """What the gate says, where every window is whole and nothing failed but what a test changes."""
    totals = {window: counted(window) for window in MINUTES} | dict(changes or {})
    found = {timedelta(minutes=MINUTES[window]): total for window, total in totals.items()}
    return Budget(Target("api", "prod"), SLO, found).judged(BudgetSpec.model_validate(params))


def burning(**shares: float) -> dict[str, Totals]:
    """Windows in which such shares failed (`last_5m=0.1`), and in longer ones as many as in those within them."""
    found, failures = {}, 0.0
    for name in MINUTES:
        whole = counted(name, shares.get(f"last_{name}", 0.0))
        failures = max(failures, whole.failures)
        found[name] = replace(whole, failures=failures)
    return found


@dataclass(frozen=True)
class Row:
    """What was counted otherwise, what the gate makes of it, and what it says."""

    changes: Mapping[str, Totals]
    kind: type[object]
    said: str


ROWS = {
    "nothing failed": Row({}, Succeeded, "100 % of the budget left"),
    "some failed": Row(burning(last_30d=0.00028), Succeeded, "72 % of the budget left"),
    "a trifle failed": Row(burning(last_30d=0.0000001), Succeeded, "99 % of the budget left"),
    "almost all is spent": Row(burning(last_30d=0.000999), Succeeded, "less than 1 % of the budget left"),
    "all is spent": Row(burning(last_30d=0.001), Failed, "no budget left: 25,920 of 25,920,000 requests failed"),
    "more is spent": Row(burning(last_30d=0.0015), Failed, "99.9% over 30d allows 25,920"),
    "an outage": Row(
        burning(last_5m=1.0, last_30m=1.0, last_1h=0.5, last_6h=0.1, last_30d=0.0009),
        Failed,
        "burns 500.0 times as fast as 99.9% allows over 1h, and 1000.0 times over 5m (at most 14.4)",
    ),
    "fast, and over": Row(burning(last_1h=0.02), Succeeded, "97 % of the budget left"),
    "fast, and just begun": Row(burning(last_5m=0.1), Succeeded, "98 % of the budget left"),
    "just at the limit": Row(burning(last_5m=0.0144, last_1h=0.0144), Succeeded, "98 % of the budget left"),
    "just above the limit": Row(burning(last_5m=0.0145, last_1h=0.0145), Failed, "14.5 times over 5m (at most 14.4)"),
    "slowly, for hours": Row(
        burning(last_30m=0.007, last_6h=0.007),
        Failed,
        "burns 7.0 times as fast as 99.9% allows over 6h, and 7.0 times over 30m (at most 6)",
    ),
    "slowly, and over": Row(burning(last_6h=0.007), Succeeded, "94 % of the budget left"),
    "fast, and nobody there lately": Row(
        {**burning(last_1h=0.02), "5m": counted("5m", rate=0)},
        Pending,
        "it burned 20.0 times as fast as 99.9% allows over 1h, and nobody has asked anything in the last 5m",
    ),
    "quiet lately": Row({"5m": counted("5m", rate=0)}, Succeeded, "100 % of the budget left"),
    "nobody for an hour": Row(
        {name: counted(name, rate=0) for name in ("5m", "30m", "1h")}, Pending, "asked anything of api in the last 1h"
    ),
    "nobody ever": Row({name: counted(name, rate=0) for name in MINUTES}, Pending, "asked anything of api in the last"),
    "half the time": Row(
        {"30d": counted("30d", covered=timedelta(days=15))},
        Succeeded,
        "100 % of the budget left, counted over 15d of 30d",
    ),
    "spent in half the time": Row(
        {"30d": counted("30d", 0.002, covered=timedelta(days=15))},
        Failed,
        "no budget left, counted over 15d of 30d: ",
    ),
    "ten minutes alone": Row(
        {name: counted(name, covered=min(timedelta(minutes=10), timedelta(minutes=MINUTES[name]))) for name in MINUTES},
        Pending,
        "requests are known of 10m only, of at least 1h",
    ),
    "a hole in the last hour": Row(
        {"1h": counted("1h", covered=timedelta(minutes=20))}, Pending, "known of 20m only of the last 1h"
    ),
    "a moment of the last minutes": Row(
        {"5m": counted("5m", covered=timedelta(minutes=1))}, Pending, "known of 1m only of the last 5m"
    ),
    "burning, with little history": Row(
        {
            name: replace(total, covered=timedelta(minutes=5))
            for name, total in burning(last_5m=0.5, last_30m=0.5, last_1h=0.5, last_6h=0.5, last_30d=0.5).items()
        },
        Failed,
        "burns 500.0 times",
    ),
    "stale": Row({"5m": counted("5m", lacks=STALE)}, Pending, "the newest sample of all pods is 300 s old (last 5m)"),
    "stale, and spent": Row({"30d": counted("30d", 0.9, lacks=STALE)}, Pending, "300 s old (last 30d)"),
    "half an answer": Row({"6h": counted("6h", lacks=WARNED)}, Pending, "may not be whole: store 3 is away (last 6h)"),
    "no number": Row({"1h": counted("1h", math.nan)}, Pending, "in the last 1h what was counted is no number"),
    "without end": Row({"30d": counted("30d", rate=math.inf)}, Pending, "what was counted is no number"),
    "negative failures": Row({"1h": counted("1h", -0.1)}, Pending, "fewer than no requests were counted"),
    "negative requests": Row({"5m": counted("5m", rate=-1)}, Pending, "fewer than no requests were counted"),
    "more failures than requests": Row({"30m": counted("30m", 1.5)}, Pending, "more requests failed (27,000) than"),
    "a month with less than a day": Row(
        {"30d": counted("30d", rate=1)}, Pending, "less was counted in the last 30d than in 6h of them"
    ),
    "a month that forgot its failures": Row(
        {"6h": counted("6h", 0.0035)}, Pending, "less was counted in the last 30d than in 6h of them"
    ),
}


def words(outcome: Outcome) -> str:
    """What an outcome says."""
    match outcome:
        case Succeeded():
            return outcome.said
        case Pending():
            return outcome.why
        case Failed():
            return outcome.reason
    raise AssertionError(outcome)


@pytest.mark.parametrize("name", ROWS)
def test_what_was_counted_means(name: str) -> None:
    """Known-bad fails, what nobody knows waits, and what passes says over what it was counted."""
    outcome = judged(ROWS[name].changes)
    assert isinstance(outcome, ROWS[name].kind), outcome
    assert ROWS[name].said in words(outcome)


def test_the_evidence_has_all_rates() -> None:
    """The four windows and the promise's own, with their limits."""
    outcome = judged(burning(last_5m=0.001, last_30d=0.00028))
    assert isinstance(outcome, Succeeded)
    (evidence,) = outcome.evidence
    assert evidence.title == "error budget of api in prod: 99.9% over 30d"
    assert [" ".join(line.split()) for line in evidence.lines] == [
        "1h 36,000 requests 3 failed burns 0.08 times as fast, at most 14.4",
        "5m 3,000 requests 3 failed burns 1.00 times as fast, at most 14.4",
        "6h 216,000 requests 3 failed burns 0.01 times as fast, at most 6",
        "30m 18,000 requests 3 failed burns 0.17 times as fast, at most 6",
        "30d 25,920,000 requests 7,258 failed burns 0.28 times as fast, 72 % left",
    ]


def test_a_failure_says_what_to_do() -> None:
    """And shows what was counted."""
    outcome = judged(burning(last_30d=0.002))
    assert isinstance(outcome, Failed)
    assert outcome.reason.endswith("; mend what fails first: `/rollback api prod` is never held up")
    assert outcome.evidence[0].lines[-1].endswith("-100 % left")


@pytest.mark.parametrize(
    ("least", "kind", "said"),
    [
        ("0%", Succeeded, "72 % of the budget left"),
        ("71.9%", Succeeded, "72 % of the budget left"),
        ("75%", Failed, "72 % of the budget left, and more than 75% must be: 7,258 of 25,920,000 requests failed"),
    ],
)
def test_more_may_be_asked_for(least: str, kind: type[object], said: str) -> None:
    """A share that must be left over."""
    outcome = judged(burning(last_30d=0.00028), least=least)
    assert isinstance(outcome, kind)
    assert said in words(outcome)


def test_more_or_less_history_may_be_asked_for() -> None:
    """Whoever wants a week of it says so; and a young service may say ten minutes."""
    day = {"30d": counted("30d", covered=timedelta(days=1))}
    assert "known of 1d only, of at least 7d" in words(judged(day, history="7d"))
    few = {name: replace(counted(name), covered=timedelta(minutes=10)) for name in ("30m", "1h", "6h", "30d")}
    assert words(judged(few, history="10m")) == "100 % of the budget left, counted over 10m of 30d"


@pytest.mark.parametrize(
    ("left", "said"),
    [(1.0, "100 %"), (0.99999, "99 %"), (0.72, "72 %"), (0.29, "29 %"), (0.001, "less than 1 %"), (0.0, "0 %")],
)
def test_shares_are_rounded_down(left: float, said: str) -> None:
    """Only where nothing is spent all is left."""
    assert in_per_cent(left) == said


class Town:
    """A place whose api has served for long, and a metrics server that has counted it."""

    def __init__(self, **plan: object) -> None:
        self.place, self.metrics = Place(**plan), FakeMetrics()
        self.begun = self.place.clock.now() - timedelta(days=40)
        self.metrics.load(pod("api", 0), self.begun, rate=10.0)

    async def asked(self, **params: Json) -> Outcome:
        """What the gate says now."""
        queries = replace(queries_of("api"), interval=timedelta(seconds=15), latency=None, gauges=())
        sealed = {"slo": SLO.model_dump(mode="json"), "queries": queries.sealed(), **params}
        gate = BudgetGate(FakeProviders(main=self.metrics))
        return await gate.reconcile(self.place.context("budget", sealed))


async def test_it_asks_the_metrics_server() -> None:
    """About the stable pods of the target, with what the plan has sealed."""
    assert words(await Town().asked()) == "100 % of the budget left"


async def test_an_outage_that_goes_on_fails_and_is_forgiven_when_it_is_over() -> None:
    """What was spent stays spent."""
    town = Town()
    town.metrics.load(pod("api", 0), town.place.clock.now(), rate=10.0, error_rate=0.5)
    town.place.clock.advance(timedelta(minutes=10))
    assert "burns 83.3 times as fast" in words(await town.asked())
    town.metrics.load(pod("api", 0), town.place.clock.now(), rate=10.0)
    town.place.clock.advance(timedelta(hours=2))
    assert words(await town.asked()) == "88 % of the budget left"


async def test_restarts_lose_nothing() -> None:
    """A counter that began anew has forgotten its failures; the budget has not."""
    town = Town()
    now = town.place.clock.now()
    town.metrics.load(pod("api", 0), now - timedelta(hours=20), rate=10.0, error_rate=0.02)
    town.metrics.load(pod("api", 0), now - timedelta(hours=10), rate=10.0)
    town.metrics.reset(pod("api", 0), now - timedelta(hours=9))
    assert words(await town.asked()) == "72 % of the budget left"


async def test_unknown_waits_and_is_asked_again() -> None:
    """As something that should have been there."""
    town = Town()
    town.metrics.hidden = {ERRORS}
    outcome = await town.asked()
    assert isinstance(outcome, Pending)
    assert (outcome.requeue_after, outcome.blocked) == (NEXT_LOOK, True)
    assert outcome.why.startswith("nobody can tell the error budget: there is no metric 'http_requests_total'")


async def test_a_rollback_passes_at_once() -> None:
    """Whatever burns, and whoever cannot be asked."""
    town = Town(verb=Verb.ROLLBACK)
    town.metrics.down = True
    assert await town.asked(slo=None, queries={}) == Succeeded("not asked, the way back is open")


async def test_a_plan_without_a_promise_fails() -> None:
    """With the line to write; it never passes silently."""
    said = (
        "nobody says what api promises; write 'slo: {availability: 99.9%, window: 30d}' under services.api in "
        "sluice.yaml, and ask again"
    )
    assert await Town().asked(slo=None) == Failed(said)
    assert await Town().asked(queries={}) == Failed(said)


def test_it_reads_aloud() -> None:
    """With and without a share."""
    spec = BudgetSpec.model_validate({})
    assert spec.read_aloud() == "The service's error budget must not burn too fast, and some of it must be left."
    assert "more than 25% of it must be left" in BudgetSpec.model_validate({"least": "25%"}).read_aloud()


@pytest.mark.parametrize("params", [{"least": "100%"}, {"least": 0}, {"history": "0s"}, {"lest": "1%"}])
def test_a_slip_is_refused(params: dict[str, object]) -> None:
    """What could never pass, has no unit, or is no parameter."""
    with pytest.raises(ValidationError):
        BudgetSpec.model_validate(params)
