"""Pictures as PNG: of any data, always readable, and nothing left behind."""

import gc
import math
import struct
import tracemalloc

import pytest

from bot.domain.picture import Band, EvidenceLook, Look, Picture, Readings, picture_of
from bot.slack.drawing import HEIGHT, WIDTH, png
from tests.builders import a_picture

BAND = Band(1.1, 2.0, 0.01, 0.5)


def looks(*canary: float | None, baseline: float | None = 0.1) -> tuple[Look, ...]:
    """One look every 15 s."""
    return tuple(Look(15.0 * n, value, baseline) for n, value in enumerate(canary))


def drawn(*readings: Readings, evidence: tuple[EvidenceLook, ...] = (), title: str = "api v2 in prod") -> Picture:
    """A picture with the judge's usual limits."""
    return picture_of(title, readings, evidence, rolls_back_at=100, promotes_at=20)


ODD = {
    "a usual canary": a_picture(),
    "no look at all": drawn(),
    "one look": drawn(Readings("errors", "%", looks(0.2), BAND), evidence=(EvidenceLook(0, 1, 1),)),
    "zeros": drawn(Readings("errors", "%", looks(0, 0, 0, baseline=0), BAND), evidence=(EvidenceLook(0, 0, 0),)),
    "no number": drawn(Readings("errors", "%", looks(math.nan, math.inf, 1)), evidence=(EvidenceLook(0, math.nan),)),
    "no traffic": drawn(Readings("errors", "%", looks(*[None] * 9, baseline=None), BAND)),
    "blind in the middle": drawn(Readings("errors", "%", looks(*[1] * 9, *[None] * 9, *[2] * 9), BAND)),
    "below zero": drawn(Readings("drift", "", looks(-1, -2, -3, baseline=-2))),
    "beyond measure": drawn(Readings("lag", "", looks(1e300, -1e300, 1e-300)), evidence=(EvidenceLook(0, math.inf),)),
    "eight signals": drawn(*[Readings(f"signal {n}", "ms", looks(1, 2, 3), BAND) for n in range(8)]),
    "long and foreign names": drawn(
        Readings("a_very_long_name_of_a_signal" * 9, "requests/s" * 9, looks(1, 2)),
        Readings("日本語 $\\alpha_{1$\n\x00", "", looks(1, 2)),
        title="🚢 $x^2 " * 30,
    ),
    "days": drawn(Readings("errors", "%", tuple(Look(3600.0 * n, 1, 1) for n in range(-9, 400)), BAND)),
    "limits of one": picture_of("api", (), (EvidenceLook(0, 5, 5),), rolls_back_at=1, promotes_at=1),
}


@pytest.mark.parametrize("picture", ODD.values(), ids=ODD)
def test_whatever_was_seen_can_be_drawn(picture: Picture) -> None:
    """Without a warning (they are errors here), and always in the same size."""
    image = png(picture)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", image[16:24]) == (WIDTH, HEIGHT)
    assert len(image) < 400_000


def test_the_same_picture_gives_the_same_bytes() -> None:
    """No time and no chance is in it."""
    assert png(a_picture()) == png(a_picture())


def test_drawing_leaves_nothing_behind() -> None:
    """Eight pictures later as much memory is used as before: a figure that is kept is larger than what may be left."""
    picture = a_picture()
    for _ in range(3):
        png(picture)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(8):
            png(picture)
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert left < 160_000
