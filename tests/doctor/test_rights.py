"""Least privilege: a catalogue asks for what its services need, and for nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.doctor.rights import RIGHTS, Need, Place, places, rights_of
from bot.doctor.roles import Account, roles, whole_role
from bot.domain.errors import UsageError
from runbooks.configuration import Configuration, load
from tests.runbooks.catalogues import written

CATALOGUE = """
clusters: {main: {}}
environments:
  staging: {cluster: main, namespace: staging}
  prod: {cluster: main, namespace: prod}
services:
  api:
    image: ghcr.io/acme/api
    workload: deployment/api
    channel: "#deploys"
"""
METRICS = "metrics: {main: {prometheus: {url: http://prometheus:9090}}}\n"
CANARIES = frozenset({Need.CANARY, Need.ROUTED, Need.GATEWAY_API, Need.ISTIO, Need.NGINX})
PLAIN = frozenset({Need.RELEASE, Need.DEPLOYMENT})


def configured(folder: Path, more: str = "", *, instead: tuple[str, str] = ("", "")) -> Configuration:
    """A small catalogue with more in it."""
    return load(written(folder, CATALOGUE.replace(*instead) + more))


def needs(found: Configuration, namespace: str = "prod", cluster: str = "main") -> frozenset[Need]:
    """What Sluice does in a namespace."""
    return places(found)[Place(cluster, namespace)]


def test_a_catalogue_without_canaries_gets_no_right_of_theirs(tmp_path: Path) -> None:
    """It may not make a Deployment, nor remove one."""
    found = configured(tmp_path)
    assert needs(found) == PLAIN
    verbs = {verb for right in rights_of(needs(found)) for verb in right.verbs}
    assert verbs == {"get", "list", "watch", "patch"}


@pytest.mark.parametrize(
    ("router", "more"),
    [
        ("gateway-api", {Need.ROUTED, Need.GATEWAY_API}),
        ("istio", {Need.ROUTED, Need.ISTIO}),
        ("nginx", {Need.ROUTED, Need.NGINX}),
        ("replicas", set()),
    ],
)
def test_only_the_router_that_is_there(tmp_path: Path, router: str, more: set[Need]) -> None:
    """Of four."""
    found = needs(configured(tmp_path, f"    traffic: {{router: {router}}}\n"))
    assert found & CANARIES == {Need.CANARY, *more}


def test_an_environment_may_have_another_way(tmp_path: Path) -> None:
    """Rights follow it, namespace by namespace."""
    traffic = "    environments: {prod: {traffic: {router: istio}}}\n"
    found = configured(tmp_path, traffic)
    assert Need.ISTIO in needs(found, "prod")
    assert needs(found, "staging") == PLAIN


def test_workloads_of_other_kinds(tmp_path: Path) -> None:
    """Only the kinds that are released."""
    found = needs(configured(tmp_path, instead=("deployment/api", "statefulset/api")))
    assert found == {Need.RELEASE, Need.STATEFULSET}


def test_services_of_one_namespace_add_up(tmp_path: Path) -> None:
    """Its Role is for all of them."""
    web = '  web: {image: ghcr.io/acme/web, workload: daemonset/web, channel: "#deploys"}\n'
    assert needs(configured(tmp_path, web)) == {*PLAIN, Need.DAEMONSET}


def test_jobs_where_a_runbook_has_some(tmp_path: Path) -> None:
    """Any runbook may be taken to any target with `--runbook`."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "migrate.yaml").write_text(
        "name: migrate\nabout: With a migration.\nsteps: [job: [migrate], set_image, rollout, smoke]\n"
    )
    assert Need.JOB in needs(configured(tmp_path, "runbooks_dir: runbooks\n"))


def test_usage_where_a_service_is_measured_by_it(tmp_path: Path) -> None:
    """Of the cluster's metrics API."""
    found = configured(tmp_path, "    signals: {preset: http, cpu: kubernetes}\n" + METRICS)
    assert needs(found) == {*PLAIN, Need.USAGE}


@pytest.mark.parametrize(("source", "read"), [("image", False), ("either", True), ("cluster", True)])
def test_reports_where_a_gate_reads_them(tmp_path: Path, source: str, read: bool) -> None:
    """In every environment of the service, though one alone has the gate: the scanner may have seen it in any."""
    gates = ("namespace: prod}", f"namespace: prod, gates: [vulnerabilities: {{source: {source}}}]}}")
    found = configured(tmp_path, instead=gates)
    assert [Need.SCANS in needs(found, each) for each in ("staging", "prod")] == [read, read]


# --- as YAML ---


def rules(role: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Group, resource and verbs of each rule."""
    return [(rule["apiGroups"][0], rule["resources"][0], tuple(rule["verbs"])) for rule in role["rules"]]


def test_the_whole_role_is_the_whole_table() -> None:
    """File and table agree: the file is this text."""
    role, binding = yaml.safe_load_all(whole_role())
    assert rules(role) == [(right.group, right.resource, right.verbs) for right in RIGHTS]
    assert (binding["kind"], binding["roleRef"]["name"]) == ("RoleBinding", role["metadata"]["name"])
    assert Path("deploy/kubernetes-role.yaml").read_text() == whole_role()


def test_each_namespace_has_its_role_and_binding(tmp_path: Path) -> None:
    """With exactly what is needed there, for the account that is named."""
    found = configured(tmp_path, "    environments: {prod: {traffic: {router: nginx}}}\n")
    text = roles(found, account=Account.parse("tools/releaser"))
    documents = list(yaml.safe_load_all(text))
    assert [(each["kind"], each["metadata"]["namespace"]) for each in documents] == [
        ("Role", "prod"),
        ("RoleBinding", "prod"),
        ("Role", "staging"),
        ("RoleBinding", "staging"),
    ]
    for role in documents[::2]:
        wanted = rights_of(needs(found, role["metadata"]["namespace"]))
        assert rules(role) == [(right.group, right.resource, right.verbs) for right in wanted]
    assert documents[1]["subjects"] == [{"kind": "ServiceAccount", "name": "releaser", "namespace": "tools"}]
    assert "# canaries with the router nginx: an Ingress of their own" in text


def test_one_namespace_alone(tmp_path: Path) -> None:
    """And a slip is named with what was meant."""
    found = configured(tmp_path)
    assert "staging" not in roles(found, account=Account(), namespace="prod")
    with pytest.raises(UsageError, match=r"'prd'; did you mean 'prod'\?"):
        roles(found, account=Account(), namespace="prd")


def test_clusters_one_at_a_time(tmp_path: Path) -> None:
    """What is piped to kubectl goes to one cluster: the other's rights have no business there."""
    two = ("prod: {cluster: main", "prod: {cluster: eu")
    text = CATALOGUE.replace(*two).replace("{main: {}}", "{main: {}, eu: {}}")
    found = load(written(tmp_path, text))
    with pytest.raises(UsageError, match=r"clusters eu, main, .* add --cluster"):
        roles(found, account=Account())
    only = list(yaml.safe_load_all(roles(found, account=Account(), cluster="eu")))
    assert [each["metadata"]["namespace"] for each in only] == ["prod", "prod"]
    with pytest.raises(UsageError, match="'us'"):
        roles(found, account=Account(), cluster="us")


@pytest.mark.parametrize("account", ["sluice", "/sluice", "sluice/", "a/b/c"])
def test_an_account_has_a_namespace_and_a_name(account: str) -> None:
    """How it is written comes with the refusal."""
    with pytest.raises(UsageError, match="sluice/sluice"):
        Account.parse(account)


@pytest.mark.parametrize("namespace", ["007", "on", "null"])
def test_a_namespace_that_yaml_would_read_as_something_else(tmp_path: Path, namespace: str) -> None:
    """It is a name all the same."""
    found = configured(tmp_path, instead=("namespace: prod", f'namespace: "{namespace}"'))
    documents = list(yaml.safe_load_all(roles(found, account=Account(), namespace=namespace)))
    assert [each["metadata"]["namespace"] for each in documents] == [namespace, namespace]


@pytest.mark.parametrize("written", ["sluice", "a/b/c", "A/b", "a/b\n  - kind: Group", "a b/c"])
def test_what_is_no_service_account_gets_no_rights(written: str) -> None:
    """Nor does what is written behind its name."""
    with pytest.raises(UsageError, match="is no service account"):
        Account.parse(written)
