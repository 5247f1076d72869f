"""Canonical JSON."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from bot.domain.json import canonical, plain, storable


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    name: str
    size: int


def test_equal_values_have_one_text() -> None:
    """The order of keys does not matter; nothing is added."""
    assert canonical({"b": 1, "a": [Thing("x", 2)]}) == '{"a":[{"name":"x","size":2}],"b":1}'


def test_every_kind_of_value_is_plain() -> None:
    """Times are ISO 8601, durations seconds, sets sorted, enums their value."""
    assert plain(Colour.RED) == "red"
    assert plain(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00+00:00"
    assert plain(timedelta(minutes=1)) == 60
    assert plain({"b", "a"}) == ["a", "b"]
    assert plain((1, None, True, 0.5)) == [1, None, True, 0.5]


def test_what_has_no_text_is_refused() -> None:
    """An object nobody thought of is a fault, not its repr."""
    with pytest.raises(TypeError, match="object has no canonical form"):
        canonical(object())
    with pytest.raises(TypeError, match="type has no canonical form"):
        plain(Thing)


def test_what_no_database_takes_is_replaced_wherever_it_stands() -> None:
    """In keys and in values, however deep; everything else is left as it is."""
    cut = json.loads('{"a\\ud83d": ["b\\u0000", {"c": "\\ude00\\ud83d"}], "\\ud83d\\ude00": 1.5, "n": null}')
    assert storable(cut) == {"a\ufffd": ["b", {"c": "\ufffd\ufffd"}], "\U0001f600": 1.5, "n": None}
