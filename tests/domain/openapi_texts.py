"""OpenAPI documents for tests, and what a comparison of two of them tells."""

from typing import Any

from bot.domain.openapi.operations import breaks

Schema = dict[str, Any]


STRING: Schema = {"type": "string"}


NUMBER: Schema = {"type": "number"}


def document(paths: Schema, **parts: Any) -> Schema:
    """A document with such paths."""
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **parts}


def answering(schema: Any, **parts: Any) -> Schema:
    """GET /items answers with such JSON."""
    answer = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    return document({"/items": {"get": {"responses": answer}}}, **parts)


def taking(schema: Any, **parts: Any) -> Schema:
    """POST /items takes such JSON."""
    body = {"content": {"application/json": {"schema": schema}}}
    answer = {"201": {"description": ""}}
    return document({"/items": {"post": {"requestBody": body, "responses": answer}}}, **parts)


def thing(required: tuple[str, ...] = (), **properties: Any) -> Schema:
    """An object."""
    return {"type": "object", "properties": properties, "required": list(required)}


def told(old: Schema, new: Schema) -> list[str]:
    """All that is found."""
    return [str(found) for found in breaks(old, new)]


def certain(old: Schema, new: Schema) -> list[str]:
    """What certainly breaks somebody."""
    return [str(found) for found in breaks(old, new) if found.certain]


def risky(old: Schema, new: Schema) -> list[str]:
    """What may break somebody who counts on more than the document says."""
    return [str(found) for found in breaks(old, new) if not found.certain]
