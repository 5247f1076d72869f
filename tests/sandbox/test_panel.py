"""What the page shows beside the channel."""

from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.bot_process import BotProcess, BotState
from bot.sandbox.panel import panel
from bot.sandbox.switches import ERRORS, Switches
from tests.sandbox.beside import World


class Beside:
    """A panel over a world, with a bot that is not started."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.switches = Switches(self.world.around)
        self.bot = BotProcess({}, folder, on_serving=lambda _url: None)

    def shown(self) -> Any:
        """The panel now."""
        return panel(self.world.around, self.switches, self.bot)

    def namespace(self, name: str) -> Any:
        """One of its namespaces."""
        return next(each for each in self.shown()["namespaces"] if each["name"] == name)

    def arm(self, name: str) -> Any:
        """An arm of api in prod, if it is shown."""
        found = [each for each in self.shown()["traffic"] if (each["service"], each["namespace"]) == ("api", "prod")]
        return next((each for each in found if each["name"] == name), None)


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    """Some seconds after the start."""
    made = Beside(tmp_path)
    made.world.passes(5)
    return made


def test_everything_that_runs_is_there(beside: Beside) -> None:
    """By namespace and name, with its version, its pods and its revision."""
    prod, staging = beside.shown()["namespaces"]
    assert (prod["name"], staging["name"]) == ("prod", "staging")
    api, web = prod["deployments"]
    assert (api["name"], web["name"]) == ("api", "web")
    assert (api["version"], api["ready"], api["wanted"], api["revision"]) == ("sha100", 4, 4, "1")
    assert [(pod["state"], pod["said"], pod["version"], pod["restarts"]) for pod in api["pods"]] == (
        [("ready", "ready", "sha100", 0)] * 4
    )


def test_traffic_is_in_the_order_of_the_cluster(beside: Beside) -> None:
    """So that the eye finds it again."""
    arms = [(each["namespace"], each["service"], each["name"]) for each in beside.shown()["traffic"]]
    assert arms == [(space, service, "stable") for space in ("prod", "staging") for service in ("api", "web")]


def test_a_route_is_shown_while_it_divides(beside: Beside) -> None:
    """With a canary's share; before, all the traffic is one's and nothing is said."""
    assert beside.namespace("prod")["routes"] == []
    beside.world.canary("sha123", 20)
    shares = [{"to": "api", "weight": 80}, {"to": "api-canary", "weight": 20}]
    assert beside.namespace("prod")["routes"] == [{"service": "api", "shares": shares}]
    assert beside.namespace("staging")["routes"] == []


def test_a_canary_that_fails_is_seen_in_its_figures(beside: Beside) -> None:
    """Its errors, its share of the requests and its line; stable's stay as they were."""
    beside.world.canary("sha123", 20)
    beside.switches.throw("errors", on=True)
    beside.world.passes(20)
    canary, stable = beside.arm("canary"), beside.arm("stable")
    assert canary["errors"] == pytest.approx(ERRORS, abs=0.1)
    assert canary["rate"] == pytest.approx(20, rel=0.3)
    assert max(canary["history"]) > 0.2
    assert stable["errors"] < 0.02


def test_a_canary_that_has_gone_is_shown_no_more(beside: Beside) -> None:
    """Its last figures do not stay for ever."""
    beside.world.canary("sha123", 20)
    assert beside.arm("canary") is not None
    beside.world.canary("sha123", 0, pods=0)
    beside.world.passes(20)
    assert beside.arm("canary") is None


def test_a_crash_loop_is_named(beside: Beside) -> None:
    """As `kubectl get pods` names it, with the restarts; the pods of before are still ready."""
    beside.world.deploy("sha132-crash")
    beside.world.passes(30)
    api = beside.namespace("staging")["deployments"][0]
    failing = [pod for pod in api["pods"] if pod["state"] == "failing"]
    assert [(pod["said"], pod["version"]) for pod in failing] == [("CrashLoopBackOff", "sha132-crash")]
    assert failing[0]["restarts"] >= 1
    assert [pod["version"] for pod in api["pods"] if pod["state"] == "ready"] == ["sha100", "sha100"]


def test_an_image_that_cannot_be_pulled_fails_too(beside: Beside) -> None:
    """It is not said to be starting for ever."""
    beside.world.deploy("sha133-badpull")
    beside.world.passes(30)
    pods = beside.namespace("staging")["deployments"][0]["pods"]
    assert {pod["said"] for pod in pods if pod["state"] == "failing"} <= {"ErrImagePull", "ImagePullBackOff"}
    assert any(pod["state"] == "failing" for pod in pods)


def test_a_pod_that_begins_or_ends_is_neither_ready_nor_failing(beside: Beside) -> None:
    """In a rolling update both are seen."""
    beside.world.deploy("sha123")
    states = set()
    for _ in range(40):
        beside.world.passes(0.25)
        states |= {pod["state"] for pod in beside.namespace("staging")["deployments"][0]["pods"]}
    assert states == {"ready", "starting", "ending"}


def test_no_requests_are_no_figures(beside: Beside) -> None:
    """Nothing is divided by nothing."""
    beside.switches.throw("traffic", on=True)
    beside.world.passes(15)
    stable = beside.arm("stable")
    assert (stable["rate"], stable["errors"], stable["p95_ms"]) == (0, 0, None)


def test_switches_say_what_they_do_and_whether_they_are_on(beside: Beside) -> None:
    """For people: none without a label and a sentence."""
    beside.switches.throw("slack", on=True)
    shown = beside.shown()["switches"]
    assert [each["name"] for each in shown if each["on"]] == ["slack"]
    assert all(each["label"] and each["about"].endswith(".") for each in shown)


@pytest.mark.parametrize(
    ("state", "kills", "said"),
    [
        (BotState.STARTING, 0, "starting"),
        (BotState.SERVING, 0, "serving"),
        (BotState.DOWN, 1, "down, starting again · killed once"),
        (BotState.SERVING, 3, "serving · killed 3 times"),
    ],
)
def test_the_bots_state_is_a_phrase(beside: Beside, state: BotState, kills: int, said: str) -> None:
    """With how often it was killed."""
    beside.bot.state, beside.bot.kills = state, kills
    assert beside.shown()["bot"] == {"state": state, "said": said}
