"""OpenAPI documents of a small service, and what changes in them from one version to the next."""

import json
from typing import Any

from bot.sandbox.registry.blob import Blob

YAML_TYPE = "application/vnd.oai.openapi+yaml"
JSON_TYPE = "application/vnd.oai.openapi+json"

ITEMS = """\
openapi: 3.1.0
info: {title: api, version: 1.0.0}
paths:
  /items:
    get:
      responses:
        200:
          description: All of them.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Item'}}
  /items/{id}:
    delete:
      parameters: [{in: path, name: id, required: true, schema: {type: string}}]
      responses: {204: {description: It is gone.}}
components:
  schemas:
    Item:
      type: object
      required: [name, price]
      properties: {name: {type: string}, price: {type: number}, note: {type: string}}
"""
MORE = ITEMS.replace("note: {type: string}", "note: {type: string}, size: {type: integer}")
"""Answers more than before."""

LESS = ITEMS.replace(", note: {type: string}", "")
"""What was never promised is gone."""

BROKEN = ITEMS.replace("required: [name, price]", "required: [name]").replace("    delete:", "    put:")
"""An operation is gone, and a promise with it."""

GONE = "DELETE /items/{id}: is gone"
MISSING = "GET /items 200 [].price: may be missing"


def api(**paths: Any) -> bytes:
    """A document as JSON, with such paths."""
    return json.dumps({"openapi": "3.1.0", "info": {"title": "api", "version": "1"}, "paths": paths}).encode()


def answering(schema: Any, **components: Any) -> bytes:
    """GET /a answers with such JSON."""
    answer = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    document = json.loads(api(**{"/a": {"get": {"responses": answer}}}))
    return json.dumps({**document, "components": {"schemas": components}}).encode()


def attached(text: str | bytes, media_type: str = YAML_TYPE) -> Blob:
    """A document to attach."""
    return Blob(text if isinstance(text, bytes) else text.encode(), media_type)
