"""The planner: a request, a runbook and the facts become a plan in which nothing is left open."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import PermanentError, UsageError
from bot.domain.plan import Plan, RunbookPin
from runbooks.checks import SmokeCheck
from runbooks.planner import Facts, make_plan, require_approval_first
from runbooks.spec import Entry, Runbook
from tests.builders import POLICY, a_plan, a_request
from tests.runbooks.runbook_files import a_runbook, with_steps

CHECK = SmokeCheck.model_validate({"get": "https://prod.example/healthz"})


def the_facts(**overrides: Any) -> Facts:
    """What is known about api in prod."""
    known = a_plan()
    facts = Facts(
        workload=known.workload,
        protected=True,
        artifact=replace(known.artifact, commit="9f2c1e7"),
        previous=known.previous,
        live_template=known.live_template,
        live_mark="api-prod-0",
        policy=POLICY,
        channel="#deploys",
        smoke=(CHECK,),
        notes=("a risk",),
    )
    return replace(facts, **overrides)


def planned(*steps: str, on_failure: tuple[str, ...] = (), **facts: Any) -> Plan:
    """The plan of a runbook of these steps, where nothing is protected unless a test says so."""
    runbook = a_runbook(with_steps(*steps, on_failure=on_failure))
    return make_plan(a_request(), runbook, the_facts(**({"protected": False} | facts)))


def test_a_plan_holds_everything_that_was_gathered() -> None:
    """So that whoever approves it sees what will happen, and nothing else can."""
    runbook = a_runbook()
    plan = make_plan(a_request(reason="a fix"), runbook, the_facts())
    assert (plan.protected, plan.live_mark, plan.notes, plan.reason) == (True, "api-prod-0", ("a risk",), "a fix")
    assert plan.runbook == RunbookPin("careful", runbook.sha256)
    assert [step.key for step in (*plan.gates, *plan.steps, *plan.on_failure)] == [
        "gates.image",
        "gates.freeze",
        "gates.lock",
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


def test_the_same_facts_give_the_same_seal() -> None:
    """Planning is pure."""
    assert planned("set_image").seal == planned("set_image").seal
    assert planned("set_image").seal != planned("set_image", live_template="u" * 64).seal


def test_what_is_known_is_looked_up() -> None:
    """The artifact's names, the target's, and nothing else."""
    text = "${artifact.digest} ${artifact.image} ${artifact.ref} ${artifact.commit} ${service} ${environment}"
    plan = planned(f'notify: "{text}"')
    made = plan.artifact
    assert plan.steps[0].params["text"] == f"{made.digest} {made.image} v2 9f2c1e7 api prod"


def test_what_only_a_run_knows_stays_open() -> None:
    """Its id, and what its steps will say."""
    plan = planned("job: {name: migrate, run: [up]}", 'notify: "${run}: ${steps.migrate.outputs.revision}"')
    assert plan.steps[1].params["text"] == "${run}: ${steps.migrate.outputs.revision}"


def test_an_unknown_look_up_is_no_plan() -> None:
    """A linted runbook has none; one that was not linted fails here, before anything happens."""
    runbook = a_runbook(with_steps("set_image"))
    step = Entry("steps.notify", "notify", {"text": "${nonsense}"}, None, 4)
    with pytest.raises(PermanentError, match=r"looks up \$\{nonsense\}"):
        make_plan(a_request(), replace(runbook, steps=(step,)), the_facts(protected=False))


def test_a_step_has_its_own_deadline_or_its_kinds() -> None:
    """The runbook wins."""
    plan = planned("rollout: {deadline: 5m}", "rollout")
    assert [step.deadline for step in plan.steps] == [timedelta(minutes=5), timedelta(minutes=15)]


def test_smoke_checks_come_from_the_catalogue() -> None:
    """Unless the runbook has some of its own."""
    plan = planned("smoke", "smoke: {checks: [{get: 'https://own.example'}]}", on_failure=("smoke",))
    urls = [step.params["checks"][0]["get"] for step in (*plan.steps, *plan.on_failure)]  # type: ignore[index,call-overload]  # JSON
    assert urls == ["https://prod.example/healthz", "https://own.example", "https://prod.example/healthz"]


def test_the_plan_knows_which_steps_change_something() -> None:
    """Only those need an approval, and a restore."""
    plan = planned("approval", "set_image", "rollout", "job: [up]", "smoke", "wait: 1m", on_failure=("restore",))
    assert [step.kind for step in (*plan.gates, *plan.steps, *plan.on_failure) if step.changes] == [
        "set_image",
        "job",
        "restore",
    ]
    assert plan.restores


def test_without_a_restore_nothing_comes_back() -> None:
    """Nor without a version before."""
    assert not planned("set_image", on_failure=("smoke",)).restores
    assert not planned("set_image", on_failure=("restore",), previous=None).restores


@pytest.mark.parametrize("steps", [("set_image", "approval"), ("job: [up]", "approval", "set_image"), ("set_image",)])
def test_a_protected_environment_wants_an_approval_first(steps: tuple[str, ...]) -> None:
    """Nothing in it may change before people were asked; the file and line are named."""
    with pytest.raises(UsageError, match=r"changes prod before anybody is asked: its step '\w+' \(r\.yaml:4\)"):
        planned(*steps, protected=True)


def test_what_changes_nothing_may_come_before_the_approval() -> None:
    """A wait, a smoke test."""
    assert planned("smoke", "wait: 1m", "approval", "set_image", protected=True).protected


POST = "smoke: [{post: 'https://prod.example/orders'}]"


@pytest.mark.parametrize(("step", "own"), [(POST, CHECK), ("smoke", SmokeCheck(post="https://prod.example/orders"))])
def test_a_smoke_check_that_posts_comes_after_the_votes(step: str, own: SmokeCheck) -> None:
    """What a POST changes, nobody here can know; where nothing is protected it may come first."""
    with pytest.raises(UsageError, match="its step 'smoke'"):
        planned(step, "approval", "set_image", protected=True, smoke=(own,))
    assert planned("approval", step, "set_image", protected=True, smoke=(own,)).protected
    assert not planned(step, "approval", "set_image", smoke=(own,)).protected


def test_where_nobody_votes_nobody_is_asked() -> None:
    """The step is left out, so that a plan never promises a vote that will not be held."""
    assert [step.kind for step in planned("approval", "set_image", policy=None).steps] == ["set_image"]
    with pytest.raises(PermanentError, match="nobody is named who may vote"):
        planned("approval", "set_image", policy=None, protected=True)


def test_a_runbook_that_changes_nothing_needs_no_approval() -> None:
    """It could be run anywhere."""
    assert planned("smoke", protected=True).steps


@given(st.permutations(["approval", "set_image", "job: [up]", "smoke", "wait: 1m", "rollout"]))
def test_no_order_of_steps_changes_a_protected_environment_unasked(steps: list[str]) -> None:
    """Either it is refused, or the approval comes before everything that changes."""
    runbook: Runbook = a_runbook(with_steps(*steps))
    kinds = [entry.kind for entry in runbook.steps]
    first_change = min(kinds.index("set_image"), kinds.index("job"))
    if kinds.index("approval") < first_change:
        require_approval_first(runbook, "prod")
    else:
        with pytest.raises(UsageError):
            require_approval_first(runbook, "prod")
