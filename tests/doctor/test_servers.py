"""What is wrong with a registry, a metrics server, a CI server, or a clock."""

import json
from datetime import timedelta

from aiohttp import web

from bot.adapters.system_clock import SystemClock
from bot.doctor.finding import Area, Grade
from bot.sandbox.folder import ADDRESSES, TOKEN_FILE
from bot.sandbox.loopback import listening
from tests.doctor.conftest import Opens
from tests.doctor.installation import Installation
from tests.fakes.clock import FakeClock

PRESET = "signals: {preset: http, interval: 1s"


# --- registry ---


async def test_a_registry_that_is_away(opens: Opens) -> None:
    """Nobody knows what is in it; the host is named."""
    async with opens() as place:
        place.around.registry.outage.down = True
        found = await place.bad(Area.REGISTRY)
    assert [each.grade for each in found] == [Grade.UNKNOWN, Grade.UNKNOWN]
    assert f"bring {registry(place)} up" in found[0].fix


async def test_a_repository_that_is_not_there(opens: Opens) -> None:
    """Its name is wrong, or the login may not see it."""
    async with opens() as place:
        place.rewrite("/acme/web\n    repository", "/acme/wbe\n    repository")
        found = await place.only(Area.REGISTRY)
    assert (found.subject, found.grade) == (f"{registry(place)}/acme/wbe", Grade.FAULT)
    assert "correct `image`" in found.fix


async def test_a_login_that_is_not_good(opens: Opens) -> None:
    """Where logins are is named."""

    async def forbidden(_request: web.Request) -> web.Response:
        return web.Response(status=403)

    closed = web.Application()
    closed.router.add_get("/v2/{rest:.*}", forbidden)
    async with opens() as place, listening(closed) as url:
        place.rewrite(registry(place), url.removeprefix("http://"))
        found = await place.bad(Area.REGISTRY)
    assert {each.grade for each in found} == {Grade.FAULT}
    assert "does not let Sluice read" in found[0].seen
    assert "SLUICE_REGISTRY_CONFIG" in found[0].fix


async def test_logins_that_cannot_be_read(opens: Opens) -> None:
    """The variable is named."""
    async with opens() as place:
        place.set(registry_config=place.folder / "nowhere.json")
        found = await place.only(Area.REGISTRY)
    assert "nowhere.json" in found.seen
    assert "SLUICE_REGISTRY_CONFIG" in found.fix


def registry(place: Installation) -> str:
    """The host with its port."""
    return place.catalogue.read_text().split("image: ")[1].split("/")[0]


# --- metrics ---


async def test_a_query_without_data(opens: Opens) -> None:
    """With the name that was meant, and the query to try."""
    async with opens() as place:
        place.rewrite(PRESET, f"{PRESET}, metrics: {{requests: http_request_total}}")
        found = await place.bad(Area.METRICS)
    assert [each.subject for each in found][:2] == ["api/staging errors", "api/prod errors"]
    assert {each.grade for each in found} == {Grade.FAULT}
    assert "did you mean 'http_requests_total'?" in found[0].seen
    assert "`signals` of api" in found[0].fix
    assert "http_request_total{" in found[0].detail


async def test_a_metrics_server_that_is_away(opens: Opens) -> None:
    """One finding, however many services it measures."""
    async with opens() as place:
        place.around.prometheus.outage.down = True
        found = await place.only(Area.METRICS)
    assert (found.subject, found.grade) == ("server main", Grade.UNKNOWN)
    assert found.seen == "Prometheus main answered HTTP 503: prometheus is down"


async def test_a_metrics_server_that_lets_nobody_in(opens: Opens) -> None:
    """Of each target, as it may be about one query alone; people read it once."""

    async def unauthorized(_request: web.Request) -> web.Response:
        return web.Response(status=401, text="no")

    closed = web.Application()
    closed.router.add_route("*", "/{rest:.*}", unauthorized)
    async with opens() as place, listening(closed) as url:
        place.rewrite(json.loads((place.folder / ADDRESSES).read_text())["prometheus"], url)
        found = await place.bad(Area.METRICS)
    assert [each.subject for each in found] == ["api/staging", "api/prod", "web/staging", "web/prod"]
    assert len({(each.grade, each.seen, each.fix) for each in found}) == 1
    assert "correct its login" in found[0].fix


async def test_a_metrics_server_for_nobody(opens: Opens) -> None:
    """Of which nothing can be said: a warning."""
    async with opens() as place:
        place.rewrite("metrics:\n", "metrics:\n  old: {prometheus: {url: http://127.0.0.1:9}}\n")
        place.rewrite("  main: {prometheus: {", "  main: {default: true, prometheus: {")
        found = await place.only(Area.METRICS)
    assert (found.subject, found.grade) == ("server old", Grade.WARNING)


async def test_certificates_that_are_not_there(opens: Opens) -> None:
    """The file is named."""
    async with opens() as place:
        place.rewrite("prometheus: {url:", "prometheus: {ca_file: nowhere.pem, url:")
        found = await place.only(Area.METRICS)
    assert found.grade is Grade.FAULT
    assert "nowhere.pem" in found.seen


async def test_a_guard_rail_that_the_histogram_cannot_tell(opens: Opens) -> None:
    """It has data, and yet no canary could be judged."""
    async with opens() as place:
        place.rewrite('"error_rate < 20%"', '"p95 < 20s"')
        found = await place.bad(Area.METRICS)
    assert [each.subject for each in found] == ["api/staging", "api/prod", "web/staging", "web/prod"]
    assert "histogram that ends at 10000 ms" in found[0].seen


# --- CI ---


async def test_a_token_that_is_not_taken(opens: Opens) -> None:
    """The file that holds it is named."""
    async with opens() as place:
        (place.folder / TOKEN_FILE).write_text("another")
        found = await place.only(Area.CI)
    assert (found.subject, found.grade) == ("server main", Grade.FAULT)
    assert "HTTP 401" in found.seen
    assert str(place.folder / TOKEN_FILE) in found.fix


async def test_a_project_that_is_not_there(opens: Opens) -> None:
    """The others are looked at all the same."""
    async with opens() as place:
        place.rewrite("/acme/api\n    workload", "/acme/apy\n    workload")
        found = await place.examined(Area.CI)
    assert [(each.subject, each.grade) for each in found] == [
        ("acme/apy on main", Grade.FAULT),
        ("acme/web on main", Grade.OK),
    ]
    assert "of api" in found[0].fix


async def test_a_ci_server_that_is_away(opens: Opens) -> None:
    """Nobody knows."""
    async with opens() as place:
        place.around.github.outage.down = True
        found = await place.only(Area.CI)
    assert (found.subject, found.grade) == ("server main", Grade.UNKNOWN)


async def test_a_ci_server_for_nobody(opens: Opens) -> None:
    """Which it checks nothing for."""
    async with opens() as place:
        place.rewrite("ci:\n", f'ci:\n  old: {{gitlab: {{token_file: "{place.folder / TOKEN_FILE}"}}}}\n')
        found = await place.only(Area.CI)
    assert (found.subject, found.grade) == ("server old", Grade.WARNING)


# --- clock ---


async def test_a_clock_that_is_kept(opens: Opens) -> None:
    """Ours is the servers' own here."""
    async with opens() as place:
        found = await place.examined(Area.CLOCK, clock=SystemClock())
    assert [(each.subject, each.grade) for each in found] == [
        ("Slack", Grade.OK),
        ("cluster main", Grade.OK),
        ("metrics server main", Grade.OK),
    ]


async def test_a_clock_that_drifts(opens: Opens) -> None:
    """Of which all servers say so: a warning, and it is this machine's."""
    async with opens() as place:
        late = FakeClock(SystemClock().now() - timedelta(seconds=20))
        found = await place.bad(Area.CLOCK, clock=late)
    assert {each.grade for each in found} == {Grade.WARNING}
    assert "s behind it" in found[0].seen
    assert "the clock of this machine" in found[0].fix


async def test_a_clock_that_is_wrong(opens: Opens) -> None:
    """Leases end by it: a fault."""
    async with opens() as place:
        early = FakeClock(SystemClock().now() + timedelta(minutes=3))
        found = await place.bad(Area.CLOCK, clock=early)
    assert {each.grade for each in found} == {Grade.FAULT}
    assert "s ahead of it" in found[0].seen


async def test_nobody_tells_the_time(opens: Opens) -> None:
    """Unknown means stop."""
    async with opens() as place:
        place.set(slack_api_url="http://127.0.0.1:9/api/")
        place.rewrite('kubeconfig: "', 'kubeconfig: "/nowhere')
        place.rewrite(json.loads((place.folder / ADDRESSES).read_text())["prometheus"], "http://127.0.0.1:9")
        found = await place.only(Area.CLOCK)
    assert (found.subject, found.grade) == ("this machine", Grade.UNKNOWN)
