"""Targets that are one workload, and targets whose runs would be named alike."""

from pathlib import Path
from textwrap import dedent

import pytest
from inline_snapshot import snapshot

from runbooks.configuration import load
from runbooks.source import Faults
from tests.runbooks.catalogues import written

DOORS = dedent(
    """\
    clusters:
      main: {}
    environments:
      prod:
        cluster: main
        namespace: prod
        protected: true
        approval: {from: "@release-approvers", count: 2}
      canary:
        cluster: main
        namespace: prod
    services:
      api: {image: acme.example/api, workload: deployment/api, channel: "#deploys"}
    """
)
APART = DOORS.replace("canary:\n    cluster: main\n    namespace: prod", "canary: {cluster: main, namespace: canary}")


def told(folder: Path, text: str) -> list[str]:
    """The faults of a catalogue; nothing when it is good."""
    try:
        load(written(folder, text))
    except Faults as exc:
        return str(exc).replace(f"{folder}/", "").splitlines()
    return []


def test_a_protected_workload_has_no_unprotected_door(tmp_path: Path) -> None:
    """Two environments mean one namespace, and only one of them asks people: the other would go round the votes."""
    assert told(tmp_path, DOORS) == snapshot(
        [
            "sluice.yaml:11:16: api/canary and api/prod are one workload (deployment/api in prod, cluster main), but "
            "'canary' asks nobody; 'prod' asks for 2 votes of @release-approvers; give 'canary' the 'protected' and "
            "'approval' of 'prod', or another workload or namespace"
        ]
    )


@pytest.mark.parametrize(
    "override", ["{namespace: prod}", "{namespace: prod, workload: deployment/api}"], ids=["namespace", "both"]
)
def test_an_override_is_a_door_too(tmp_path: Path, override: str) -> None:
    """A service's own namespace or workload in one environment may lead to what another environment protects."""
    own = f'channel: "#deploys", environments: {{canary: {override}}}}}'
    [fault] = told(tmp_path, APART.replace('channel: "#deploys"}', own))
    line = (APART.splitlines().index(next(row for row in APART.splitlines() if "api: {image" in row))) + 1
    assert fault.startswith(f"sluice.yaml:{line}:")
    assert "api/canary and api/prod are one workload" in fault


def test_one_cluster_of_two_names_is_one(tmp_path: Path) -> None:
    """Two entries that reach the same API server in the same way do not make two workloads of one."""
    twice = DOORS.replace("  main: {}", "  main: {}\n  other: {}").replace(
        "canary:\n    cluster: main", "canary:\n    cluster: other"
    )
    assert len(told(tmp_path, twice)) == 1
    assert told(tmp_path, twice.replace("other: {}", "other: {context: other}")) == []


@pytest.mark.parametrize(
    "weaker",
    [
        '{from: "@release-approvers", count: 1}',
        '{from: "@everybody", count: 2}',
        '{from: "@release-approvers", count: 2, break_glass: "@everybody"}',
    ],
    ids=["count", "group", "break_glass"],
)
def test_other_votes_are_another_door(tmp_path: Path, weaker: str) -> None:
    """One workload is asked for by one rule: fewer votes, other people or a glass to break are a way round it."""
    also = f"  canary:\n    cluster: main\n    namespace: prod\n    protected: true\n    approval: {weaker}\n"
    text = DOORS.replace("  canary:\n    cluster: main\n    namespace: prod\n", also)
    assert len(told(tmp_path, text)) == 1


def test_services_may_share_a_workload_under_one_rule(tmp_path: Path) -> None:
    """Two hundred services on one Deployment of one environment are asked for the same votes: no fault, and quick."""
    row = '  svc{}: {{image: acme.example/api, workload: deployment/api, channel: "#deploys"}}\n'
    assert told(tmp_path, APART + "".join(row.format(number) for number in range(200))) == []


def test_a_line_is_told_once(tmp_path: Path) -> None:
    """Every service of the environment goes through the same open door: one fault names it."""
    row = '  svc{}: {{image: acme.example/api, workload: deployment/api, channel: "#deploys"}}\n'
    assert len(told(tmp_path, DOORS + "".join(row.format(number) for number in range(20)))) == 1


def test_names_that_join_alike_are_refused(tmp_path: Path) -> None:
    """Runs are named `service-environment-number`: no two targets may give the same."""
    text = dedent(
        """\
        clusters:
          main: {}
        environments:
          eu: {cluster: main, namespace: staging}
          prod-eu: {cluster: main, namespace: prod}
        services:
          api: {image: acme.example/api, workload: deployment/api, channel: "#deploys"}
          api-prod: {image: acme.example/api, workload: deployment/web, channel: "#deploys"}
        """
    )
    assert told(tmp_path, text) == snapshot(
        [
            "sluice.yaml:8:3: the runs of api/prod-eu and of api-prod/eu would both be named api-prod-eu-1, "
            "api-prod-eu-2 and so on; rename a service ('api' or 'api-prod') or an environment ('prod-eu' or 'eu')"
        ]
    )
    assert told(tmp_path, text.replace("api-prod:", "web:")) == []
