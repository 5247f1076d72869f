"""What can be broken in the sandbox, each with a switch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.sandbox.behaviour import Arm
from bot.sandbox.surroundings import Surroundings

ERRORS, LATENCY_S = 0.3, 0.9


@dataclass(frozen=True, slots=True)
class Switch:
    """`label` and `about` are for people; `throw` makes the world what the switches say."""

    label: str
    about: str
    throw: Callable[[], None]


class Switches:
    """All of them by name. They are off at first, and hold until they are switched off."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._on: set[str] = set()
        self._crashing: list[str] = []
        self.all: Mapping[str, Switch] = {
            "errors": Switch(
                "Canary throws errors", f"{ERRORS:.0%} of the answers of every canary are errors.", self._canary
            ),
            "slow": Switch("Canary is slow", f"Every canary takes {LATENCY_S * 1000:.0f} ms to answer.", self._canary),
            "crash": Switch("Image crash-loops", "Versions that run nowhere yet crash when they start.", self._crash),
            "traffic": Switch("No traffic", "Nobody sends requests: there is nothing to judge by.", self._quiet),
            "registry": Switch("Registry down", "The container registry answers 503.", self._outages),
            "github": Switch("GitHub down", "GitHub answers 503: no checks, no commits, no workflows.", self._outages),
            "metrics": Switch("Metrics down", "Prometheus answers 503: nothing can be judged.", self._outages),
            "slack": Switch("Slack down", "Nothing can be sent or posted; the bot goes on without.", self._outages),
            "cluster": Switch("Cluster API down", "The Kubernetes API answers 503; pods go on.", self._outages),
        }

    def is_on(self, name: str) -> bool:
        """Whether it is switched on."""
        return name in self._on

    def throw(self, name: str, *, on: bool) -> None:
        """Switch one on or off; safe to repeat. Raises KeyError for one that is not there."""
        switch = self.all[name]
        self._on = self._on | {name} if on else self._on - {name}
        switch.throw()

    def _canary(self) -> None:
        self._around.traffic.forget(arm=Arm.CANARY)
        errors = ERRORS if self.is_on("errors") else None
        latency = LATENCY_S if self.is_on("slow") else None
        if errors is not None or latency is not None:
            self._around.traffic.answers(arm=Arm.CANARY, error_rate=errors, latency_s=latency)

    def _crash(self) -> None:
        cluster = self._around.cluster
        for tag in self._crashing:
            cluster.behave(tag, None)
        running = {each.tag for each in cluster.shown() if not each.name.endswith("-canary")}
        known = {tag for held in self._around.registry.distribution.repositories.values() for tag in held.tags}
        self._crashing = sorted(known - running) if self.is_on("crash") else []
        for tag in self._crashing:
            cluster.behave(tag, "crash")

    def _quiet(self) -> None:
        around = self._around
        for each in around.backends:
            rate = 0.0 if self.is_on("traffic") else around.rate
            around.traffic.rate(rate, service=each.service, namespace=each.namespace)

    def _outages(self) -> None:
        around = self._around
        around.registry.outage.down = self.is_on("registry")
        around.github.outage.down = self.is_on("github")
        around.prometheus.outage.down = self.is_on("metrics")
        around.cluster.outage.down = self.is_on("cluster")
        around.slack.outage.down = self.is_on("slack")
