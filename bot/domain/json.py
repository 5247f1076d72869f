"""Values that JSON can hold, and their one canonical text."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from pydantic import JsonValue

# pydantic's own alias: a recursive alias of ours could not be validated when a stored run is read back.
Json: TypeAlias = JsonValue
JsonObject: TypeAlias = dict[str, Json]


def canonical(value: object) -> str:
    """One text for equal values: keys sorted, no spaces, times in ISO 8601, durations in seconds."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no canonical form")
