"""Operations of two OpenAPI documents: what breaks clients of the older one, what only may, and what does not."""

from typing import Any

import pytest

from bot.domain.errors import UnreadableError
from bot.domain.openapi.operations import breaks
from tests.domain.openapi_texts import NUMBER, STRING, Schema, certain, document, risky


def operation(**parts: Any) -> Schema:
    """GET /items/{id} with such parts."""
    return document({"/items/{id}": {"get": {"responses": {"200": {"description": ""}}, **parts}}})


LIMIT = {"in": "query", "name": "limit", "schema": {"type": "integer"}}


TEXT = {"text/plain": {"schema": STRING}}


FILTER = {"in": "query", "name": "filter", "content": TEXT}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (operation(), document({}), "GET /items/{id}: is gone"),
        (operation(), operation(parameters=[LIMIT | {"required": True}]), "query limit: must be given now"),
        (
            operation(parameters=[LIMIT]),
            operation(parameters=[LIMIT | {"required": True}]),
            "query limit: must be given now",
        ),
        (
            operation(parameters=[LIMIT]),
            operation(parameters=[LIMIT | {"schema": {"type": "integer", "maximum": 9}}]),
            "query limit: its maximum was not set and is 9",
        ),
        (
            operation(parameters=[LIMIT]),
            operation(parameters=[LIMIT | {"explode": False}]),
            "query limit: is written in another way: its 'explode' changed",
        ),
        (
            operation(parameters=[LIMIT]),
            operation(parameters=[LIMIT | {"style": "pipeDelimited"}]),
            "query limit: is written in another way: its 'style' changed",
        ),
        (
            operation(parameters=[FILTER]),
            operation(parameters=[FILTER | {"content": {"text/plain": {"schema": NUMBER}}}]),
            "query filter: was string and is number",
        ),
        (
            operation(parameters=[FILTER]),
            operation(parameters=[{"in": "query", "name": "filter", "schema": STRING}]),
            "query filter: text/plain is gone",
        ),
        (operation(), operation(responses={"204": {"description": ""}}), "200: is no longer answered"),
        (
            operation(requestBody={"content": {"text/plain": {}}}),
            operation(),
            "the request: takes no body any more",
        ),
        (
            operation(),
            operation(requestBody={"required": True, "content": {"text/plain": {}}}),
            "the request: must have a body now",
        ),
        (
            operation(requestBody={"content": {"text/plain": {}, "text/csv": {}}}),
            operation(requestBody={"content": {"text/plain": {}}}),
            "the request: text/csv is gone",
        ),
        (operation(), operation(security=[{"key": []}]), "login: nobody had to, and that no longer suffices"),
        (
            operation(security=[{"oauth": ["read"]}]),
            operation(security=[{"oauth": ["read", "write"]}]),
            "login: oauth no longer suffices",
        ),
        (
            operation(responses={"200": {"description": "", "headers": {"ETag": {"required": True}}}}),
            operation(),
            "200 header ETag: is gone",
        ),
    ],
)
def test_an_operation_that_is_not_what_it_was(old: Schema, new: Schema, said: str) -> None:
    """Paths, parameters, bodies, answers, headers and logins."""
    assert any(found.endswith(said) for found in certain(old, new))


def test_a_path_parameter_may_have_another_name() -> None:
    """Nobody sends it by name."""
    old = document({"/items/{id}": {"parameters": [{"in": "path", "name": "id", "schema": STRING}], "get": {}}})
    new = document({"/items/{key}": {"parameters": [{"in": "path", "name": "key", "schema": STRING}], "get": {}}})
    assert breaks(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (operation(parameters=[LIMIT]), operation(parameters=[LIMIT | {"style": "form", "explode": True}])),
        (operation(parameters=[FILTER]), operation(parameters=[FILTER | {"description": "told better"}])),
        (operation(), operation(responses={"2XX": {"description": ""}})),
        (operation(responses={"200": {}, "404": {}}), operation()),
        (operation(responses={"200": None}), operation(responses={"200": None})),
        (operation(requestBody={"content": TEXT}), operation(requestBody={"content": {"*/*": {"schema": STRING}}})),
        (
            operation(responses={"200": {"headers": {"ETag": {"required": True}}}}),
            operation(responses={"200": {"headers": {"etag": {"required": True}}}}),
        ),
        (operation(security=[{"key": []}]), operation()),
        (operation(security=[{"key": []}]), operation(security=[{"key": []}, {"oauth": ["read"]}])),
        (operation(security=[{"oauth": "read"}]), operation(security=[{"oauth": []}])),
    ],
)
def test_an_operation_that_serves_as_before(old: Schema, new: Schema) -> None:
    """What holds where nothing is said, other words for the same, and less that is asked for."""
    assert breaks(old, new) == ()


def test_what_is_not_promised_beside_a_vanished_parameter_is_only_risky() -> None:
    """Servers let pass what they do not know."""
    assert risky(operation(parameters=[LIMIT]), operation()) == ["GET /items/{id} query limit: is no longer known"]
    held = {"200": {"headers": {"ETag": {}}}}
    assert risky(operation(responses=held), operation(responses={"200": {}})) == [
        "GET /items/{id} 200 header ETag: is gone"
    ]


def test_a_document_without_operations_tells_nothing() -> None:
    """It is not one that breaks nobody."""
    with pytest.raises(UnreadableError, match="it has no operations"):
        breaks(document({}), operation())
