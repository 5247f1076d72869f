"""The forms, within what Slack accepts."""

from typing import Any

import pytest

from bot.slack.forms import FormChoices, form

CHOICES = FormChoices(("api", "web"), ("staging", "prod"))


def elements(verb: str, choices: FormChoices = CHOICES) -> dict[str, Any]:
    """The form's fields by name."""
    blocks: Any = form(verb, choices, channel="C0DEPLOYS")["blocks"]
    return {block["block_id"]: block["element"] for block in blocks}


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("deploy", ["service", "ref", "environment", "reason"]),
        ("canary", ["service", "ref", "environment", "reason"]),
        ("promote", ["service", "from", "environment", "reason"]),
        ("rollback", ["service", "environment", "ref", "reason"]),
    ],
)
def test_a_form_asks_in_the_order_of_the_command(verb: str, fields: list[str]) -> None:
    """Whoever uses the form learns the line."""
    assert list(elements(verb)) == fields


def test_what_the_catalogue_holds_is_chosen_not_typed() -> None:
    """No spelling mistakes where there is a list."""
    options = [option["value"] for option in elements("deploy")["service"]["options"]]
    assert options == ["api", "web"]


@pytest.mark.parametrize("names", [(), tuple(f"s{number}" for number in range(101)), ("x" * 76,)])
def test_a_list_that_slack_would_refuse_is_typed(names: tuple[str, ...]) -> None:
    """None, too many or too long: the form still opens."""
    assert elements("deploy", FormChoices(names, ("prod",)))["service"]["type"] == "plain_text_input"


def test_a_rollback_needs_no_version() -> None:
    """Left empty it goes to the last known good one."""
    blocks: Any = form("rollback", CHOICES, channel="C0DEPLOYS")["blocks"]
    assert [block["block_id"] for block in blocks if block.get("optional")] == ["ref", "reason"]


def test_the_form_carries_its_channel() -> None:
    """The answer is told where the question was asked."""
    assert form("deploy", CHOICES, channel="C0DEPLOYS")["private_metadata"] == "C0DEPLOYS"
