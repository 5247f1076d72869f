"""What gates ask for, read off a catalogue."""

import pytest

from bot.sandbox.asked_gates import checks, version_for
from bot.sandbox.rehearsed_ci import project_of
from runbooks.ci_servers import CiPlace


@pytest.mark.parametrize(
    ("needs", "version"),
    [
        ((">=1.4,<2",), "1.4"),
        (("==1.*",), "1"),
        ((">2",), "2.1"),
        (("~=1.4.2", "!=1.4.2"), "1.4.2.1"),
        (("<2",), "1.0"),
        (("===strange",), ""),
        ((">=2", "<1"), ""),
    ],
)
def test_a_version_is_found_that_everybody_can_work_with(needs: tuple[str, ...], version: str) -> None:
    """Out of those that their needs name, and a little above; empty where there is none."""
    assert version_for(needs) == version


def test_a_gate_asks_for_its_own_checks_before_those_of_the_service() -> None:
    """And in its own project; without either, the service's."""
    place = CiPlace("main", "acme/api", ("build",))
    assert checks({}, place) == ("acme/api", ("build",))
    assert checks({"required": ["e2e *"], "project": "acme/e2e"}, place) == ("acme/e2e", ("e2e *",))
    assert checks({}, None) == ("", ())


@pytest.mark.parametrize(
    ("project", "kept_as"),
    [
        ("acme/api", "acme/api"),
        ("acme/teams/api", "acme-teams/api"),
        ("api builds", "projects/api-builds"),
        ("My Project/x%20y", "My-Project/x-20y"),
    ],
)
def test_every_project_has_a_name_that_github_takes(project: str, kept_as: str) -> None:
    """Groups within groups, folders of Jenkins, projects of Azure DevOps."""
    assert project_of(project) == kept_as
