"""How a rehearsal is written down."""

import json

from inline_snapshot import snapshot

from bot.sandbox.transcript import Format, Line, Rehearsed, verdict, write

LINES = (
    Line(0.0, "dave", "", "/deploy api v2 prod"),
    Line(61.5, "sluice", "channel", "▸ api `v2` → prod\n0 of 4 | waiting"),
)
FOUND = Rehearsed(
    runbook="deploy",
    scenario="healthy",
    command="/deploy api v2 prod",
    seen="succeeded",
    wanted=("succeeded",),
    why="all is well",
    took_s=64.2,
    faults=(),
    left_out=("ci",),
    lines=LINES,
)


def test_as_text() -> None:
    """Who said what, when and where; a further line stands under the first."""
    assert write([FOUND], Format.TEXT) == snapshot(
        """\
── deploy · healthy ────────────────────────────────────────
Left out, for a rehearsal does not have what they ask: ci.

 0:00:00  dave             /deploy api v2 prod
 0:01:01  sluice  channel  ▸ api `v2` → prod
                           0 of 4 | waiting

✅ deploy · healthy: succeeded after 0:01:04 (all is well)\
"""
    )


def test_as_markdown() -> None:
    """A table in which no text can break out of its cell."""
    assert "| 0:01:01 | sluice | channel | ▸ api `v2` → prod<br>0 of 4 \\| waiting |" in write([FOUND], Format.MARKDOWN)


def test_as_json() -> None:
    """Everything, for a program."""
    (read,) = json.loads(write([FOUND], Format.JSON))
    assert (read["is_good"], read["lines"][0]["text"], read["left_out"]) == (True, "/deploy api v2 prod", ["ci"])


def test_a_bad_end_names_what_it_should_have_been() -> None:
    """And what else was not right."""
    bad = Rehearsed(
        **{
            **{name: getattr(FOUND, name) for name in FOUND.__dataclass_fields__},
            "wanted": ("failed", "restored"),
            "faults": ("api runs v2 at the end, and should run v1",),
        }
    )
    assert verdict(bad) == snapshot(
        """\
❌ deploy · healthy: succeeded after 0:01:04, should be failed or restored (all is well)
   ✗ api runs v2 at the end, and should run v1\
"""
    )
