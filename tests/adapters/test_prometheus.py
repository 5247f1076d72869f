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
from bot.ports.metrics import ERRORS, LackKind
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


def test_certificates_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    """Nobody would notice until the first canary."""
    with pytest.raises(SetupError, match=r"cannot read the certificates for Prometheus main from .*ca\.pem"):
        PrometheusMetrics(Server("Prometheus main", URL, ca_file=tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SetupError, match="cannot read the certificates"):
        PrometheusMetrics(Server("Prometheus main", URL, ca_file=tmp_path / "ca.pem"))
