"""Label and field selectors, as queries write them and as objects do. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.kubernetes.refusals import RefusalError
from bot.sandbox.kubernetes.resources import Raw

Selected = Callable[[Raw], bool]
Labels = Mapping[str, str]

SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
PAIR = re.compile(r"^\s*([^=!\s]+)\s*(==|=|!=)\s*([^=\s]*)\s*$")
ALONE = re.compile(r"^\s*(!?)\s*([^\s=!()]+)\s*$")


def selector(labels: str, fields: str) -> Selected:
    """Whether an object is meant by the queries `labelSelector` and `fieldSelector`. Raises RefusalError for those
    that cannot be read."""
    by_label = [_requirement(part) for part in re.split(r",(?![^()]*\))", labels) if part.strip()]
    by_field = [_field(part) for part in fields.split(",") if part.strip()]

    def selected(raw: Raw) -> bool:
        found = raw["metadata"].get("labels") or {}
        return all(holds(found) for holds in by_label) and all(holds(raw) for holds in by_field)

    return selected


def _requirement(written: str) -> Callable[[Labels], bool]:
    if found := SET.match(written):
        key, how, listed = found.groups()
        values = {one.strip() for one in listed.split(",")}
        # As the API server has it: `notin` and `!=` also hold where the label is missing.
        return (
            (lambda labels: labels.get(key) in values) if how == "in" else lambda labels: labels.get(key) not in values
        )
    if found := PAIR.match(written):
        key, how, value = found.groups()
        return (lambda labels: labels.get(key) != value) if how == "!=" else lambda labels: labels.get(key) == value
    if found := ALONE.match(written):
        absent, key = found.groups()
        return lambda labels: (key not in labels) == bool(absent)
    raise RefusalError(400, f"unable to parse requirement: {written.strip()!r} is no label selector")


def _field(written: str) -> Selected:
    found = PAIR.match(written)
    if not found:
        raise RefusalError(400, f"invalid selector: '{written}'; can't understand '{written}'")
    path, how, value = found.groups()
    return lambda raw: (_text(raw, path) == value) != (how == "!=")


def _text(raw: Any, path: str) -> str:
    for part in path.split("."):
        raw = raw.get(part) if isinstance(raw, dict) else None
    return "" if raw is None else str(raw)


def matches(written: Raw, labels: Labels) -> bool:
    """Whether a `LabelSelector` of an object means these labels. An empty one means all."""
    equal = all(labels.get(key) == value for key, value in (written.get("matchLabels") or {}).items())
    return equal and all(_expression(one, labels) for one in written.get("matchExpressions") or ())


def _expression(one: Raw, labels: Labels) -> bool:
    match one["operator"]:
        case "In":
            return labels.get(one["key"]) in one["values"]
        case "NotIn":
            return labels.get(one["key"]) not in one["values"]
        case "Exists":
            return one["key"] in labels
    return one["key"] not in labels
