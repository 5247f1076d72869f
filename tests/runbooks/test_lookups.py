"""Look-ups in parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import PermanentError
from bot.domain.json import Json
from runbooks.lookups import PLAN_TIME, lookups, resolve, resolve_outputs

VALUES = {name: f"<{name}>" for name in PLAN_TIME}


def test_finds_every_look_up_with_its_place() -> None:
    """In texts, lists and mappings; spaces inside do not matter."""
    found = list(lookups({"run": ["a", "${service} ${ run }"], "env": {"X": "${steps.a.outputs.b}"}}))
    assert [(lookup.at, lookup.name, lookup.step) for lookup in found] == [
        (("run", 1), "service", None),
        (("run", 1), "run", None),
        (("env", "X"), "steps.a.outputs.b", "a"),
    ]


def test_a_plan_fills_in_what_it_knows() -> None:
    """Outputs of steps stay for later."""
    params: dict[str, Json] = {"text": "${service}: ${artifact.ref}, ${steps.a.outputs.b}", "n": [1, None, "${run}"]}
    assert resolve(params, VALUES) == {
        "text": "<service>: <artifact.ref>, ${steps.a.outputs.b}",
        "n": [1, None, "<run>"],
    }


def test_an_unknown_look_up_stops() -> None:
    """Nothing is left in a parameter that nobody will fill in."""
    with pytest.raises(PermanentError, match=r"\$\{artifact.digest\}, which this plan does not know"):
        resolve({"text": "${artifact.digest}"}, {})
    with pytest.raises(PermanentError, match=r"still holds \$\{service\}"):
        resolve_outputs({"text": "${service}"}, {})


def test_an_output_alone_keeps_its_type() -> None:
    """A number stays a number unless it is part of a text."""
    params: dict[str, Json] = {"a": "${steps.job.outputs.count}", "b": "n=${steps.job.outputs.count}"}
    assert resolve_outputs(params, {"job": {"count": 3}}) == {"a": 3, "b": "n=3"}


@pytest.mark.parametrize("outputs", [{}, {"job": {}}, {"job": {"other": 1}}])
def test_a_missing_output_stops(outputs: dict[str, dict[str, Json]]) -> None:
    """A step that did not say what it should have is named."""
    with pytest.raises(PermanentError, match="the step job gave no output 'count'"):
        resolve_outputs({"a": ["${steps.job.outputs.count}"]}, outputs)


@given(st.text())
def test_what_is_filled_in_is_not_read_again(text: str) -> None:
    """A value that looks like a look-up is only text: nobody can smuggle one in by a tag's name."""
    assert resolve({"a": "${service}"}, {"service": text}) == {"a": text}
