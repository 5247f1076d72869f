"""Pydantic's findings as faults: each at its line, in our words, with the nearest word that would have been right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.domain.json import Json
from runbooks.source import Document, Fault, Faults, Keys, did_you_mean

Model = TypeVar("Model", bound=BaseModel)

LATER = frozenset({"roles"})
"""Keys that the format will have; naming them is kinder than calling them unknown."""

SHAPES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}


def check(model: type[Model], document: Document) -> Model:
    """The whole document as a model. Raises Faults with everything that does not fit."""
    checked, faults = check_part(model, document.value, document, at=())
    if checked is None:
        raise Faults(faults)
    return checked


def check_part(
    model: type[Model], value: Json, document: Document, *, at: Keys
) -> tuple[Model | None, tuple[Fault, ...]]:
    """The value that stands at `at` as a model, or `None` and why not."""
    try:
        return model.model_validate(value), ()
    except ValidationError as exc:
        told = exc.errors(include_url=False)
        # A default that is made of other keys cannot be made while one of those is wrong: that one is the fault.
        found = [error for error in told if error["type"] != "default_factory_not_called"] or told
    return None, tuple(_fault(model, error, document, at=at) for error in found)


def spoken(at: Sequence[str | int]) -> str:
    """A place as people write it: `services.api.smoke[0]`; the top is `the file`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
    return text.removeprefix(".") or "the file"


def _fault(model: type[BaseModel], error: ErrorDetails, document: Document, *, at: Keys) -> Fault:
    place = _known_part(error["loc"], document, at=at)
    where = spoken(place)
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(model, error, document, at=at)
        case "missing":
            return document.fault(place, f"{where} lacks the key '{error['loc'][-1]}'")
        case "literal_error" | "enum":
            known = re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))
            return document.fault(
                place, f"{where} cannot be '{error['input']}'", did_you_mean(error["input"], known), on_value=True
            )
        case "value_error":
            return document.fault(place, f"{where}: {error['ctx']['error']}", on_value=True)
        case kind if kind in SHAPES:
            return document.fault(place, f"{where} {SHAPES[kind]}", on_value=True)
    message = error["msg"]
    return document.fault(place, f"{where}: {message[:1].lower()}{message[1:]}", on_value=True)


def _unknown_key(model: type[BaseModel], error: ErrorDetails, document: Document, *, at: Keys) -> Fault:
    *above, key = error["loc"]
    place = (*_known_part(above, document, at=at), key)
    if key in LATER:
        return document.fault(place, f"'{key}' comes with a later release of Sluice", "leave it out until then")
    owners = list(_models_at(model, above))
    known = {field.alias or name for owner in owners for name, field in owner.model_fields.items()}
    return document.fault(place, f"{spoken(place[:-1])} has no key '{key}'", did_you_mean(key, known))


def _known_part(loc: Sequence[str | int], document: Document, *, at: Keys) -> Keys:
    """The place that `loc` names in the document; parts that pydantic adds for unions and keys are skipped."""
    for part in loc:
        if (*at, part) in document.keys:
            at = (*at, part)
    return at


def _models_at(annotation: Any, loc: Sequence[str | int]) -> Iterator[type[BaseModel]]:  # annotations have no type
    """The models that may stand at `loc` below an annotation: follows fields, mappings, lists and unions."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType, Annotated):
        for member in get_args(annotation):
            yield from _models_at(member, loc)
    elif origin is not None and loc:
        inner = get_args(annotation)[1 if issubclass(origin, Mapping) else 0]
        yield from _models_at(inner, loc[1:])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _models_in(annotation, loc)


def _models_in(model: type[BaseModel], loc: Sequence[str | int]) -> Iterator[type[BaseModel]]:
    if not loc:
        yield model
        return
    for name, field in model.model_fields.items():
        if loc[0] in (field.alias, name):
            yield from _models_at(field.annotation, loc[1:])
