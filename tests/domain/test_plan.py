"""Plans and their seals."""

from dataclasses import fields, replace

import pytest

from bot.domain.ids import UserId
from bot.domain.news import News
from bot.domain.plan import Plan
from bot.domain.traffic import Route, Router
from tests.builders import POLICY, a_plan, a_step


def test_the_seal_is_four_and_four_characters() -> None:
    """People can read it to one another."""
    plan = a_plan()
    assert plan.seal == f"{plan.sha256[:4]}-{plan.sha256[4:8]}"
    assert a_plan().sha256 == plan.sha256


OTHERS = {
    "artifact": replace(a_plan().artifact, image="registry.example/acme/api:v3"),
    "previous": None,
    "protected": False,
    "live_template": "u" * 64,
    "live_mark": "api-prod-0",
    "gates": (),
    "steps": (a_step("set_image"),),
    "on_failure": (),
    "approval": replace(POLICY, count=1),
    "requester": UserId("U0BOB"),
    "channel": "#prod",
    "reason": "because",
    "notes": ("risky",),
    "traffic": Route(Router.REPLICAS, a_plan().workload, "api"),
    "signals": {"errors": "another query"},
    "runbook": replace(a_plan().runbook, sha256="s" * 64),
    "workload": replace(a_plan().workload, namespace="other"),
    "target": replace(a_plan().target, service="web"),
    "verb": "rollback",
    "exempt": "fixes the login",
    "news": News(1, (), ()),
}


@pytest.mark.parametrize("name", [field.name for field in fields(Plan)])
def test_every_part_of_a_plan_is_under_its_seal(name: str) -> None:
    """Whatever changes in a plan, it is another plan."""
    assert replace(a_plan(), **{name: OTHERS[name]}).sha256 != a_plan().sha256


def test_a_plan_knows_whether_failure_restores() -> None:
    """Only a plan with something to go back to, and a step that does it."""
    assert a_plan().restores
    assert not a_plan(previous=None).restores
    assert not a_plan(on_failure=()).restores
