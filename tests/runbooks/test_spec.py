"""What a runbook is made of."""

import hashlib
from datetime import timedelta

import pytest
from pydantic import ValidationError

from runbooks.spec import Entry, RunbookFile
from tests.runbooks.runbook_files import RUNBOOK, a_runbook


def test_an_entry_is_called_by_its_name_without_its_section() -> None:
    """The name is what `${steps.<name>...}` says."""
    assert Entry("on_failure.smoke-2", "smoke", {}, None, 3).name == "smoke-2"


def test_a_runbook_is_pinned_by_its_whole_text() -> None:
    """Even an edited comment is another runbook: what was approved is what was read."""
    assert a_runbook().sha256 == hashlib.sha256(RUNBOOK.encode()).hexdigest()
    assert a_runbook(f"# edited\n{RUNBOOK}").sha256 != a_runbook().sha256


def test_keys_are_unique_and_speak() -> None:
    """A second entry of a kind is numbered; a name of its own wins."""
    runbook = a_runbook()
    assert [entry.key for entry in (*runbook.gates, *runbook.steps, *runbook.on_failure)] == [
        "gates.image",
        "steps.approval",
        "steps.migrate",
        "steps.set_image",
        "steps.rollout",
        "steps.smoke",
        "steps.wait",
        "steps.smoke-2",
        "steps.notify",
        "on_failure.restore",
        "on_failure.smoke",
    ]


def test_name_and_deadline_are_not_parameters() -> None:
    """Every kind has them, so no kind needs to know them."""
    migrate = a_runbook().steps[1]
    assert migrate.deadline == timedelta(minutes=10)
    assert dict(migrate.params) == {"run": ["up", "${artifact.ref}"]}


def test_a_bare_value_stands_under_the_name_of_its_field() -> None:
    """`wait: 5m` is `wait: {for: 5m}`."""
    assert dict(a_runbook().steps[5].params) == {"for": "5m"}


def test_about_is_one_paragraph() -> None:
    """Line breaks of the file are not those of the reader."""
    assert a_runbook().about == "Migrate, then release."


@pytest.mark.parametrize("missing", ["name", "about", "steps"])
def test_a_runbook_needs_a_name_a_purpose_and_steps(missing: str) -> None:
    """Without one of them nobody could type it, understand it or run it."""
    whole: dict[str, object] = {"name": "x", "about": "y", "steps": ["approval"]}
    assert RunbookFile.model_validate(whole).gates == []
    with pytest.raises(ValidationError, match=missing):
        RunbookFile.model_validate({key: value for key, value in whole.items() if key != missing})
