"""Queries for Datadog and New Relic: one word is enough there, too."""

import json

import pytest
from inline_snapshot import snapshot

from bot.domain.errors import UsageError
from bot.domain.json import canonical
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.metrics import ERRORS, Arm, Arms, PodUsage, Proof, SignalQueries
from runbooks.asking import common_beginning
from runbooks.metrics_providers import ProviderEntry
from runbooks.signals import resolve
from tests.fakes.clock import START
from tests.runbooks.test_signals import API, written

KEYS = {"api_key_file": "a", "application_key_file": "b"}
DATADOG = ProviderEntry.model_validate({"datadog": KEYS})
NEW_RELIC = ProviderEntry.model_validate({"newrelic": {"account": 12, "api_key_file": "a"}})
PROMETHEUS = ProviderEntry.model_validate({"prometheus": {"url": "http://prometheus.test"}})


def queries(entry: ProviderEntry, signals: object = "http", *, workload: WorkloadRef = API) -> SignalQueries:
    """The queries of those signals for `deployment/api in prod`."""
    return resolve(written(signals), workload, "main", entry)


def texts(entry: ProviderEntry, signals: object = "http") -> dict[str, str]:
    """The queries by signal."""
    return {name: query.text for name, query in queries(entry, signals).signals.items()}


def test_datadog_is_asked_for_counts_of_each_pod() -> None:
    """The histogram's infinite edge is the count of all requests; CPU is the kubelet's, in cores."""
    assert texts(DATADOG) == snapshot(
        {
            "errors": "sum:http_requests.count{kube_namespace:prod AND pod_name:api-*} by {pod_name,code,status}"
            ".as_count().rollup(sum)",
            "latency": "sum:http_request_duration_seconds.bucket{kube_namespace:prod AND pod_name:api-*}"
            " by {pod_name,upper_bound}.as_count().rollup(sum), sum:http_request_duration_seconds.count"
            "{kube_namespace:prod AND pod_name:api-*} by {pod_name}.as_count().rollup(sum)",
            "cpu": "sum:kubernetes.cpu.usage.total{kube_namespace:prod AND pod_name:api-*} by {pod_name}"
            ".rollup(avg) / 1000000000",
        }
    )


def test_what_the_agent_puts_before_names_is_said_once() -> None:
    """For all services; a service may be called like its metrics."""
    entry = ProviderEntry.model_validate({"datadog": {**KEYS, "prefix": "acme.{service}"}})
    assert "sum:acme.api.http_requests.count{" in texts(entry)["errors"]
    assert "sum:shop.calls.count{" in texts(entry, {"metrics": {"requests": "shop.calls.count"}})["errors"]


def test_a_mesh_is_measured_by_datadogs_integration() -> None:
    """Its arms are told by the workload."""
    asked = queries(DATADOG, "istio")
    scope = "destination_workload_namespace:prod AND reporter:destination AND destination_workload:api*"
    assert asked.requests.text.startswith(f"sum:istio.mesh.request.count{{{scope}}} by {{destination_workload,pod_name")
    assert asked.arms.of({"destination_workload": "api-canary"}) is Arm.CANARY
    assert asked.latency
    assert asked.latency.unit_s == 0.001


def test_further_conditions_are_datadogs_own() -> None:
    """In braces behind a metric, or as `match`."""
    for own, filters in (
        ("kind:rpc, !path:/health", "kind:rpc AND NOT path:/health"),
        ("kind IN (rpc, job)", "(kind IN (rpc, job))"),
    ):
        signals = {"metrics": {"requests": f"calls.count{{{own}}}"}, "match": {"region": "!=eu"}}
        scope = f"{{{filters} AND kube_namespace:prod AND NOT region:eu AND pod_name:api-*}}"
        assert f"sum:calls.count{scope} by" in texts(DATADOG, signals)["errors"]


def test_new_relic_is_asked_for_counts_of_each_pod() -> None:
    """Prometheus's names stay as they are; failed requests are told by a filter."""
    assert texts(NEW_RELIC) == snapshot(
        {
            "errors": "SELECT count(*) AS 'seen', filter(sum(`http_requests_total`), WHERE code IS NULL AND status IS"
            " NULL) AS 'uncoded', filter(sum(`http_requests_total`), WHERE code RLIKE r'5..' OR status RLIKE r'5..') AS"
            " 'code=failed', filter(sum(`http_requests_total`), WHERE code IS NOT NULL OR status IS NOT NULL) -"
            " filter(sum(`http_requests_total`), WHERE code RLIKE r'5..' OR status RLIKE r'5..') AS 'code=answered'"
            " FROM Metric WHERE metricName = 'http_requests_total' AND namespace = 'prod' AND pod LIKE 'api-%'"
            " FACET pod LIMIT MAX",
            "latency": "SELECT count(*) AS 'seen', sum(`http_request_duration_seconds_bucket`) AS 'count' FROM Metric"
            " WHERE metricName = 'http_request_duration_seconds_bucket' AND namespace = 'prod' AND pod LIKE 'api-%' AND"
            " le IS NOT NULL FACET pod, le LIMIT MAX",
            "cpu": "SELECT count(*) AS 'seen', average(cpuUsedCores) AS 'level' FROM K8sContainerSample WHERE"
            " namespaceName = 'prod' AND podName LIKE 'api-%' FACET podName AS 'pod', containerName LIMIT MAX",
        }
    )


def test_requests_below_any_duration_are_counted_in_events() -> None:
    """So the bounds are the service's choice; what an agent calls an error has failed."""
    signals = {"preset": "transactions", "match": {"appName": "shop ({namespace})"}, "bounds": [0.1, 0.5]}
    asked = texts(NEW_RELIC, signals)
    assert asked["latency"] == snapshot(
        "SELECT count(*) AS 'seen', filter(count(*), WHERE duration <= 0.1) AS 'le=0.1', filter(count(*), WHERE"
        " duration <= 0.5) AS 'le=0.5', count(*) AS 'le=+Inf' FROM Transaction WHERE appName = 'shop (prod)' AND"
        " host LIKE 'api-%' FACET host LIMIT MAX"
    )
    assert "WHERE error IS TRUE OR httpResponseCode RLIKE r'5..' OR" in asked["errors"]
    usual = queries(NEW_RELIC, {**signals, "bounds": []}).latency
    assert usual
    assert len(usual.bounds) == 11


@pytest.mark.parametrize(
    ("written_as", "asked"),
    [
        ("eu", "region = 'eu'"),
        ("!=eu", "region != 'eu'"),
        ("=~eu|us", "region RLIKE r'eu|us'"),
        ("!~eu.*", "region NOT RLIKE r'eu.*'"),
        ("=~{name}|{namespace}", "region RLIKE r'api|prod'"),
        ("o'hare", "region = 'o\\'hare'"),
    ],
)
def test_conditions_become_nrql(written_as: str, asked: str) -> None:
    """With what would end a text early escaped."""
    assert f" AND {asked} AND " in texts(NEW_RELIC, {"match": {"region": written_as}})["errors"]


def test_names_may_be_new_relics_own() -> None:
    """Attributes with dots are quoted, conditions stand in braces, and a counter of seconds is a rate."""
    signals = {
        "metrics": {"requests": "calls{kind = 'rpc'}", "latency": None, "cpu": "process_cpu_seconds_total"},
        "labels": {"pod": "k8s.podName", "namespace": "k8s.namespaceName"},
    }
    asked = texts(NEW_RELIC, signals)
    where = "metricName = 'calls' AND (kind = 'rpc') AND `k8s.namespaceName` = 'prod' AND `k8s.podName` LIKE 'api-%'"
    assert f"WHERE {where} FACET `k8s.podName` LIMIT MAX" in asked["errors"]
    assert "rate(sum(`process_cpu_seconds_total`), 1 SECOND) AS 'level'" in asked["cpu"]


@pytest.mark.parametrize("entry", [PROMETHEUS, DATADOG, NEW_RELIC])
def test_cpu_may_come_from_the_cluster(entry: ProviderEntry) -> None:
    """Beside whatever measures the rest."""
    (gauge,) = queries(entry, {"cpu": "kubernetes"}).gauges
    assert gauge.usage
    assert (gauge.name, gauge.usage.cluster, gauge.usage.namespace) == ("cpu", "main", "prod")
    assert gauge.usage.stable == queries(entry).arms.stable


@pytest.mark.parametrize("entry", [DATADOG, NEW_RELIC])
def test_they_can_be_sealed(entry: ProviderEntry) -> None:
    """With the cluster's part, and the moment from which counts are added up."""
    for signals in ("http", "grpc", "istio", {"preset": "http", "cpu": "kubernetes"}):
        one = queries(entry, signals).proven([Proof(ERRORS, "", "", counted_from=START)])
        assert one.counted_from == START
        assert SignalQueries.unsealed(json.loads(canonical(one))) == one


def test_what_was_sealed_before_reads_back() -> None:
    """A plan may be older than the fields for servers that count."""
    one = queries(PROMETHEUS)
    sealed = json.loads(canonical(one))
    del sealed["counted_from"], sealed["requests"]["sparse"], sealed["latency"]["label"], sealed["gauges"][0]["usage"]
    assert SignalQueries.unsealed(sealed) == one


@pytest.mark.parametrize(
    ("canary", "stable", "baseline", "beginning"),
    [
        ("api-canary-[b-d]{1,9}", "api-[b-d]{1,9}", "", "api-"),
        ("api[.]v2-x", "api[.]v2-y", "", "api.v2-"),
        ("api-canary", "api", "api-base", "api"),
        ("a|b", "a", "", ""),
        ("api-x", "", "", ""),
        ("api*", "apix", "", "ap"),
    ],
)
def test_arms_begin_alike(canary: str, stable: str, baseline: str, beginning: str) -> None:
    """For languages without regular expressions; what is unsure is not asked for."""
    assert common_beginning(Arms("pod", canary, stable, baseline)) == beginning


def test_a_gateway_has_no_pods_of_the_service() -> None:
    """So their CPU cannot be put beside its requests."""
    with pytest.raises(UsageError, match="counted elsewhere, at the gateway; leave out 'cpu: kubernetes'"):
        queries(PROMETHEUS, {"preset": "ingress-nginx", "cpu": "kubernetes"})
    mesh = queries(PROMETHEUS, {"preset": "istio", "cpu": "kubernetes"})
    assert mesh.gauges[0].usage == PodUsage("main", "prod", queries(PROMETHEUS).arms.stable)


def test_other_kinds_of_workloads_are_found() -> None:
    """Their names begin alike, too."""
    workload = WorkloadRef("main", "prod", WorkloadKind.STATEFULSET, "db")
    assert "pod_name:db-*" in queries(DATADOG, workload=workload).requests.text
