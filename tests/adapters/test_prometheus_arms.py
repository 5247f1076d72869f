"""What a Prometheus must be able to tell of canary and baseline before they are compared."""

import httpx
import pytest

from bot.ports.metrics import CPU, ERRORS, LATENCY
from tests.adapters.prometheus_server import PrometheusServer
from tests.adapters.prometheus_world import QUERIES, after, asking
from tests.contracts.canaries import queries_of


async def test_an_interval_that_is_not_the_servers_is_found_out() -> None:
    """At 15 s steps a scrape each minute would look like pods that come and go."""
    server = PrometheusServer()
    for second in range(0, 200, 5):
        server.add("http_requests_total", after(second), second, pod="api-7d9f8b6c5-bbbbb", code="200")
    async with asking(server) as metrics:
        proof, *_ = await metrics.prove(QUERIES, after(199))
    assert proof.problem == "the pods are scraped every 5 s, not every 1 s; set interval: 5s"


@pytest.mark.parametrize(
    ("edges", "problem"),
    [
        (("0.1", "0.5"), 'the histogram has no bucket le="+Inf", so slow requests are not counted'),
        (("0.1", "+Inf"), "the histogram has only one bucket besides +Inf, which says next to nothing about latency"),
        (("0.1", "0.5", "+Inf"), ""),
    ],
)
async def test_a_histogram_must_say_something(edges: tuple[str, ...], problem: str) -> None:
    """Else the plan fails, not the release."""
    server = PrometheusServer()
    for edge in edges:
        server.add("http_request_duration_seconds_bucket", after(5), 7, pod="api-7d9f8b6c5-bbbbb", le=edge)
    async with asking(server) as metrics:
        proofs = await metrics.prove(queries_of("api"), after(6))
    assert [proof.problem for proof in proofs if proof.signal == LATENCY] == [problem]


@pytest.mark.parametrize(
    ("other", "bounds", "problem"),
    [
        (("0.1", "0.3", "+Inf"), (0.1,), "the histogram has only one bucket besides +Inf"),
        (("0.2", "0.3"), (), "the pods have no bucket in common, so they cannot be compared"),
    ],
)
async def test_only_what_pods_have_in_common_is_compared(
    other: tuple[str, ...], bounds: tuple[float, ...], problem: str
) -> None:
    """Two versions may have other buckets."""
    server = PrometheusServer()
    for pod, edges in (("bbbbb", ("0.1", "0.5", "+Inf")), ("ccccc", other)):
        for edge in edges:
            server.add("http_request_duration_seconds_bucket", after(5), 7, pod=f"api-7d9f8b6c5-{pod}", le=edge)
    async with asking(server) as metrics:
        proofs = await metrics.prove(queries_of("api"), after(6))
    (proof,) = [proof for proof in proofs if proof.signal == LATENCY]
    assert proof.bounds == bounds
    assert problem in proof.problem


async def test_a_missing_metric_is_told_without_names_too() -> None:
    """Where the server does not tell which metrics there are, the suggestion is left out."""
    server = PrometheusServer()
    server.rewrite = lambda answer: answer if answer.json()["data"] != [] else httpx.Response(403)
    async with asking(server) as metrics:
        proofs = await metrics.prove(QUERIES, after(6))
    assert [proof.signal for proof in proofs] == [ERRORS, LATENCY, CPU]
    assert proofs[0].problem == ("there is no metric 'http_requests_total'; check its name and that it is scraped")


async def test_a_mesh_tells_the_arms_by_their_workloads() -> None:
    """Each sidecar is a pod; its milliseconds come as they are counted, under bounds in seconds."""
    server = PrometheusServer()
    shared = {"reporter": "destination", "destination_workload_namespace": "prod"}
    for second in range(12):
        for workload, proxy in (("api", "s1"), ("api", "s2"), ("api-canary", "c1")):
            labels = {**shared, "destination_workload": workload, "pod": proxy}
            server.add("istio_requests_total", after(second), 10 * second, response_code="200", **labels)
            for edge, count in (("25", 4), ("100", 9), ("+Inf", 10)):
                name = "istio_request_duration_milliseconds_bucket"
                server.add(name, after(second), count * second, le=edge, **labels)
    written = queries_of("api", preset="istio", labels={"namespace": "destination_workload_namespace"})
    async with asking(server) as metrics:
        queries = written.proven(await metrics.prove(written, after(10)))
        (reading,) = await metrics.read(queries, after(9), after(10.5))
    assert queries.latency
    assert queries.latency.bounds == (0.025, 0.1)
    assert (sorted(reading.canary), sorted(reading.baseline), reading.lacks) == (["c1"], ["s1", "s2"], ())
    assert (reading.canary["c1"].requests, reading.canary["c1"].buckets) == (100, (40, 90, 100))


async def test_a_gateway_tells_the_canary_by_a_label_of_its_own() -> None:
    """The same controller counts both arms; without its name each arm is one pod."""
    server = PrometheusServer()
    shared = {"namespace": "prod", "service": "api"}
    for proxy in ("n1", "n2"):
        server.add("nginx_ingress_controller_requests", after(5), 7, status="200", controller_pod=proxy, **shared)
        went = {"controller_pod": proxy, "canary": "prod-api-canary-80", **shared}
        server.add("nginx_ingress_controller_requests", after(5), 3, status="502", **went)
    signals = {"preset": "ingress-nginx", "metrics": {"latency": None}}
    both = queries_of("api", **signals, labels={"namespace": "namespace"})
    alone = queries_of("api", **signals, labels={"namespace": "namespace", "pod": None})
    async with asking(server) as metrics:
        (apart,) = await metrics.read(both, after(4), after(5.5))
        (together,) = await metrics.read(alone, after(4), after(5.5))
        proof, *_ = await metrics.prove(both, after(6))
        server.add("nginx_ingress_controller_requests", after(6), 7, status="200", **shared)
        unnamed, *_ = await metrics.prove(queries_of("api", **signals, labels={"pod": "proxy"}), after(6))
    assert (sorted(apart.canary), sorted(apart.baseline)) == (["n1", "n2"], ["n1", "n2"])
    assert (apart.canary["n1"].requests, apart.canary["n1"].errors) == (3, 3)
    assert {name: sample.requests for name, sample in together.canary.items()} == {"prod-api-canary-80": 6}
    assert {name: sample.requests for name, sample in together.baseline.items()} == {"baseline": 14}
    assert proof.usable
    assert unnamed.usable
    assert unnamed.found == "2 series without the label 'proxy': the arm counts as one pod"


async def test_a_gateway_that_counts_both_backends_as_one_is_found_out() -> None:
    """With what there is, and what to do about it."""
    server = PrometheusServer()
    name = "httproute/prod/api/rule/0"
    server.add("envoy_cluster_upstream_rq", after(5), 7, envoy_response_code="200", envoy_cluster_name=name)
    async with asking(server) as metrics:
        proof, *_ = await metrics.prove(queries_of("api", preset="gateway"), after(6))
    assert proof.problem == (
        "'envoy_cluster_upstream_rq' has no series whose envoy_cluster_name is like"
        " httproute/prod/api/rule/[0-9]+/backend/0; there are such as httproute/prod/api/rule/0;"
        " Envoy Gateway counts the backends of a rule apart only when one of its backendRefs has a filter"
    )
