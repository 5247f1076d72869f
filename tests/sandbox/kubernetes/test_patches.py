"""Patches, alone."""

from typing import Any

import pytest

from bot.sandbox.kubernetes.patches import merged, operations, strategic
from bot.sandbox.kubernetes.refusals import RefusalError


@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": None, "c": 2}}, {"a": {"c": 2}}),
    ],
)
def test_a_merge_replaces_what_it_names(old: Any, patch: Any, new: Any) -> None:
    """RFC 7386; what was there before is not touched."""
    before = repr(old)
    assert merged(old, patch) == new
    assert repr(old) == before


@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "B", "value": "9"}, {"name": "C"}]},
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "9"}, {"name": "C"}]},
        ),
        (
            {"env": [{"name": "A"}, {"name": "B"}]},
            {"env": [{"name": "A", "$patch": "delete"}], "$setElementOrder/env": [{"name": "B"}]},
            {"env": [{"name": "B"}]},
        ),
        ({"env": [{"name": "A"}]}, {"env": [{"$patch": "replace"}, {"name": "B"}]}, {"env": [{"name": "B"}]}),
        ({"strategy": {"a": 1}}, {"strategy": {"$patch": "replace", "b": 2}}, {"strategy": {"b": 2}}),
        ({"ports": [{"port": 80, "name": "x"}]}, {"ports": [{"port": 80}]}, {"ports": [{"port": 80, "name": "x"}]}),
        (
            {"ports": [{"containerPort": 80}]},
            {"ports": [{"containerPort": 81}]},
            {"ports": [{"containerPort": 80}, {"containerPort": 81}]},
        ),
        ({"args": ["a"]}, {"args": ["b"]}, {"args": ["b"]}),
        ({"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["a", "b"]}),
        (
            {"finalizers": ["a", "b"]},
            {"$deleteFromPrimitiveList/finalizers": ["a"]},
            {"finalizers": ["b"]},
        ),
    ],
)
def test_a_strategic_merge_joins_lists_with_a_key(old: Any, patch: Any, new: Any) -> None:
    """And follows its directives."""
    assert strategic(old, patch) == new


def test_an_entry_without_its_key_is_refused() -> None:
    """As API servers refuse it."""
    with pytest.raises(RefusalError, match="does not contain declared merge key: name"):
        strategic({"env": [{"name": "A"}]}, {"env": [{"value": "1"}]})


def test_operations_are_done_in_their_order() -> None:
    """RFC 6902, with escaped names."""
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/a/0", "value": 1},
        {"op": "add", "path": "/a/-", "value": 3},
        {"op": "add", "path": "/a/0", "value": 0},
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "move", "from": "/b/0", "path": "/c~1d"},
        {"op": "replace", "path": "/a/1", "value": 9},
        {"op": "remove", "path": "/b/1"},
    ]
    old = {"a": [1]}
    assert operations(old, patch) == {"a": [0, 9, 3], "b": [1], "c/d": 0}
    assert old == {"a": [1]}


@pytest.mark.parametrize(
    "one",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/b"},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "add", "path": "/b/c", "value": 1},
        {"op": "explode", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_operations_that_do_not_fit_are_refused(one: dict[str, Any]) -> None:
    """422; none of the others counts either."""
    old = {"a": 1}
    with pytest.raises(RefusalError) as caught:
        operations(old, [{"op": "add", "path": "/c", "value": 3}, one])
    assert (caught.value.code, old) == (422, {"a": 1})
