"""What Prometheus is asked, and what becomes of its odd answers."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.metric_moments import MOST_STEPS
from bot.adapters.metrics_http import MOST_BYTES
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import AWAY_TOLD, Server
from bot.adapters.secret_source import HttpLogin
from bot.domain.errors import PermanentError, RefusedError, SetupError, UnreachableError, UnreadableError
from bot.ports.metrics import CPU, ERRORS, LATENCY, LackKind
from tests.adapters.prometheus_server import PrometheusServer
from tests.adapters.prometheus_world import CANARY, QUERIES, URL, after, asking, scraped
from tests.contracts.canaries import queries_of


def ok(result: object, **more: object) -> httpx.Response:
    """An answer that Prometheus might give."""
    return httpx.Response(200, json={"status": "success", "data": {"result": result}, **more})


async def test_a_look_is_one_request_for_each_signal() -> None:
    """By POST, as queries may be longer than an address."""
    server = scraped()
    async with asking(server) as metrics:
        await metrics.read(QUERIES, after(3), after(9))
    assert [(request.method, request.url.path) for request in server.requests] == [("POST", "/api/v1/query_range")] * 3
    forms = [parse_qs(request.content.decode()) for request in server.requests]
    assert [form["query"][0] for form in forms] == [query.text for query in QUERIES.signals.values()]
    assert {(form["step"][0], form["timeout"][0]) for form in forms} == {("1.000", "10")}
    assert {float(form["start"][0]) - after(0).timestamp() for form in forms} == {4.0}


async def test_the_youngest_moments_are_left_to_settle() -> None:
    """A quarter of an interval: a scrape that is under way would be in one signal and not in the next."""
    async with asking(scraped()) as metrics:
        readings = await metrics.read(QUERIES, after(3), after(9.2))
        later = await metrics.read(QUERIES, readings[-1].at, after(9.3))
    assert [reading.at for reading in readings] == [after(second) for second in range(4, 9)]
    assert [reading.at for reading in later] == [after(9)]


async def test_who_was_away_for_hours_reads_in_portions() -> None:
    """No answer grows beyond what the server gives, and no moment is lost or told twice."""
    server = scraped(3)
    async with asking(server) as metrics:
        readings = await metrics.read(QUERIES, after(0), after(2 * MOST_STEPS + 10.5))
    assert [reading.at for reading in readings] == [after(second) for second in range(1, 2 * MOST_STEPS + 11)]
    assert len(server.requests) == 3 * 3


async def test_bounds_must_be_known_before_reading() -> None:
    """A plan that was sealed without them is no plan."""
    async with asking(scraped()) as metrics:
        with pytest.raises(PermanentError, match="prove the queries first"):
            await metrics.read(queries_of("api"), after(3), after(9))


@pytest.mark.parametrize(
    ("login", "shown"),
    [
        (HttpLogin(token=SecretStr("t0ken")), "Bearer t0ken"),
        (HttpLogin(user="ann", password=SecretStr("pass")), "Basic YW5uOnBhc3M="),
    ],
)
async def test_whoever_must_log_in_does(login: HttpLogin, shown: str) -> None:
    """By bearer token, or by user and password."""
    server = scraped()
    server.authorization = shown
    async with asking(server, login) as metrics:
        assert len(await metrics.read(QUERIES, after(3), after(5.5))) == 2


async def test_a_token_file_is_read_anew(tmp_path: Path) -> None:
    """Tokens of service accounts are replaced while Sluice runs."""
    server, path = scraped(), tmp_path / "token"
    path.write_text("old\n")
    async with asking(server, HttpLogin(token=path)) as metrics:
        await metrics.read(QUERIES, after(3), after(5))
        path.write_text("new\n")
        await metrics.read(QUERIES, after(3), after(5))
    shown = [request.headers["Authorization"] for request in server.requests]
    assert shown == ["Bearer old"] * 3 + ["Bearer new"] * 3


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (
            httpx.Response(401, text="Unauthorized\n"),
            RefusedError,
            r"does not let Sluice in \(HTTP 401: Unauthorized\)",
        ),
        (httpx.Response(403), RefusedError, r"does not let Sluice in \(HTTP 403\); check its token or password"),
        (
            httpx.Response(422, json={"status": "error", "errorType": "execution", "error": "too many samples"}),
            RefusedError,
            r"does not take the query \(HTTP 422: too many samples\)",
        ),
        (httpx.Response(302, headers={"Location": "https://login.test"}), RefusedError, "on to 'https://login.test'"),
        (httpx.Response(404, text="404 page not found"), UnreadableError, "has no query API at its url"),
        (
            httpx.Response(503, json={"status": "error", "errorType": "timeout", "error": "query timed out"}),
            UnreachableError,
            "answered HTTP 503: query timed out",
        ),
        (httpx.Response(502, text="<html>bad\n gateway"), UnreachableError, "answered HTTP 502: <html>bad gateway"),
        (httpx.ConnectError("refused"), UnreachableError, "cannot be reached: refused"),
        (httpx.ReadTimeout("slow"), UnreachableError, "did not answer within 10 s"),
        (httpx.Response(200, text="<html>Sign in"), UnreadableError, "sent what is not JSON: <html>Sign in"),
        (httpx.Response(200, json={"status": "error"}), UnreadableError, "sent no success"),
        (httpx.Response(200, json=[]), UnreadableError, "sent no success"),
        (httpx.Response(200, json={"status": "success"}), UnreadableError, "sent an answer without series"),
        (ok([{"metric": {}, "values": [["x", "y"]]}]), UnreadableError, "sent an answer without series"),
    ],
)
async def test_every_failure_is_told_with_query_and_answer(
    fault: httpx.Response | Exception, kind: type[Exception], said: str
) -> None:
    """In the words of the server, where it has some."""
    server = scraped()
    server.faults.append(fault)
    async with asking(server) as metrics:
        with pytest.raises(kind, match=f"^Prometheus main .*{said}") as told:
            await metrics.read(QUERIES, after(3), after(5))
    assert "http_requests_total" in str(told.value) or "login.test" in str(told.value)
    assert len(server.requests) == 1


async def test_a_server_that_is_away_is_told_without_the_whole_query() -> None:
    """Everybody in the channel reads it; how it begins says which one it was."""
    server = scraped()
    server.faults.append(httpx.Response(503, text="prometheus is down"))
    async with asking(server) as metrics:
        with pytest.raises(UnreachableError) as told:
            await metrics.read(QUERIES, after(3), after(5))
    said = str(told.value)
    assert said.startswith("Prometheus main answered HTTP 503: prometheus is down; asked for sum")
    assert len(said.partition("asked for ")[2]) == AWAY_TOLD + len("…")


async def test_no_secret_is_ever_told(tmp_path: Path) -> None:
    """Neither in an error nor where a server is shown."""
    login = HttpLogin(user="ann", password=SecretStr("s3cret"))
    server = scraped()
    server.faults.append(httpx.Response(401))
    async with asking(server, login) as metrics:
        with pytest.raises(RefusedError) as told:
            await metrics.read(QUERIES, after(3), after(5))
    assert "s3cret" not in f"{told.value!r} {told.value.__cause__!r} {Server('x', URL, login=login)!r}"
    async with asking(server, HttpLogin(token=tmp_path / "none")) as metrics:
        with pytest.raises(RefusedError, match=r"the secret in .*/none cannot be read: No such file"):
            await metrics.read(QUERIES, after(3), after(5))


async def test_an_empty_token_file_is_told(tmp_path: Path) -> None:
    """An empty header would only look like a wrong token."""
    (tmp_path / "token").write_text("\n")
    async with asking(scraped(), HttpLogin(token=tmp_path / "token")) as metrics:
        with pytest.raises(RefusedError, match="it is empty"):
            await metrics.read(QUERIES, after(3), after(5))


async def test_a_server_that_wants_time_gets_it() -> None:
    """Its wish goes to whoever can wait."""
    server = scraped()
    server.faults.append(httpx.Response(429, headers={"Retry-After": "30"}))
    async with asking(server) as metrics:
        with pytest.raises(UnreachableError, match="HTTP 429") as told:
            await metrics.read(QUERIES, after(3), after(5))
    assert told.value.retry_after == timedelta(seconds=30)


async def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    """A look every 15 s often finds the kept connection gone; that is no outage."""
    server = scraped()
    server.faults.append(httpx.RemoteProtocolError("Server disconnected"))
    async with asking(server) as metrics:
        assert len(await metrics.read(QUERIES, after(3), after(5.5))) == 2
    server.faults += [httpx.ReadError("gone"), httpx.ReadError("gone again")]
    async with asking(server) as metrics:
        with pytest.raises(UnreachableError, match="gone again"):
            await metrics.read(QUERIES, after(3), after(5.5))


async def test_an_endless_answer_is_cut_off() -> None:
    """Before it fills the memory."""
    server = scraped()
    server.faults.append(httpx.Response(200, content=b"[" + b" " * MOST_BYTES))
    async with asking(server) as metrics:
        with pytest.raises(UnreadableError, match="sends more than 33,554,432 bytes"):
            await metrics.read(QUERIES, after(3), after(5))


async def test_a_storage_that_is_away_makes_the_answer_partial() -> None:
    """VictoriaMetrics says so by a field of its own."""
    server = scraped()
    server.rewrite = lambda answer: httpx.Response(200, json={**answer.json(), "isPartial": True})
    async with asking(server) as metrics:
        (reading,) = await metrics.read(QUERIES, after(4), after(5.5))
    assert {lack.kind for lack in reading.lacks} == {LackKind.PARTIAL}
    assert reading.lacks[0].said == "errors may not be whole: the answer is partial"


async def test_no_number_is_no_count() -> None:
    """NaN and infinity in a counter are as good as nothing."""
    server = scraped()
    pods = [{"metric": {"pod": CANARY, "code": "200"}, "values": [[after(5).timestamp(), "NaN"]]}]
    server.faults.append(ok(pods))
    async with asking(server) as metrics:
        (reading,) = await metrics.read(QUERIES, after(4), after(5.5))
    assert reading.canary == {}
    assert (LackKind.NO_SERIES, ERRORS) in {(lack.kind, lack.signal) for lack in reading.lacks}


async def test_without_times_of_samples_data_count_as_fresh() -> None:
    """A server of another make may not tell them."""
    server = scraped()
    pods = [{"metric": {"pod": CANARY, "code": "200"}, "values": [[after(5).timestamp(), "7"]]}]
    server.faults.append(ok(pods))
    async with asking(server) as metrics:
        (reading,) = await metrics.read(QUERIES, after(4), after(5.5))
    assert reading.canary[CANARY].requests == 7


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


def test_certificates_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    """Nobody would notice until the first canary."""
    with pytest.raises(SetupError, match=r"cannot read the certificates for Prometheus main from .*ca\.pem"):
        PrometheusMetrics(Server("Prometheus main", URL, ca_file=tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SetupError, match="cannot read the certificates"):
        PrometheusMetrics(Server("Prometheus main", URL, ca_file=tmp_path / "ca.pem"))


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
