"""Values that JSON can hold, and their one canonical text."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from pydantic import JsonValue

# pydantic's own alias: a recursive alias of ours could not be validated when a stored run is read back.
Json: TypeAlias = JsonValue
JsonObject: TypeAlias = dict[str, Json]

LATER = MappingProxyType({"later": True})
"""Metadata of a field that its dataclass got when values of it had been sealed already: it is not named while it has
its default, so that those keep their seals."""


def canonical(value: object) -> str:
    """One text for equal values: keys sorted, no spaces, times in ISO 8601, durations in seconds."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def storable(value: Json) -> Json:
    """The same without what no database takes, though JSON can spell it: half a surrogate pair is shown as the
    replacement character, and the NUL character is left out."""
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "")
        case list():
            return [storable(item) for item in value]
        case dict():
            return {str(storable(key)): storable(item) for key, item in value.items()}
    return value


def plain(value: object) -> Json:
    """Dataclasses, enums, times, sets and tuples as JSON values. Raises TypeError for anything else."""
    match value:
        case Enum():
            return plain(value.value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case None | bool() | int() | float() | str():
            return value
        case _:
            return _compound(value)


def _compound(value: object) -> Json:
    match value:
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {field.name: plain(item) for field, item in named if not _unnamed(field, item)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _unnamed(field: "dataclasses.Field[object]", item: object) -> bool:
    return bool(field.metadata.get("later")) and item == field.default
