"""Two OpenAPI documents: what breaks clients of the older one, what only may, and what does not."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UnreadableError
from bot.domain.openapi.operations import breaks
from bot.domain.openapi.schemas import Known
from tests.domain.openapi_texts import NUMBER, STRING, Schema, answering, certain, document, risky, taking, thing, told

WORDS = (
    *("get", "post", "parameters", "in", "name", "required", "schema", "content", "responses", "200", "headers"),
    *("requestBody", "security", "type", "properties", "items", "allOf", "oneOf", "anyOf", "enum", "const", "not"),
    *("maximum", "minLength", "pattern", "additionalProperties", "nullable", "format", "readOnly", "$ref", "a"),
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (thing(a=STRING), thing(a=NUMBER), "a: was string and is number"),
        (thing(("a",), a=STRING), thing(), "a: is gone"),
        (thing(("a",), a=STRING), thing(a=STRING), "a: may be missing"),
        (thing(a=STRING), thing(a={"type": ["string", "null"]}), "a: was string and is null or string: null may come"),
        (thing(a=STRING), thing(a={"type": "string", "nullable": True}), "a: was string and is null or string: null"),
        (thing(a={"type": "integer"}), thing(a=NUMBER), "a: was integer and is number"),
        (thing(a={"type": "string", "enum": ["x"]}), thing(a=STRING), "a: may be other values than the list had"),
        (thing(a={"const": 1}), thing(a={}), "a: may be other values than the list had"),
        (thing(a={**STRING, "format": "date"}), thing(a=STRING), "a: its format was date and is None"),
        ({"type": "array", "items": STRING}, {"type": "array", "items": NUMBER}, "[]: was string and is number"),
        ({"type": "array", "items": STRING}, thing(), "was array and is object"),
        ({"oneOf": [STRING]}, {"oneOf": [STRING, NUMBER]}, "may come in a form that is new"),
        (STRING, {"anyOf": [STRING, NUMBER]}, "may come in a form that is new"),
        ({"allOf": [thing(("a",), a=STRING), thing(b=STRING)]}, thing(b=STRING), "a: is gone"),
        (thing(a={"not": STRING}), thing(a={"not": NUMBER}), "a: its 'not' changed"),
        ({"type": "object", "additionalProperties": STRING}, {"type": "object"}, "*: was string and is anything"),
        (True, False, "its 'not' changed"),
        (
            {"allOf": [thing(a=STRING), thing(a={"enum": ["x"]})]},
            {"allOf": [thing(a=STRING), thing(a={"enum": ["x", "y"]})]},
            "a: may be 'y'",
        ),
        (
            {"allOf": [{"type": "array", "items": STRING}, {"items": STRING}]},
            {"allOf": [{"type": "array", "items": STRING}, {"items": NUMBER}]},
            "its 'allOf' changed, and nobody can tell here whom that breaks",
        ),
    ],
)
def test_an_answer_that_clients_cannot_count_on(old: Schema, new: Schema, said: str) -> None:
    """What was promised is gone, or something comes that was not foreseen."""
    assert any(said in found for found in told(answering(old), answering(new)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (thing(a=NUMBER), thing(a=STRING), "a: was number and is string"),
        (thing(a=NUMBER), thing(a={"type": "integer"}), "a: was number and is integer"),
        (thing(a=STRING), thing(("a",), a=STRING), "a: must be given now"),
        (thing(), thing(("a",), a=STRING), "a: must be given now"),
        (
            thing(a={"type": ["string", "null"]}),
            thing(a=STRING),
            "a: was null or string and is string: null is refused",
        ),
        (thing(a={"enum": [1, 2]}), thing(a={"enum": [1]}), "a: no longer takes 2"),
        (thing(a=STRING), thing(a={**STRING, "enum": ["x"]}), "a: takes only a fixed list now"),
        (thing(a={**STRING, "maxLength": 9}), thing(a={**STRING, "maxLength": 5}), "a: its maxLength was 9 and is 5"),
        (thing(a={"maximum": 9}), thing(a={"maximum": 9, "exclusiveMaximum": True}), "a: its exclusiveMaximum changed"),
        (thing(a=STRING), thing(a={**STRING, "minLength": 1}), "a: its minLength was not set and is 1"),
        (thing(a=STRING), thing(a={**STRING, "pattern": "^x"}), "a: must match another pattern"),
        (thing(a=STRING), thing(a={**STRING, "format": "uuid"}), "a: its format was None and is uuid"),
        ({"type": "array"}, {"type": "array", "uniqueItems": True}, "must hold nothing twice"),
        (thing(a=STRING), {**thing(a=STRING), "additionalProperties": False}, "takes no other properties any more"),
        (thing(a=STRING), {**thing(), "additionalProperties": False}, "a: is no longer known"),
        ({"oneOf": [STRING, NUMBER]}, {"oneOf": [STRING]}, "no longer takes a form that it took"),
        ({"oneOf": [STRING, NUMBER]}, STRING, "no longer takes a form that it took"),
    ],
)
def test_a_request_that_is_no_longer_taken(old: Schema, new: Schema, said: str) -> None:
    """More is asked for, or less is taken."""
    assert any(said in found for found in certain(taking(old), taking(new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (thing(a=STRING), thing(a=STRING, b=STRING)),
        (thing(a=NUMBER), thing(a={"type": "integer"})),
        (thing(a=STRING), thing(("a",), a=STRING)),
        (thing(a=STRING), thing(a={**STRING, "enum": ["x"]})),
        ({"oneOf": [STRING, NUMBER]}, {"oneOf": [STRING]}),
        ({"oneOf": [STRING, NUMBER]}, {"anyOf": [NUMBER, STRING]}),
        (thing(a=STRING), {"allOf": [thing(a=STRING), thing(b=NUMBER)]}),
        (thing(("secret",), secret={**STRING, "writeOnly": True}), thing()),
        (thing(a=STRING), {**thing(a=STRING), "description": "told better"}),
    ],
)
def test_an_answer_that_promises_as_much(old: Schema, new: Schema) -> None:
    """More fields, fewer values, other words: nobody is broken."""
    assert certain(answering(old), answering(new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (thing(("a",), a=STRING), thing(a=STRING)),
        (thing(a={"type": "integer"}), thing(a=NUMBER)),
        (thing(a={"enum": [1]}), thing(a={"enum": [1, 2]})),
        (thing(a={**STRING, "maxLength": 5}), thing(a={**STRING, "maxLength": 9})),
        (thing(a={**STRING, "pattern": "^x"}), thing(a=STRING)),
        (thing(a=STRING), thing(a={"type": ["string", "null"]})),
        ({"oneOf": [STRING]}, {"oneOf": [STRING, NUMBER]}),
        (thing(), thing(("id",), id={**STRING, "readOnly": True})),
        ({**thing(), "additionalProperties": False}, thing()),
        (thing(a={"exclusiveMinimum": True}), thing(a={"exclusiveMinimum": False})),
        ({"oneOf": [thing(("a",), a=STRING)], "maxProperties": 3}, {"oneOf": [thing(a=STRING)], "maxProperties": 3}),
    ],
)
def test_a_request_that_is_taken_as_before(old: Schema, new: Schema) -> None:
    """Less is asked for, or more is taken."""
    assert certain(taking(old), taking(new)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (answering(thing(a=STRING)), answering(thing()), "GET /items 200 a: is gone"),
        (answering({"enum": [1]}), answering({"enum": [1, 2]}), "GET /items 200: may be 2"),
        (answering({"maximum": 5}), answering({"maximum": 9}), "GET /items 200: its maximum was 5 and is 9"),
        (
            answering({"minimum": 1, "exclusiveMinimum": True}),
            answering({"minimum": 1}),
            "GET /items 200: its exclusiveMinimum changed",
        ),
        (taking(thing(a=STRING)), taking(thing()), "POST /items the request a: is no longer known"),
    ],
)
def test_what_only_may_break_somebody(old: Schema, new: Schema, said: str) -> None:
    """Told beside what is certain, and no reason to refuse."""
    assert (certain(old, new), risky(old, new)) == ([], [said])


def test_what_would_take_too_long_is_told() -> None:
    """Rings without end, forms within forms, and numbers beyond all."""
    ref = {"$ref": "#/components/schemas/A"}
    with pytest.raises(UnreadableError, match="too deeply to be compared"):
        breaks(*[answering(ref, components={"schemas": {"A": {"allOf": [ref]}}})] * 2)
    with pytest.raises(UnreadableError, match="beyond all bounds"):
        breaks(*[answering({"maximum": 10**400})] * 2)
    known = Known(left=1)
    known.spend()
    with pytest.raises(UnreadableError, match="schemas and forms of them to compare"):
        known.spend()


def test_what_many_operations_share_is_told_for_each_of_them() -> None:
    """What is alike is walked once; what is not is found wherever it is."""
    ref, same = {"$ref": "#/components/schemas/Item"}, {"$ref": "#/components/schemas/Same"}
    body = {"200": {"content": {"application/json": {"schema": {"properties": {"item": ref, "same": same}}}}}}
    paths = {f"/{name}": {"get": {"responses": body}} for name in "ab"}

    def made(schema: Schema) -> Schema:
        return document(paths, components={"schemas": {"Item": schema, "Same": thing(a=STRING)}})

    assert certain(made(STRING), made(NUMBER)) == [
        "GET /a 200 item: was string and is number",
        "GET /b 200 item: was string and is number",
    ]


def test_references_are_followed_and_rings_walked_once() -> None:
    """A tree of nodes: the change inside is found, and the walk ends."""
    ref = {"$ref": "#/components/schemas/Node"}
    node = thing(("name",), name=STRING, children={"type": "array", "items": ref})
    other = thing(("name",), name=NUMBER, children={"type": "array", "items": ref})
    old = answering(ref, components={"schemas": {"Node": node}})
    new = answering(ref, components={"schemas": {"Node": other}})
    assert certain(old, new) == ["GET /items 200 name: was string and is number"]
    assert breaks(old, old) == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"swagger": "2.0"}, "it is no OpenAPI document of version 3.0 or 3.1 (it says '2.0')"),
        ({}, "it says None"),
        ([], "the document is no mapping"),
        ("openapi: 3.0.0", "the document is no mapping"),
        (document({"/a": []}), "/a is no mapping"),
        (answering({"$ref": "other.yaml#/a"}), "which is not in the document; bundle it into one file"),
        (answering({"$ref": "#/components/schemas/None"}), "there is no such part"),
        (answering({"$ref": "#/components/a"}, components={"a": {"$ref": "#/components/a"}}), "refers to itself"),
        (document({"/a": {"get": {"parameters": {"limit": 1}}}}), "the parameters of get of /a are no list"),
    ],
)
def test_what_cannot_be_read_is_told(value: Any, said: str) -> None:
    """Never taken for a document that breaks nothing."""
    with pytest.raises(UnreadableError) as caught:
        breaks(value, value if isinstance(value, dict) and "paths" in value else document({}))
    assert said in str(caught.value)


SCHEMAS = st.recursive(
    st.sampled_from([STRING, NUMBER, {"type": "integer"}, {"enum": [1, 2]}, {"type": ["string", "null"]}, {}]),
    lambda inner: st.one_of(
        st.builds(lambda a, b: thing(("a",), a=a, b=b), inner, inner),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda a, b: {"oneOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"allOf": [thing(a=a), thing(b=b)]}, inner, inner),
    ),
    max_leaves=6,
)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just({"$ref": "#/components/schemas/A"}),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@given(JSONS, JSONS, JSONS)
def test_whatever_stands_in_a_document_is_compared_or_told(one: Any, other: Any, part: Any) -> None:
    """Nothing makes the comparison fail in another way, or a document unlike itself."""
    for old, new in (
        (answering(one, components={"schemas": {"A": part}}), answering(other, components={"schemas": {"A": part}})),
        (document({"/a": one}), document({"/a": other}, components={"schemas": {"A": part}})),
        (document({"/a": {"get": one}}), document({"/a": {"get": other}})),
    ):
        with suppress(UnreadableError):
            breaks(old, new)
        with suppress(UnreadableError):
            assert breaks(old, old) == ()


@given(SCHEMAS)
def test_a_document_breaks_nothing_of_its_own(schema: Schema) -> None:
    """Whatever it says."""
    assert breaks(answering(schema), answering(schema)) == ()
    assert breaks(taking(schema), taking(schema)) == ()


@given(SCHEMAS, SCHEMAS)
def test_what_fits_one_way_and_back_is_the_same_for_both_sides(one: Schema, other: Schema) -> None:
    """To send `one` where `other` is taken is safe exactly if to answer `one` where `other` is awaited is."""
    sent = any("was " in found and " is " in found for found in certain(taking(one), taking(other)))
    answered = any("was " in found and " is " in found for found in certain(answering(other), answering(one)))
    assert sent == answered
