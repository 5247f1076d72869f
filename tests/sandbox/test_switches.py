"""What can be broken: each switch does what it says, and switching it off takes it back."""

import httpx
import pytest
from aiohttp import web

from bot.sandbox.behaviour import Arm
from bot.sandbox.loopback import listening
from bot.sandbox.switches import ERRORS, LATENCY_S, Switches
from tests.sandbox.beside import World


def answers_of(world: World, name: str) -> tuple[float, float]:
    """The share of errors and the latency of the first pod of a Deployment in prod."""
    pods = world.around.traffic.endpoints(service="api", namespace="prod")
    found = next(each for each in pods if (each.labels["app"]) == name)
    behaviour = world.around.traffic.behaviour(found)
    return behaviour.error_rate, behaviour.latency_s


def requests_of(world: World) -> float:
    """Requests a second to api in prod in the last tick."""
    return world.around.traffic.history(service="api", namespace="prod", arm=Arm.STABLE)[-1].requests_per_s


def applications(world: World) -> dict[str, tuple[web.Application, str]]:
    """What answers behind a switch, and what may be asked there."""
    around = world.around
    commit = around.github.repository("acme/api").commit("Begin", tag="v1")
    return {
        "registry": (around.registry.application(), "/v2/"),
        "github": (around.github.application(), f"/acme/api/commit/{commit}"),
        "metrics": (around.prometheus.application(), "/api/v1/query?query=up"),
        "cluster": (around.cluster.application(), "/version"),
    }


def test_all_are_off_at_first() -> None:
    """Nothing is broken before somebody breaks it."""
    switches = Switches(World().around)
    assert [name for name in switches.all if switches.is_on(name)] == []


def test_a_switch_that_is_not_there_is_named() -> None:
    """And nothing is switched on by it."""
    switches = Switches(World().around)
    with pytest.raises(KeyError, match="gravity"):
        switches.throw("gravity", on=True)
    assert not switches.is_on("gravity")


def test_a_canary_throws_errors_and_stable_does_not() -> None:
    """The canary's pods alone, until it is switched off."""
    world = World()
    world.canary("sha123", 20)
    switches, before = Switches(world.around), answers_of(world, "api-canary")
    switches.throw("errors", on=True)
    assert answers_of(world, "api-canary") == (ERRORS, before[1])
    assert answers_of(world, "api") == before
    switches.throw("errors", on=False)
    assert answers_of(world, "api-canary") == before


def test_a_canary_can_be_slow_and_wrong_at_once() -> None:
    """One of the two switched off leaves the other."""
    world = World()
    world.canary("sha123", 20)
    switches, before = Switches(world.around), answers_of(world, "api-canary")
    switches.throw("errors", on=True)
    switches.throw("slow", on=True)
    assert answers_of(world, "api-canary") == (ERRORS, LATENCY_S)
    switches.throw("errors", on=False)
    assert answers_of(world, "api-canary") == (before[0], LATENCY_S)


def test_a_canary_that_comes_later_throws_errors_too() -> None:
    """The switch is for every canary, not for those that are there."""
    world = World()
    Switches(world.around).throw("errors", on=True)
    world.canary("sha124", 20)
    assert answers_of(world, "api-canary")[0] == ERRORS


def test_a_new_version_crash_loops_and_what_runs_does_not() -> None:
    """Switched off, the same version comes up."""
    world = World()
    switches = Switches(world.around)
    switches.throw("crash", on=True)
    world.deploy("sha123")
    world.passes(30)
    assert {pod.state for pod in world.deployment("api").pods if not pod.ready} == {"CrashLoopBackOff"}
    assert world.deployment("api").ready == 2, "the pods of before go on"
    switches.throw("crash", on=False)
    world.passes(60)
    assert [pod.image.endswith("sha123") and pod.ready for pod in world.deployment("api").pods] == [True, True]


def test_nobody_sends_requests() -> None:
    """And they come back."""
    world = World()
    switches = Switches(world.around)
    switches.throw("traffic", on=True)
    world.passes(3)
    assert requests_of(world) == 0
    switches.throw("traffic", on=False)
    world.passes(3)
    assert requests_of(world) > 50


@pytest.mark.parametrize("name", ["registry", "github", "metrics", "cluster"])
async def test_a_server_answers_503(name: str) -> None:
    """Only the one whose switch it is; and it answers again."""
    world = World()
    switches, statuses = Switches(world.around), {}
    application, path = applications(world)[name]
    async with listening(application) as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
        for on in (True, False):
            switches.throw(name, on=on)
            statuses[on] = (await http.get(path)).status_code
        for other in switches.all.keys() - {name}:
            switches.throw(other, on=True)
        assert (await http.get(path)).status_code == 200
    assert statuses == {True: 503, False: 200}


async def test_slack_takes_nothing() -> None:
    """Who says something is told so, and it is not in the channel; afterwards it is."""
    world = World()
    switches, people = Switches(world.around), world.around.slack.people
    switches.throw("slack", on=True)
    assert (await people.says("ann", "#deploys", "hello")).error == "slack_is_down"
    switches.throw("slack", on=False)
    assert (await people.says("ann", "#deploys", "hello again")).error == ""
