"""Which versions were proven together."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import RunId, UserId
from bot.domain.pairing import proven_beside
from bot.domain.release import ReleaseRecord
from bot.domain.target import Target
from tests.builders import NOW

MINUTE = timedelta(minutes=1)
WEB, API = "acme/web:v2@sha256:" + "a" * 64, "acme/api:v2@sha256:" + "b" * 64
OLDER_API = "acme/api:v1@sha256:" + "c" * 64


def ran(service: str, image: str, since: int, until: int | None, *, healthy: bool = True) -> ReleaseRecord:
    """A record in staging; the times are minutes before or after NOW."""
    end = None if until is None else NOW + until * MINUTE
    return ReleaseRecord(
        Target(service, "staging"),
        image,
        "v",
        RunId(f"{service}-staging-1"),
        UserId("U0ANN"),
        NOW + since * MINUTE,
        end,
        healthy,
    )


def test_what_ran_at_the_same_time_was_proven() -> None:
    """By how long it lasted, longest first; what goes on lasts until now."""
    own = [ran("web", WEB, -10, None)]
    others = [ran("api", API, -4, None), ran("api", OLDER_API, -60, -4)]
    assert list(proven_beside(WEB, own, others, now=NOW).items()) == [
        ("sha256:" + "c" * 64, 6 * MINUTE),
        ("sha256:" + "b" * 64, 4 * MINUTE),
    ]


def test_what_was_not_healthy_proves_nothing() -> None:
    """On either side."""
    good, bad = ran("web", WEB, -10, None), ran("web", WEB, -10, None, healthy=False)
    assert proven_beside(WEB, [bad], [ran("api", API, -9, None)], now=NOW) == {}
    assert proven_beside(WEB, [good], [ran("api", API, -9, None, healthy=False)], now=NOW) == {}


def test_another_image_of_it_proves_nothing() -> None:
    """The very image counts, not the service."""
    other = ran("web", WEB.replace("a" * 64, "d" * 64), -10, None)
    assert proven_beside(WEB, [other], [ran("api", API, -9, None)], now=NOW) == {}


@given(st.integers(-50, -1), st.integers(1, 20), st.integers(-50, -1), st.integers(1, 20))
def test_meeting_at_an_edge_is_no_time_together(a: int, a_lasts: int, b: int, b_lasts: int) -> None:
    """Together is what lies in both, and nothing else."""
    found = proven_beside(
        WEB, [ran("web", WEB, a, a + a_lasts)], [ran("api", API, b, b + b_lasts)], now=NOW + 100 * MINUTE
    )
    together = len(set(range(a, a + a_lasts)) & set(range(b, b + b_lasts)))
    assert sum(found.values(), timedelta(0)) == together * MINUTE
