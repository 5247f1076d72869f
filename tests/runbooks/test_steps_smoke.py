"""smoke: the service answers as it should."""

from datetime import timedelta

from bot.domain.json import Json
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Succeeded
from bot.domain.run import StepRun
from runbooks.steps.smoke import Smoke, SmokeSpec
from tests.fakes.prober import FakeProber
from tests.runbooks.passes import Place

HEALTH, ITEMS = "https://api.example/healthz", "https://api.example/items"
CHECKS: dict[str, Json] = {"checks": [{"get": HEALTH}, {"post": ITEMS, "body": {"n": 1}, "expect": {"status": 201}}]}


async def looked(prober: FakeProber, *, attempts: int = 0, params: dict[str, Json] | None = None) -> Outcome:
    """One pass after so many failed ones."""
    place = Place()
    place.seen = StepRun(started_at=place.clock.now(), memo={"attempts": attempts} if attempts else {})
    return await Smoke(prober).reconcile(place.context("smoke", CHECKS if params is None else params))


def answering(health: int = 200, items: int = 201) -> FakeProber:
    """A service that answers so."""
    prober = FakeProber()
    prober.answer(HEALTH, status=health)
    prober.answer(ITEMS, status=items)
    return prober


async def test_all_checks_must_pass() -> None:
    """They are sent as written."""
    prober = answering()
    assert await looked(prober) == Succeeded("2 of 2 checks")
    assert [(request.method, request.url, request.body) for request in prober.requests] == [
        ("GET", HEALTH, None),
        ("POST", ITEMS, {"n": 1}),
    ]


async def test_a_first_failure_is_tried_again() -> None:
    """It says which check, and what was wrong with the answer."""
    assert await looked(answering(health=503)) == Pending(
        f"attempt 1 of 3: GET {HEALTH}: answered 503, expected 200",
        requeue_after=timedelta(seconds=2),
        memo={"attempts": 1},
    )


async def test_the_last_attempt_decides() -> None:
    """With everything that was wrong as evidence."""
    outcome = await looked(answering(health=503, items=500), attempts=2)
    complaints = (f"GET {HEALTH}: answered 503, expected 200", f"POST {ITEMS}: answered 500, expected 201")
    assert outcome == Failed(complaints[0], evidence=(Evidence("smoke checks that failed", complaints),))


async def test_a_service_that_does_not_answer_has_failed_its_check() -> None:
    """That is an answer here: nothing to wait for."""
    outcome = await looked(FakeProber(), attempts=2)
    assert isinstance(outcome, Failed)
    assert outcome.reason == f"GET {HEALTH}: cannot be reached: nobody is there"


async def test_a_runbook_may_be_more_patient() -> None:
    """Its own number of attempts, and its own time between them."""
    outcome = await looked(answering(health=503), attempts=4, params=CHECKS | {"attempts": 6, "every": "10s"})
    assert isinstance(outcome, Pending)
    assert outcome.why.startswith("attempt 5 of 6")
    assert outcome.requeue_after == timedelta(seconds=10)


async def test_no_checks_is_said_aloud() -> None:
    """Nobody believes that something was tested."""
    assert await looked(FakeProber(), params={}) == Succeeded("no smoke checks in the catalogue")


def test_it_is_read_aloud() -> None:
    """With the number of checks and attempts."""
    assert SmokeSpec().read_aloud().startswith("Send the service’s smoke checks; all must answer as expected, within 3")
    assert SmokeSpec.model_validate(CHECKS).read_aloud().startswith("Send 2 smoke checks;")
