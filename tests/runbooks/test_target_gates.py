"""Gates that an environment or a service asks for itself, whatever the runbook says."""

from pathlib import Path

import pytest

from bot.domain.plan import Plan, PlannedStep, Verb
from bot.domain.target import Target
from runbooks.configuration import Configuration, load
from runbooks.planner import ALWAYS, make_plan
from runbooks.source import Faults
from tests.builders import a_request
from tests.runbooks.catalogues import CATALOGUE, written
from tests.runbooks.runbook_files import a_runbook, with_steps
from tests.runbooks.test_planner import the_facts

PROD = "  prod:\n    cluster: main\n"


def loaded(folder: Path, gates: str) -> Configuration:
    """The catalogue with such gates for prod."""
    assert PROD in CATALOGUE
    return load(written(folder, CATALOGUE.replace(PROD, f"{PROD}    gates: {gates}\n")))


def own(plan: Plan) -> list[PlannedStep]:
    """The gates of a plan beside those of every plan."""
    return [gate for gate in plan.gates if gate.kind not in ALWAYS]


def planned(configuration: Configuration, *, verb: Verb = Verb.DEPLOY, gates: str = "", named: str = "small") -> Plan:
    """The plan for prod by a runbook with such gates."""
    text = with_steps("notify: hello").replace("name: small", f"name: {named}")
    runbook = a_runbook(f"gates: {gates}\n{text}" if gates else text)
    facts = the_facts(protected=False, gates=configuration.gates_of(Target("api", "prod")))
    return make_plan(a_request(verb=verb), runbook, facts)


def test_an_environments_gates_are_in_every_plan(tmp_path: Path) -> None:
    """A runbook of one's own leaves none of them out."""
    plan = planned(loaded(tmp_path, "[image, {soak: {in: staging, for: 1h}}]"))
    assert [(gate.key, gate.kind) for gate in own(plan)] == [("gates.image", "image"), ("gates.soak", "soak")]
    assert own(plan)[1].params == {"in": "staging", "for": "1h"}


def test_a_gate_that_the_runbook_has_too_is_asked_once(tmp_path: Path) -> None:
    """As long as both ask for the same."""
    plan = planned(loaded(tmp_path, "[image]"), gates="[image]")
    assert [gate.key for gate in own(plan)] == ["gates.image"]


def test_a_runbook_cannot_ask_for_less(tmp_path: Path) -> None:
    """Its own gate of that kind stands beside the environment's."""
    plan = planned(loaded(tmp_path, "[{soak: {in: staging, for: 1d}}]"), gates="[{soak: {in: staging, for: 1m}}]")
    assert [(gate.key, gate.params["for"]) for gate in own(plan)] == [
        ("gates.soak", "1m"),
        ("gates.soak-2", "1d"),
    ]


def test_a_rollback_is_not_held_up_by_them(tmp_path: Path) -> None:
    """What must hold for a new version is nothing that the way back has to wait for."""
    assert own(planned(loaded(tmp_path, "[{soak: {in: staging}}]"), verb=Verb.ROLLBACK, named="rollback")) == []


def test_another_runbook_is_no_way_back(tmp_path: Path) -> None:
    """It may do anything, whatever it was called for."""
    plan = planned(loaded(tmp_path, "[{soak: {in: staging}}]"), verb=Verb.ROLLBACK, named="reindex")
    assert [gate.kind for gate in own(plan)] == ["soak"]


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ("[imge]", "there is no gate 'imge'; did you mean 'image'?"),
        ("[rollout]", "'rollout' is a step, not a gate; move it to 'steps'"),
        ("[{soak: {fr: 1h}}]", "gates[0].soak has no key 'fr'; did you mean 'for'?"),
        ("image", "environments.prod.gates must be a list"),
    ],
)
def test_a_slip_is_told_with_its_place(tmp_path: Path, gates: str, said: str) -> None:
    """As in a runbook."""
    with pytest.raises(Faults) as caught:
        loaded(tmp_path, gates)
    assert said in str(caught.value)
    assert "sluice.yaml:" in str(caught.value)
