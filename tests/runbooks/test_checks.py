"""Smoke checks: what is sent, and what is wrong with an answer."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.json import Json
from bot.ports.probe import ProbeAnswer
from runbooks.checks import SmokeCheck

URL = "https://{environment}.example/{service}/items?x={y}"


def a_check(**written: Any) -> SmokeCheck:
    """A check as the catalogue writes it."""
    return SmokeCheck.model_validate({"get": URL} | written)


def an_answer(status: int = 200, json: Json = None) -> ProbeAnswer:
    """What came back."""
    return ProbeAnswer(status, timedelta(), "", json)


def complaint(expected: dict[str, Json], json: Json) -> str | None:
    """What is wrong with a JSON answer."""
    return a_check(expect={"json": expected}).complaint(an_answer(json=json))


def test_the_targets_names_are_filled_in() -> None:
    """Other braces stay as they are."""
    placed = a_check().placed(service="api", environment="prod")
    assert placed.request().url == "https://prod.example/api/items?x={y}"


def test_a_post_sends_its_body_and_headers() -> None:
    """As they were written."""
    check = SmokeCheck.model_validate({"post": "http://x.example", "body": {"a": [1]}, "headers": {"X-A": "b"}})
    request = check.placed(service="api", environment="prod").request()
    assert (request.method, request.url, request.body) == ("POST", "http://x.example", {"a": [1]})
    assert request.headers == {"X-A": "b"}


@pytest.mark.parametrize("written", [{}, {"get": "http://a.example", "post": "http://b.example"}])
def test_exactly_one_address_is_needed(written: dict[str, str]) -> None:
    """None, or two, is a fault of the file."""
    with pytest.raises(ValidationError, match="exactly one of 'get' and 'post'"):
        SmokeCheck.model_validate(written)


def test_only_the_web_is_asked() -> None:
    """No file, no other protocol."""
    with pytest.raises(ValidationError, match="'file:///etc/passwd' is not an http or https URL"):
        SmokeCheck.model_validate({"get": "file:///etc/passwd"})


def test_a_wrong_status_is_said_with_the_right_one() -> None:
    """Which need not be 200."""
    assert a_check().complaint(an_answer(503)) == "answered 503, expected 200"
    assert a_check(expect={"status": 204}).complaint(an_answer(204)) is None


def test_a_value_may_have_to_be_there() -> None:
    """Whatever it is, even nothing."""
    assert complaint({"items": "present"}, {"items": None}) is None
    assert complaint({"items": "present"}, {"other": 1}) == "the answer has no 'items'"


def test_a_value_may_have_to_be_the_same() -> None:
    """And is shown when it is not."""
    assert complaint({"version": "v2"}, {"version": "v2"}) is None
    assert complaint({"version": "v2"}, {"version": "v1"}) == "'version' is 'v1', expected 'v2'"


def test_a_path_goes_through_objects_and_lists() -> None:
    """Names and positions, with dots between them."""
    answer: Json = {"items": [{"id": 7}]}
    assert complaint({"items.0.id": 7}, answer) is None
    assert complaint({"items.1.id": 7}, answer) == "the answer has no 'items.1.id'"
    assert complaint({"items.first": "present"}, answer) == "the answer has no 'items.first'"
    assert complaint({"items.0.id.more": "present"}, answer) == "the answer has no 'items.0.id.more'"


def test_an_answer_that_is_no_json_has_nothing() -> None:
    """A proxy's page is not what was expected."""
    assert complaint({"items": "present"}, None) == "the answer has no 'items'"
