"""What a picture keeps of what was seen, and how it is said."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import TypeAdapter

from bot.domain.json import canonical
from bot.domain.picture import (
    ALT_LIMIT,
    MOST_POINTS,
    EvidenceLook,
    Line,
    Look,
    Picture,
    Readings,
    clock,
    figure,
    merged,
    picture_of,
    thinned,
)
from tests.builders import a_picture

FIGURES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=1000)


def picture(*looks: Look, evidence: tuple[EvidenceLook, ...] = ()) -> Picture:
    """A picture of one signal."""
    return picture_of("api", [Readings("errors", "%", looks)], evidence, rolls_back_at=100, promotes_at=20)


@given(FIGURES)
def test_a_thinned_line_keeps_its_ends_and_extremes(figures: list[float]) -> None:
    """However long it is, and whatever it shows."""
    line = Line(tuple(float(n) for n in range(len(figures))), tuple(figures))
    thin = thinned(line)
    assert len(thin.at) == len(thin.figures) <= MOST_POINTS
    assert set(zip(thin.at, thin.figures, strict=True)) <= set(zip(line.at, line.figures, strict=True))
    assert list(thin.at) == sorted(thin.at)
    if figures:
        assert (min(thin.figures), max(thin.figures)) == (min(figures), max(figures))
        assert (thin.at[0], thin.at[-1]) == (line.at[0], line.at[-1])


def test_a_spike_of_one_look_is_kept() -> None:
    """It may be the reason of all that followed."""
    looks = tuple(Look(15.0 * n, 9.0 if n == 777 else 0.1, 0.1) for n in range(2000))
    canary = picture(*looks).signals[0].canary
    assert len(canary.at) <= MOST_POINTS
    assert (15.0 * 777, 9.0) in zip(canary.at, canary.figures, strict=True)


def test_a_short_line_is_kept_as_it_is() -> None:
    """Nothing is dropped without need."""
    line = Line(tuple(map(float, range(MOST_POINTS))), tuple(map(float, range(MOST_POINTS))))
    assert thinned(line) is line


def test_the_alternative_text_says_the_numbers() -> None:
    """Whoever does not see the picture learns the same."""
    assert a_picture().alt == snapshot(
        "api v2 in prod: rolled back: errors canary 6.1 %, baseline 0.11 %; evidence of harm 729, rolls back at 100; "
        "evidence against harm 1.71, promotes at 20; 2 min 45 s are shown."
    )


def test_the_alternative_text_says_what_was_not_seen() -> None:
    """A canary without traffic is no healthy one."""
    looks = tuple(Look(15.0 * n, None, 0.11) for n in range(9))
    assert picture(*looks).alt == snapshot(
        "api: errors canary nothing, baseline 0.11 %; evidence of harm not gathered, rolls back at 100; evidence "
        "against harm not gathered, promotes at 20; 2 min are shown, of which 2 min show nothing of an arm."
    )


def test_the_alternative_text_keeps_its_limit() -> None:
    """Slack refuses a longer one."""
    many = [Readings("x" * 90, "ms", (Look(0, 1, 1),)) for _ in range(20)]
    alt = picture_of("api", many, (), rolls_back_at=100, promotes_at=20).alt
    assert len(alt) == ALT_LIMIT
    assert alt.endswith("…")


def test_a_blind_stretch_is_told_from_low_traffic() -> None:
    """A look without a request now and then is usual; minutes without any are not."""
    sparse = [Look(15.0 * n, 0.1 if n % 3 == 0 else None, 0.1) for n in range(30)]
    assert picture(*sparse).signals[0].unseen == ()
    blind = [Look(15.0 * n, None if 10 <= n < 20 else 0.1, 0.1) for n in range(30)]
    assert picture(*blind).signals[0].unseen == ((135.0, 300.0),)


def test_looks_that_were_never_made_are_a_blind_stretch() -> None:
    """The process was down: nobody looked."""
    looks = [Look(15.0 * n, 0.1, 0.1) for n in range(30) if not 10 <= n < 20]
    assert picture(*looks).signals[0].unseen == ((135.0, 300.0),)


def test_what_is_no_number_is_as_good_as_not_seen() -> None:
    """NaN and infinity come from a division by nothing."""
    odd = picture(
        Look(0, math.nan, math.inf),
        Look(math.nan, 1, 1),
        Look(15, 0, -0.0),
        evidence=(EvidenceLook(0, math.nan), EvidenceLook(15, math.inf, math.inf)),
    )
    assert odd.signals[0].canary == Line((15.0,), (0.0,))
    assert odd.evidence.harm.figures == odd.evidence.clearance.figures == (1e12,)
    assert "beyond all measure" in odd.alt


def test_a_picture_of_nothing_is_a_picture() -> None:
    """Nobody has looked yet."""
    nothing = picture_of("api", (), (), rolls_back_at=100, promotes_at=20)
    assert (nothing.signals, nothing.span) == ((), (0.0, 0.0))


def test_a_picture_is_written_down_and_read_back() -> None:
    """In a few kilobytes, however long the canary was."""
    adapter = TypeAdapter(Picture)
    drawn = a_picture(looks=4000)
    text = adapter.dump_json(drawn)
    assert adapter.validate_json(text) == drawn
    assert json.loads(canonical(drawn)) == json.loads(text)
    assert len(text) < 12_000


@pytest.mark.parametrize(
    ("value", "said"), [(None, "nothing"), (0, "0 %"), (0.4249, "0.425 %"), (1834.4, "1,834 %"), (-2.5, "-2.5 %")]
)
def test_a_figure_has_three_digits(value: float | None, said: str) -> None:
    """As many as anybody compares."""
    assert figure(value, "%" if value is not None else "") == said


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (59.6, "1 min"), (372, "6 min 12 s")])
def test_a_time_is_said_in_minutes(seconds: float, said: str) -> None:
    """And seconds where they matter."""
    assert clock(seconds) == said


def test_stretches_that_touch_are_one() -> None:
    """So that none is counted twice."""
    assert merged([(5, 9), (0, 2), (2, 3), (6, 7)]) == ((0, 3), (5, 9))
