"""What a service's signals mean, from one word to all of them."""

import json
from typing import Any

import pytest

from bot.domain.errors import UnreadableError, UsageError
from bot.domain.json import canonical
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.metrics import Arm, SignalQueries
from runbooks.catalogue import ServiceEntry
from runbooks.metrics_providers import ProviderEntry
from runbooks.signals import Signals, resolve

API = WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "api")
PROVIDER = ProviderEntry.model_validate({"prometheus": {"url": "http://prometheus.test"}})
STABLE, CANARY, BASELINE = (f"api{which}-7d9f8b6c5-x2bcd" for which in ("", "-canary", "-baseline"))


def written(signals: object) -> Signals:
    """Signals as a service writes them."""
    service = {"image": "ghcr.io/acme/api", "workload": "deployment/api", "channel": "x", "signals": signals}
    found = ServiceEntry.model_validate(service).signals
    assert found is not None
    return found


def queries(signals: object = "http", *, fresh: bool = False) -> SignalQueries:
    """The queries of those signals for `deployment/api in prod`."""
    return resolve(written(signals), API, "main", PROVIDER, fresh_baseline=fresh)


def texts(signals: object) -> dict[str, str]:
    """The queries by signal."""
    return {name: query.text for name, query in queries(signals).signals.items()}


@pytest.mark.parametrize("preset", ["http", "grpc", "istio", "ingress-nginx", "gateway"])
def test_one_word_is_enough(preset: str) -> None:
    """And says the same as the long form."""
    assert queries(preset) == queries({"preset": preset})
    assert list(queries(preset).signals)[:2] == ["errors", "latency"]


def test_queries_can_be_sealed() -> None:
    """Into a plan's canonical JSON and back, without loss."""
    for preset in ("http", "grpc", "istio", "ingress-nginx", "gateway"):
        one = queries({"preset": preset, "bounds": [0.1, 0.5]})
        assert SignalQueries.unsealed(json.loads(canonical(one))) == one
        assert canonical(one.sealed()) == canonical(one)
    with pytest.raises(UnreadableError, match="not the queries of a plan"):
        SignalQueries.unsealed({"provider": "main"})


def test_the_name_of_a_pod_tells_its_arm() -> None:
    """Stable is the baseline; fresh pods of the old version are, when asked for."""
    arms, fresh = queries().arms, queries(fresh=True).arms
    assert [arms.of({"pod": pod}) for pod in (STABLE, CANARY, BASELINE)] == [Arm.BASELINE, Arm.CANARY, None]
    assert [fresh.of({"pod": pod}) for pod in (STABLE, CANARY, BASELINE)] == [None, Arm.CANARY, Arm.BASELINE]
    assert [fresh.is_stable({"pod": pod}) for pod in (STABLE, CANARY, BASELINE)] == [True, False, False]
    assert BASELINE.split("-")[1] in queries(fresh=True).requests.text


@pytest.mark.parametrize(
    ("preset", "canary", "stable", "other", "pods"),
    [
        ("istio", {"destination_workload": "api-canary", "pod": "c"}, {"destination_workload": "api", "pod": "s"},
         {"destination_workload": "api-canary-worker"}, ("c", "s")),
        ("istio", {"destination_workload": "api-canary"}, {"destination_workload": "api"},
         {}, ("api-canary", "api")),
        ("ingress-nginx", {"canary": "prod-api-canary-http", "controller_pod": "n"}, {"controller_pod": "n"},
         {"canary": "prod-api-worker-http"}, ("n", "n")),
        ("ingress-nginx", {"canary": "prod-api-canary-8080"}, {"canary": ""},
         {"canary": "staging-api-canary-8080"}, ("prod-api-canary-8080", "baseline")),
        ("gateway", {"envoy_cluster_name": "httproute/prod/api/rule/0/backend/1"},
         {"envoy_cluster_name": "httproute/prod/api/rule/0/backend/0"},
         {"envoy_cluster_name": "httproute/prod/api/rule/0"},
         ("httproute/prod/api/rule/0/backend/1", "httproute/prod/api/rule/0/backend/0")),
    ],
)  # fmt: skip
def test_a_label_may_tell_the_arm(
    preset: str, canary: dict[str, str], stable: dict[str, str], other: dict[str, str], pods: tuple[str, str]
) -> None:
    """The proxy that counted names the pod; without it the whole arm is one."""
    arms = queries(preset).arms
    assert [arms.of(labels) for labels in (canary, stable, other)] == [Arm.CANARY, Arm.BASELINE, None]
    assert (arms.name_of(canary, Arm.CANARY), arms.name_of(stable, Arm.BASELINE)) == pods


@pytest.mark.parametrize(
    ("preset", "failed", "answered"),
    [
        ("http", [{"code": "500"}, {"status": "503"}, {"status": "5xx"}], [{"code": "200"}, {"code": "404"}, {}]),
        ("grpc", [{"grpc_code": "Internal"}, {"grpc_code": "DEADLINE_EXCEEDED"}, {"grpc_code": "DataLoss"}],
         [{"grpc_code": "OK"}, {"grpc_code": "NotFound"}, {"grpc_code": "ResourceExhausted"}]),
        ("istio", [{"response_code": "502"}], [{"response_code": "0"}, {"response_code": "200"}]),
        ("ingress-nginx", [{"status": "504"}], [{"status": "499"}]),
        ("gateway", [{"envoy_response_code": "503"}], [{"envoy_response_code": "302"}]),
    ],
)  # fmt: skip
def test_a_preset_knows_what_failed(preset: str, failed: list[dict[str, str]], answered: list[dict[str, str]]) -> None:
    """The server's failures, not its callers'."""
    requests = queries(preset).requests
    assert all(requests.is_bad(labels) for labels in failed)
    assert not any(requests.is_bad(labels) for labels in answered)


@pytest.mark.parametrize(
    ("preset", "parts"),
    [
        ("http", ['sum by (pod, code, status) (http_requests_total{namespace="prod", pod=~"api-']),
        ("grpc", ['sum by (pod, grpc_code) (grpc_server_handled_total{namespace="prod"',
                  "grpc_server_handling_seconds"]),
        ("istio", ['{destination_workload_namespace="prod", reporter="destination", ',
                   'destination_workload=~"api|api-canary"}',
                   "sum by (destination_workload, pod, le) (istio_request_duration_milliseconds_bucket{"]),
        ("ingress-nginx", ['{namespace="prod", service="api", canary=~"|prod-api-canary-.+"}',
                           "sum by (canary, controller_pod, status) (nginx_ingress_controller_requests{",
                           "nginx_ingress_controller_request_duration_seconds_bucket{"]),
        ("gateway", ['envoy_cluster_upstream_rq{envoy_cluster_name=~"httproute/prod/api/rule/[0-9]+/backend/0|',
                     "envoy_cluster_upstream_rq_time_bucket{"]),
    ],
)  # fmt: skip
def test_a_preset_asks_in_its_own_words(preset: str, parts: list[str]) -> None:
    """The names are those of the projects' own documents and sources."""
    asked = "\n".join(texts(preset).values())
    assert [part for part in parts if part not in asked] == []


def test_meshes_count_milliseconds() -> None:
    """Bounds are seconds all the same."""
    units = {preset: queries(preset).latency for preset in ("http", "istio", "gateway")}
    assert {preset: latency and latency.unit_s for preset, latency in units.items()} == {
        "http": 1.0,
        "istio": 0.001,
        "gateway": 0.001,
    }
    seconds = queries({"preset": "istio", "latency_unit": "s"}).latency
    assert seconds
    assert seconds.unit_s == 1.0


def test_everything_can_be_called_otherwise() -> None:
    """Metrics, labels, codes, further matchers, interval."""
    one = queries(
        {
            "metrics": {"requests": 'calls_total{kind="rpc"}', "latency": "calls_seconds_bucket"},
            "labels": {"pod": "kubernetes_pod", "namespace": "ns", "code": ["result", "class"]},
            "errors": "failed|5xx",
            "match": {"cluster": "eu", "path": "!~/health.*"},
            "interval": "30s",
            "bounds": [0.1, 1],
        }
    )
    assert (one.provider, one.interval.total_seconds(), one.requests.bad) == ("main", 30, "failed|5xx")
    assert one.requests.metric == "calls_total"
    start = (
        'sum by (kubernetes_pod, result, class) (calls_total{kind="rpc", ns="prod", cluster="eu", path!~"/health.*", '
    )
    assert one.requests.text.startswith(start)
    assert one.latency
    assert (one.latency.metric, one.latency.bounds) == ("calls_seconds_bucket", (0.1, 1.0))
    assert one.gauges[0].text.endswith("[120s]))")


def test_null_leaves_a_signal_or_a_label_out() -> None:
    """It is a choice that is written down, not a default."""
    one = queries({"metrics": {"latency": None, "cpu": None}, "labels": {"namespace": None}})
    assert list(one.signals) == ["errors"]
    assert "namespace" not in one.requests.text


def test_services_and_routes_may_be_called_otherwise() -> None:
    """Than the workload."""
    assert 'service="web"' in texts({"preset": "ingress-nginx", "service": "web"})["errors"]
    assert "prod-web-canary-.+" in texts({"preset": "ingress-nginx", "service": "web"})["errors"]
    assert "httproute/prod/shop/rule" in texts({"preset": "gateway", "route": "shop"})["errors"]


def test_arms_of_ones_own() -> None:
    """Any label that tells them apart will do; names are filled in as they are."""
    arms = {"label": "version", "canary": "{name}-next.*", "stable": "{name}-now", "baseline": "{name}-base"}
    workload = WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "api.v2")
    told = resolve(written({"arms": arms}), workload, "main", PROVIDER, fresh_baseline=True).arms
    assert (told.canary, told.stable, told.baseline) == ("api[.]v2-next.*", "api[.]v2-now", "api[.]v2-base")
    assert told.labels == ("version", "pod")


def test_fresh_baseline_pods_must_be_told_apart() -> None:
    """Where a gateway cannot, stable is compared with."""
    with pytest.raises(UsageError, match="cannot be told apart by the label 'envoy_cluster_name'; compare with stable"):
        queries("gateway", fresh=True)


@pytest.mark.parametrize(("kind", "pod"), [(WorkloadKind.STATEFULSET, "db-0"), (WorkloadKind.DAEMONSET, "db-x2bcd")])
def test_other_kinds_of_workloads_have_other_pods(kind: WorkloadKind, pod: str) -> None:
    """Their canary is a Deployment all the same."""
    arms = resolve(written("http"), WorkloadRef("main", "prod", kind, "db"), "main", PROVIDER).arms
    assert arms.of({"pod": pod}) is Arm.BASELINE
    assert arms.of({"pod": "db-canary-7d9f8b6c5-x2bcd"}) is Arm.CANARY


def test_margins_and_guards_come_with_the_signals() -> None:
    """The presets are those that simulation has found."""
    signals = written({"guards": ["p95 < 300ms"], "margins": {"error_ni": 3, "error_floor": "0.1%", "warmup": "30s"}})
    assert [guard.text for guard in signals.guards] == ["p95 < 300ms"]
    margins: dict[str, Any] = signals.margins.model_dump(mode="json")
    assert margins == {
        "error_tolerance": 1.1,
        "error_ni": 3.0,
        "error_floor": 0.001,
        "error_ni_floor": 0.005,
        "quantile": 0.95,
        "latency_tolerance": 1.05,
        "latency_ni": 1.25,
        "cpu_tolerance": 1.15,
        "cpu_ni": 1.5,
        "alpha": 0.01,
        "beta": 0.05,
        "warmup": "30s",
        "min_bake": "5m",
    }
    assert signals.model_dump(mode="json")["guards"] == ["p95 < 300ms"]
