"""Pydantic's findings in our words, at their places."""

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from runbooks.source import Faults, read
from runbooks.validation import check, check_part, spoken


class Colour(StrEnum):
    """Something to choose from."""

    RED = "red"
    GREEN = "green"


class Inner(BaseModel):
    """Below."""

    model_config = ConfigDict(extra="forbid")

    weight: int = 1
    for_: str = Field(default="", alias="for")


class Outer(BaseModel):
    """Every shape that a file of ours may have."""

    model_config = ConfigDict(extra="forbid")

    colour: Colour = Colour.RED
    mode: Literal["fast", "slow"] = "fast"
    one: Inner | None = None
    many: tuple[Inner, ...] = ()
    named: dict[str, Annotated[Inner, Field()]] = Field(default_factory=dict)
    ratio: float = 0.5
    flag: bool = False
    text: str = ""
    long: str = Field(default="", max_length=2)


def said(text: str) -> str:
    """The faults of a text."""
    with pytest.raises(Faults) as caught:
        check(Outer, read(text.encode(), "f"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("colour: gren", "f:1:9: colour cannot be 'gren'; did you mean 'green'?"),
        ("mode: medium", "f:1:7: mode cannot be 'medium'; known: fast, slow"),
        ("one: {zzz: 1}", "f:1:7: one has no key 'zzz'; known: for, weight"),
        ("one: {fro: 1}", "f:1:7: one has no key 'fro'; did you mean 'for'?"),
        ("many: [{weigh: 1}]", "f:1:9: many[0] has no key 'weigh'; did you mean 'weight'?"),
        ("named: {a: {weigh: 1}}", "f:1:13: named.a has no key 'weigh'; did you mean 'weight'?"),
        ("many: 3", "f:1:7: many must be a list"),
        ("named: [1]", "f:1:8: named must be a mapping of keys to values"),
        ("one: []", "f:1:6: one must be a mapping of keys to values"),
        ("ratio: [1]", "f:1:8: ratio must be a number"),
        ("ratio: many", "f:1:8: ratio must be a number"),
        ("flag: 7", "f:1:7: flag must be true or false"),
        ("text: 7", "f:1:7: text must be text"),
        ("one: {weight: 1.5}", "f:1:15: one.weight must be a whole number"),
        ("long: abc", "f:1:7: long: string should have at most 2 characters"),
        ("roles: {}", "f:1:1: 'roles' comes with a later release of Sluice; leave it out until then"),
        ("colr: red", "f:1:1: the file has no key 'colr'; did you mean 'colour'?"),
        ("- a", "f:1:1: the file must be a mapping of keys to values"),
    ],
)
def test_a_fault_has_a_place_and_our_words(text: str, fault: str) -> None:
    """No vendor's vocabulary reaches the author of a file."""
    assert said(text) == fault


def test_what_fits_is_given() -> None:
    """The model itself, with its defaults."""
    found = check(Outer, read(b"one: {for: x}\nnamed: {a: {weight: 2}}", "f"))
    assert found.one == Inner.model_validate({"for": "x"})
    assert found.named["a"].weight == 2


def test_a_part_is_placed_in_its_document() -> None:
    """Faults of a part name the place in the whole file."""
    document = read(b"steps:\n- go: {weigh: 1}\n", "f")
    found, faults = check_part(Inner, {"weigh": 1}, document, at=("steps", 0, "go"))
    assert found is None
    assert [str(fault) for fault in faults] == ["f:2:8: steps[0].go has no key 'weigh'; did you mean 'weight'?"]


def test_places_are_spoken_as_people_write_them() -> None:
    """Keys by dots, list items by numbers."""
    assert spoken(("services", "api", "smoke", 0, "get")) == "services.api.smoke[0].get"
    assert spoken(()) == "the file"
