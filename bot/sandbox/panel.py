"""What the page shows beside the channel, as JSON: the bot, the cluster, the traffic, the switches."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from bot.sandbox.behaviour import Arm
from bot.sandbox.bot_process import BotProcess, BotState
from bot.sandbox.kubernetes.panel import DeploymentShown, PodShown
from bot.sandbox.surroundings import Backend, Surroundings
from bot.sandbox.switches import Switches
from bot.sandbox.traffic import Moment

Shown = dict[str, Any]

WINDOW = 10
"""Seconds over which the figures of an arm are taken."""

POINTS = 60
"""Of a sparkline: two minutes, each point the worst of two seconds."""

BEGINNING = frozenset({"Pending", "ContainerCreating", "PodInitializing", "Running"})
SAID: Mapping[BotState, str] = {
    BotState.STARTING: "starting",
    BotState.SERVING: "serving",
    BotState.DOWN: "down, starting again",
}


def panel(around: Surroundings, switches: Switches, bot: BotProcess) -> Shown:
    """The whole panel; page_server says what is in it."""
    deployments = around.cluster.shown()
    return {
        "bot": {"state": bot.state, "said": _bot_said(bot)},
        "namespaces": [
            _namespace(name, tuple(found), around) for name, found in groupby(deployments, lambda each: each.namespace)
        ],
        "traffic": [arm for backend in _in_order(around.backends) for arm in _arms(backend, around)],
        "switches": [
            {"name": name, "label": each.label, "about": each.about, "on": switches.is_on(name)}
            for name, each in switches.all.items()
        ],
    }


def _bot_said(bot: BotProcess) -> str:
    killed = {0: "", 1: " · killed once"}.get(bot.kills, f" · killed {bot.kills} times")
    return f"{SAID[bot.state]}{killed}"


def _namespace(name: str, deployments: Sequence[DeploymentShown], around: Surroundings) -> Shown:
    backends = [each for each in around.backends if each.namespace == name]
    return {
        "name": name,
        "deployments": [_deployment(each) for each in deployments],
        "routes": [found for each in backends if (found := _route(each, around))],
    }


def _route(backend: Backend, around: Surroundings) -> Shown | None:
    """How the requests are divided; `None` where they are not."""
    given = around.cluster.weights(backend.namespace, backend.service)
    together = sum(given.values())
    if len(given) < 2 or not together:  # noqa: PLR2004 - one share is all
        return None
    shares = [{"to": name, "weight": round(100 * weight / together)} for name, weight in given.items()]
    return {"service": backend.service, "shares": shares}


def _deployment(found: DeploymentShown) -> Shown:
    return {
        "name": found.name,
        "version": found.tag,
        "ready": found.ready,
        "wanted": found.wanted,
        "revision": found.revision,
        "pods": [_pod(each) for each in found.pods],
    }


def _pod(pod: PodShown) -> Shown:
    said = "ready" if pod.ready else "starting" if pod.state == "Running" else pod.state
    state = "ready" if pod.ready else "starting" if pod.state in BEGINNING else "failing"
    if pod.state == "Terminating":
        state = "ending"
    version = pod.image.partition("@")[0].rpartition(":")[2]
    return {"name": pod.name, "state": state, "said": said, "version": version, "restarts": pod.restarts}


def _arms(backend: Backend, around: Surroundings) -> Iterable[Shown]:
    for arm in Arm:
        history = around.traffic.history(service=backend.service, namespace=backend.namespace, arm=arm)
        if history and history[-1].at >= _newest(around, backend):
            yield {"service": backend.service, "namespace": backend.namespace, "name": arm, **_figures(history)}


def _in_order(backends: Iterable[Backend]) -> list[Backend]:
    """As the cluster's list has them."""
    return sorted(backends, key=lambda each: (each.namespace, each.service))


def _newest(around: Surroundings, backend: Backend) -> Any:
    """When the service was seen last: an arm without a point then is gone."""
    found = [
        points[-1].at
        for arm in Arm
        if (points := around.traffic.history(service=backend.service, namespace=backend.namespace, arm=arm))
    ]
    return max(found)


def _figures(history: Sequence[Moment]) -> Shown:
    recent = history[-WINDOW:]
    requests = sum(each.requests_per_s for each in recent)
    failures = sum(each.requests_per_s * each.error_ratio for each in recent)
    tails = [each.p95_s for each in recent if each.p95_s is not None]
    p95 = median(tails) if tails else None  # that of a single second is a matter of luck
    ratios = [each.error_ratio for each in history[-2 * POINTS :]]
    return {
        "rate": round(requests / len(recent), 1),
        "errors": round(failures / requests, 4) if requests else 0.0,
        "p95_ms": None if p95 is None else round(p95 * 1000),
        "history": [round(max(pair), 3) for pair in zip(ratios[::2], ratios[1::2], strict=False)],
    }
