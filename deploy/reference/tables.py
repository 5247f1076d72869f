"""Tables of the keys of a model, and of the models below it."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from deploy.reference.wording import about, default_words, meaning, plain, title, type_words
from runbooks.kinds import FILLED_IN, StepSpec

HEAD = ("| key | type | left out | meaning |", "| --- | --- | --- | --- |")


def keys(model: type[BaseModel]) -> list[tuple[str, str, FieldInfo]]:
    """The keys that people write: name in the code, key in the file, field; not what a plan fills in by itself."""
    named = [(name, field.alias or name, field) for name, field in model.model_fields.items()]
    return [each for each in named if each[2].description != FILLED_IN]


def table(model: type[BaseModel]) -> list[str]:
    """One row a key; empty for a model without keys."""
    rows = [_row(model, key, field) for _, key, field in keys(model)]
    return [*HEAD, *rows] if rows else []


def section(model: type[BaseModel], level: int = 3) -> list[str]:
    """A model under a heading of its own: what it is, and its keys."""
    return [f"{'#' * level} {title(model)}", "", *first_words(model), *table(model), ""]


def first_words(model: type[BaseModel]) -> list[str]:
    """What a model is: the sentences of its docstring that are about no single key; nothing where there are none."""
    names = [key for _, key, _ in keys(model)]
    text = " ".join(about(model).split())
    whole = [part for part in text.split(". ") if not any(f"`{name}" in part for name in names)]
    said = plain(". ".join(part.rstrip(".") for part in whole))
    return [f"{said}.", ""] if said else []


def below(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The models that a model's keys hold, and those below them, in the order of the page; each once."""
    for _, _, field in keys(model):
        for part in _models(field.annotation):
            if part not in seen:
                seen.add(part)
                yield part
                yield from below(part, seen)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _row(model: type[BaseModel], key: str, field: FieldInfo) -> str:
    shorthand = issubclass(model, StepSpec) and model.shorthand == key
    kind = type_words(field.annotation, field.metadata)
    said = meaning(model, key, field)
    bare = " May stand alone behind the kind." if shorthand else ""
    return f"| `{key}` | {kind} | {default_words(field)} | {said}{bare} |"
