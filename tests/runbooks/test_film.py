"""What is remembered of a canary for its picture: few frames, and no request lost with those that are left out."""

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import ALL, BAD, Observation, Sample
from bot.domain.judge.settings import GaugeSignal, JudgeSettings, LatencySignal
from runbooks.film import MOST_FRAMES, Film

EVERY_S = 5.0
BOUNDS = (0.05, 0.1, math.inf)
SETTINGS = JudgeSettings(
    EVERY_S, 7200, 0.2, latency=LatencySignal(BOUNDS), gauges=(GaugeSignal("cpu"), GaugeSignal("lag", offset=10))
)
RATE, FAILED = 100.0, 10.0
"""Of the canary, between two looks."""


def sample(look: int, *, scale: float = 1.0) -> Sample:
    """A pod's counters at a look; its lag is never shown."""
    requests = look * RATE * scale
    return Sample(requests, look * FAILED, (requests * 0.5, requests * 0.9, requests), {"cpu": 0.1 * scale})


def observed(look: int) -> Observation:
    """Both arms at one look; the baseline serves three times as much. The first one comes before any traffic."""
    return Observation(EVERY_S * look, {"c": sample(look)} if look > 0 else {}, {"b": sample(look, scale=3)})


def filmed(looks: int, *, restarts: bool = False) -> Film:
    """A film of so many looks; with `restarts` of a process that dies after each and remembers JSON."""
    judge, film = Judge(SETTINGS), Film()
    for look in range(looks + 1):
        verdict = judge.see(observed(look))
        film.take(judge, verdict, observed(look))
        if restarts:
            film = Film.restored(json.loads(json.dumps(film.state())))
    return film


@settings(max_examples=20)
@given(looks=st.integers(1, 260))
def test_few_frames_tell_of_the_whole_time(looks: int) -> None:
    """The first and the newest look are always there, in order, however many were left out between them."""
    frames = filmed(looks).frames
    ats = [frame.at for frame in frames]
    assert (ats[0], ats[-1]) == (EVERY_S, EVERY_S * looks)
    assert ats == sorted(set(ats))
    assert len(frames) <= MOST_FRAMES


@settings(max_examples=20)
@given(looks=st.integers(2, 260))
def test_no_request_is_lost_with_a_frame(looks: int) -> None:
    """Frames hold sums, so each tells of all that happened before it. A pod's first scrape tells nothing: that of the
    canary's pod came with its traffic, that of the baseline's before."""
    for frame in filmed(looks).frames:
        looks_until_then = frame.at / EVERY_S
        assert frame.canary[ALL] == (looks_until_then - 1) * RATE
        assert frame.canary[BAD] == (looks_until_then - 1) * FAILED
        assert frame.baseline[ALL] == looks_until_then * RATE * 3


@settings(max_examples=10)
@given(looks=st.integers(1, 120))
def test_a_film_is_read_back_as_it_was(looks: int) -> None:
    """A process that dies after every look has the same film in the end."""
    assert filmed(looks, restarts=True) == filmed(looks)


def test_the_same_look_twice_is_one() -> None:
    """As after a crash between the look and its commit."""
    judge, film = Judge(SETTINGS), filmed(3)
    before = film.state()
    for look in (2, 3):
        film.take(judge, judge.verdict(), observed(look))
    assert film.state() == before


def test_before_the_first_traffic_there_is_nothing_to_show() -> None:
    """The baseline's past is for the judge alone."""
    assert filmed(0).frames == []
    assert filmed(0).picture("api v2 in prod", SETTINGS).alt.startswith("api v2 in prod: errors canary nothing")


def test_a_gauge_is_shown_as_a_level() -> None:
    """The mean of the pods that show it; nothing of a gauge that no pod shows."""
    newest = filmed(4).frames[-1]
    assert newest.levels["lag"] == (None, None)
    canary, baseline = newest.levels["cpu"]
    assert (canary, round(baseline or 0, 6)) == (0.1, 0.3)


def test_the_picture_tells_rates_of_the_time_between_frames() -> None:
    """A tenth of the requests failed all the time, whichever frames are left."""
    alt = filmed(200).picture("api v2 in prod", SETTINGS).alt
    assert "errors canary 10 %, baseline 3.33 %" in alt


def test_a_latency_beyond_the_last_edge_is_told_as_that_edge() -> None:
    """Nobody knows how far beyond it lies."""
    judge, film = Judge(SETTINGS), Film()
    for look in range(1, 4):
        slow = Sample(look * RATE, 0, (0, 0, look * RATE))
        seen = Observation(EVERY_S * look, {"c": slow}, {"b": sample(look)})
        film.take(judge, judge.see(seen), seen)
    assert "p95 canary 100 ms" in film.picture("api v2 in prod", SETTINGS).alt
