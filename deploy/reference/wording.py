"""Types, defaults and meanings of keys, in the words of somebody who writes YAML."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from inspect import getdoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from runbooks import durations, environments, margins, metrics_providers, needs, parts, percent, signals, slo, windows
from runbooks.durations import say
from runbooks.guards import Guard

SENTENCE_END = re.compile(r"(?<=[^.]\.)\s+(?=[A-Z`])")

BY_CHECK: Mapping[Callable[..., object], str] = {
    parts.name: "name",
    durations.parse: "duration",
    percent.parse_percent: "share, such as `5%`",
    margins.share: "share, such as `1%`",
    metrics_providers.address: "address",
    environments.group: "user group",
    environments.channel: "channel",
    environments.slack_user: "Slack member id",
    signals.metric: "name of a metric",
    signals.label: "name of a label",
    signals.pattern: "regular expression",
    needs.need: "versions, or `proven`",
    slo.parse_share: "share, such as `99.9%`",
    windows.cron: "cron line of five fields",
    windows.zone: "time zone, such as `Europe/Berlin`",
}
"""What a type is called that is known by the function that checks it."""

BY_TYPE: Mapping[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    date: "day, such as `2026-12-31`",
    timedelta: "duration",
    Decimal: "share, such as `99.9%`",
    Path: "path",
    SecretStr: "secret",
    Guard: "limit, such as `error_rate < 1%`",
    object: "anything",
}

PLURALS = {
    "text": "texts",
    "number": "numbers",
    "name": "names",
    "name of a label": "names of labels",
    "limit, such as `error_rate < 1%`": "limits, such as `error_rate < 1%`",
}


def type_words(annotation: Any, metadata: Sequence[object] = ()) -> str:
    """A type in plain words; a model is a link to its table."""
    for checked in metadata:
        named = BY_CHECK.get(getattr(checked, "func", print))
        if named:
            return named
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(arguments[0], arguments[1:])
    if annotation in BY_TYPE:
        return BY_TYPE[annotation]
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_words(each) for each in arguments if each is not NoneType))
    return _compound(annotation, origin, arguments)


def _compound(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return " or ".join(f"`{_yaml(value)}`" for value in arguments)
    if origin is list and arguments == (object,):
        return "list of [entries](#runbooks)"
    if origin in (tuple, list):
        return f"list of {_many(type_words(arguments[0]))}"
    if origin is dict:
        return f"map: {type_words(arguments[0])} → {type_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{title(annotation)}](#{title(annotation).lower()})"
    return "anything"


def _many(words: str) -> str:
    return PLURALS.get(words, words)


def title(model: type[BaseModel]) -> str:
    """What a part is called in the page: its class without the word for what it is to the code."""
    return model.__name__.removesuffix("Entry").removesuffix("Spec")


def default_words(field: FieldInfo) -> str:
    """What holds where the key is left out; empty where nothing does."""
    if field.is_required():
        return "**required**"
    value = None if field.default_factory_takes_validated_data else field.get_default(call_default_factory=True)
    if value is None or value in ("", (), [], {}) or isinstance(value, BaseModel):
        return ""
    return f"`{_yaml(value)}`"


def _yaml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return say(value)
        case Enum():
            return str(value.value)
        case Decimal():
            return f"{value}%"
    return str(value)


def meaning(model: type[BaseModel], key: str, field: FieldInfo) -> str:
    """What a key means: its own description, else what its class says of it; empty where neither says anything."""
    if field.description:
        return plain(field.description)
    said = [part for part in _parts_of(model) if f"`{key}`" in part or f"`{key}:" in part]
    return plain(" ".join(_about(key, part) for part in said))


def _parts_of(model: type[BaseModel]) -> list[str]:
    """The sentences of a class's docstring, cut once more where a semicolon begins the next key."""
    keys = "|".join(re.escape(field.alias or name) for name, field in model.model_fields.items())
    text = " ".join(about(model).split())
    return [part for sentence in SENTENCE_END.split(text) for part in re.split(rf"; (?=`(?:{keys})`[: ])", sentence)]


def _about(key: str, part: str) -> str:
    said = part.removeprefix(f"`{key}`: ").removesuffix(".")
    return f"{said[:1].upper()}{said[1:]}."


def about(model: type[BaseModel]) -> str:
    """A class's own docstring; empty where it has none."""
    return getdoc(model) or "" if model.__doc__ else ""


def plain(text: str) -> str:
    """A text of the code as a page shows it: nothing is `None` in YAML, and a bar would end the cell of a table."""
    return " ".join(text.split()).replace("`None`", "left out").replace("|", "\\|")
