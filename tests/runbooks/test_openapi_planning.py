"""The key `openapi` of a service, and what a plan seals of it for the gate compatibility."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import UsageError
from bot.domain.json import Json
from bot.domain.plan import Artifact
from runbooks.configuration import load
from runbooks.openapi_planning import ApiFacts, api_facts
from runbooks.openapi_source import OpenApi
from runbooks.planner import make_plan
from runbooks.source import Faults
from tests.builders import a_plan, a_request
from tests.runbooks.catalogues import CATALOGUE, a_catalogue, written
from tests.runbooks.runbook_files import RUNBOOK, a_runbook
from tests.runbooks.test_planner import the_facts

SHA = "9f2c1e7" + "0" * 33
FILE = OpenApi(file="api/openapi.yaml")
FACTS = ApiFacts("api", FILE, "github.com/acme/api", ("github.com",), {"web": ">=1"})
BUILT = replace(a_plan().artifact, commit=SHA)
ATTACHED: dict[str, Any] = {"attached": True, "file": None, "label": None}


def gated(gate: str, facts: ApiFacts, artifact: Artifact = BUILT) -> dict[str, Json]:
    """The sealed parameters of the gate."""
    runbook = a_runbook(RUNBOOK.replace("gates: [image]", f"gates: [{gate}]"))
    plan = make_plan(a_request(), runbook, replace(the_facts(protected=False), artifact=artifact, api=facts))
    return dict(plan.gates[0].params)


def refused(facts: ApiFacts, artifact: Artifact = BUILT) -> str:
    """Why nothing is planned."""
    with pytest.raises(UsageError) as caught:
        gated("compatibility", facts, artifact)
    return str(caught.value)


def test_the_catalogue_says_where_documents_are_and_who_is_hit() -> None:
    """Whatever a runbook writes there itself."""
    assert gated("compatibility", FACTS) == {
        "breaks": "refuse",
        "openapi": {"attached": None, "file": "api/openapi.yaml", "label": None},
        "repository": "github.com/acme/api",
        "needed_by": {"web": ">=1"},
    }
    own = gated("{compatibility: {breaks: vote, openapi: {attached: true}, needed_by: {shop: proven}}}", FACTS)
    assert own == {**gated("compatibility: vote", FACTS)}
    assert own["breaks"] == "vote"


def test_what_is_attached_needs_no_repository() -> None:
    """And no commit."""
    facts = ApiFacts("api", OpenApi(attached=True))
    assert gated("compatibility", facts, a_plan().artifact)["openapi"] == ATTACHED


def test_nothing_is_planned_without_a_place_for_documents() -> None:
    """The one who asked is told the lines that they may write."""
    said = refused(ApiFacts("api"))
    assert "The gate 'compatibility' (" in said
    assert ":5) does not know where the OpenAPI document of api is. Write it below the service" in said
    for line in ("openapi: {attached: true}", "openapi: {file: api/openapi.yaml}", "openapi: {label: …}"):
        assert line in said


@pytest.mark.parametrize("openapi", [FILE, OpenApi(label="test.api")])
def test_a_document_in_a_repository_needs_it_its_server_and_the_commit(openapi: OpenApi) -> None:
    """Each with what to write."""
    facts = replace(FACTS, openapi=openapi)
    assert "of api, which has none. Write it below the service, such as 'repository:" in refused(
        replace(facts, repository="")
    )
    unknown = refused(replace(facts, repository="git.other.test/acme/api"))
    assert "no CI server of the catalogue keeps git.other.test/acme/api; known hosts: github.com. Write one" in unknown
    assert "known hosts: none" in refused(replace(facts, hosts=()))
    nameless = refused(facts, a_plan().artifact)
    assert "nobody knows the commit of `v2`" in nameless
    assert "--label org.opencontainers.image.revision" in nameless
    assert gated("compatibility", facts, replace(a_plan().artifact, ref=SHA[:9]))


SERVERS = """\
ci:
  main: {github: {token_file: /run/secrets/github}}
  builds: {jenkins: {url: https://ci.acme.test, username: sluice, token_file: /run/secrets/jenkins}}
"""


def with_openapi(written_so: str) -> str:
    """The catalogue where api says so."""
    return SERVERS + CATALOGUE.replace(
        "    workload: deployment/api\n", f"    openapi: {written_so}\n    workload: deployment/api\n"
    )


def test_facts_are_the_catalogues() -> None:
    """Only servers that keep repositories can be asked for files."""
    facts = api_facts(a_catalogue(with_openapi("{file: api/openapi.yaml}")), "api")
    assert facts == ApiFacts("api", FILE, "github.com/acme/api", ("github.com",), {})
    assert api_facts(a_catalogue(), "web") == ApiFacts("web")


@pytest.mark.parametrize(
    ("written_so", "said"),
    [
        ("{}", "write exactly one of 'attached: true', 'file: api/openapi.yaml' and 'label: …'"),
        ("{attached: true, file: openapi.yaml}", "write exactly one of"),
        ("{attached: false}", "openapi.attached cannot be 'False'"),
        ("{file: ../openapi.yaml}", "'../openapi.yaml' is not a path inside a repository, such as api/openapi.yaml"),
        ("{file: /openapi.yaml}", "is not a path inside a repository"),
        ("{label: ''}", "label"),
        ("{path: openapi.yaml}", "path"),
    ],
)
def test_a_wrong_place_is_a_fault_of_the_catalogue(written_so: str, said: str, tmp_path: Path) -> None:
    """With its line."""
    with pytest.raises(Faults) as caught:
        load(written(tmp_path, with_openapi(written_so)))
    assert said in str(caught.value)
    assert "sluice.yaml:" in str(caught.value)
