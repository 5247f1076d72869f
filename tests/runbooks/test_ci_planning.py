"""What a plan seals for the ci gate: the server, the project, the required checks and the commit."""

from dataclasses import replace

import pytest

from bot.domain.errors import UsageError
from bot.domain.json import Json
from bot.domain.plan import Artifact
from runbooks.ci_planning import asks_ci, commit_of
from runbooks.ci_servers import CiPlace
from runbooks.planner import make_plan
from runbooks.spec import Runbook
from tests.builders import a_plan, a_request
from tests.runbooks.runbook_files import RUNBOOK, a_runbook
from tests.runbooks.test_planner import the_facts

SHA = "9f2c1e7" + "0" * 33
PLACE = CiPlace("main", "acme/api", ("build",))


def with_gate(gate: str) -> Runbook:
    """A runbook with that gate; it stands in line 5."""
    return a_runbook(RUNBOOK.replace("gates: [image]", f"gates: [{gate}]"))


def gated(gate: str, artifact: Artifact | None = None, place: CiPlace | None = PLACE) -> dict[str, Json]:
    """The sealed parameters of the gate."""
    runbook = with_gate(gate)
    facts = the_facts(protected=False, ci=place)
    plan = make_plan(a_request(), runbook, replace(facts, artifact=artifact or facts.artifact))
    return dict(plan.gates[0].params)


def artifact(*, commit: str = "", ref: str = "v2") -> Artifact:
    """What shall run."""
    return replace(a_plan().artifact, commit=commit, ref=ref)


def test_the_service_says_where_and_what_is_required() -> None:
    """And the image says of which commit."""
    assert gated("ci", artifact(commit=SHA)) == {
        "required": ["build"],
        "commit": SHA,
        "server": "main",
        "project": "acme/api",
    }


def test_a_runbook_may_require_other_checks() -> None:
    """Or ask another server."""
    sealed = gated("{ci: {required: [e2e *], server: other, project: acme/web}}")
    assert (sealed["required"], sealed["server"], sealed["project"]) == (["e2e *"], "other", "acme/web")
    assert gated("{ci: [e2e *]}")["required"] == ["e2e *"]


@pytest.mark.parametrize(
    ("commit", "ref", "meant"),
    [(SHA, "v2", SHA), ("", SHA[:7], SHA[:7]), (SHA, "abcdef1", SHA), ("main", SHA, SHA), ("", "v2", ""), ("", "", "")],
)
def test_the_commit_is_the_images_own_or_the_one_that_was_asked_for(commit: str, ref: str, meant: str) -> None:
    """What is no commit is none."""
    assert commit_of(artifact(commit=commit, ref=ref)) == meant


def test_a_plan_without_a_commit_is_refused_with_what_to_do() -> None:
    """Before anybody is asked to approve it."""
    with pytest.raises(UsageError) as caught:
        gated("ci", artifact())
    assert str(caught.value) == (
        "The gate 'ci' (r.yaml:5) asks for the checks of a commit, and nobody knows the commit of `v2`: its image "
        "has no label org.opencontainers.image.revision, and the name is no commit. Build the image with '--label "
        "org.opencontainers.image.revision=$(git rev-parse HEAD)', or release it by its commit."
    )


def test_a_gate_without_a_server_is_refused() -> None:
    """It never passes silently."""
    with pytest.raises(UsageError, match="asks a CI server, and the service has none"):
        gated("ci", place=None)


def test_only_runbooks_that_ask_need_a_server() -> None:
    """A service without CI can be released by the others. An environment may ask as well."""
    assert asks_ci(with_gate("ci"))
    assert not asks_ci(with_gate("image"))
    assert asks_ci(with_gate("image"), with_gate("ci").gates)
