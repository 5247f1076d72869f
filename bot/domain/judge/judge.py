"""The judge of one canary."""

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import UnreadableError
from bot.domain.json import JsonObject
from bot.domain.judge.blocks import Moment
from bot.domain.judge.errors import CountsJudge
from bot.domain.judge.flows import flows_of
from bot.domain.judge.gauges import GaugeJudge
from bot.domain.judge.latency import LatencyJudge
from bot.domain.judge.samples import Observation
from bot.domain.judge.settings import JudgeSettings
from bot.domain.judge.verdict import Call, SignalVerdict, Verdict

CANARY, BASELINE = "canary", "baseline"
VERSION = 1


class Judge:
    """Looks at one observation at a time and says whether to roll back, promote or look again.

    Its state is small and can be written down between any two looks: a judge restored from it says the same. Seeing
    the same scrape twice changes nothing.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self.settings = settings
        self.flows = flows_of(settings)
        self.gauges = [GaugeJudge(signal) for signal in settings.gauges]
        self._weights = settings.weights
        self.at: float | None = None
        self.heard = {CANARY: 0.0, BASELINE: 0.0}
        """When each arm last showed anything that can be judged, in seconds since the canary has traffic."""
        self.is_answered = True
        """Whether the provider answered at the last look."""
        self._failed = False

    @classmethod
    def restored(cls, settings: JudgeSettings, state: Mapping[str, Any]) -> "Judge":
        """The judge that wrote `state`, with the same settings. Raises UnreadableError for another version's state."""
        if state["version"] != VERSION:
            raise UnreadableError(f"the judge's state has version {state['version']}, not {VERSION}")
        judge = cls(settings)
        judge.at, judge.heard = state["at"], dict(state["heard"])
        judge.is_answered, judge._failed = state["answered"], state["failed"]
        for flow in judge.flows:
            flow.restore(state["flows"][flow.name])
        for gauge in judge.gauges:
            gauge.restore(state["gauges"][gauge.signal.name])
        return judge

    def state(self) -> JsonObject:
        """Everything that must outlive the process, as JSON."""
        return {
            "version": VERSION,
            "at": self.at,
            "heard": dict(self.heard),
            "answered": self.is_answered,
            "failed": self._failed,
            "flows": {flow.name: flow.state() for flow in self.flows},
            "gauges": {gauge.signal.name: gauge.state() for gauge in self.gauges},
        }

    def see(self, observation: Observation | None) -> Verdict:
        """One look; `None` when the metrics provider did not answer, which says nothing about the canary.

        Once it said FAIL it says nothing else: the promise holds for the first time. Raises UnreadableError for
        counters that do not fit the settings; nothing is taken over then.
        """
        self.is_answered = observation is not None
        if observation is None or (self.at is not None and observation.at <= self.at):
            return self.verdict()
        at = observation.at
        moment = Moment(at, at <= self.settings.warmup, max(1, len(observation.canary)))
        for flow in self.flows:
            self._hear(at, flow.see(moment, observation))
        for gauge in self.gauges:
            heard = gauge.see(moment, observation)
            if not self.flows:  # a level is there without a request: it does not say that an arm is used
                self._hear(at, heard)
        self.at = at
        self._failed = self._failed or (at > 0 and self.evidence >= 1 / self.settings.alpha)
        return self.verdict()

    def _hear(self, at: float, heard: tuple[bool, bool]) -> None:
        if heard[0]:
            self.heard[CANARY] = at
        if heard[1]:
            self.heard[BASELINE] = at

    @property
    def judges(self) -> list[CountsJudge | LatencyJudge | GaugeJudge]:
        """Of all signals, in the order of the settings."""
        return [*(judge for flow in self.flows for judge in flow.judges), *self.gauges]

    @property
    def evidence(self) -> float:
        """Of harm: the mean of the signals' evidence. A mean of e-processes is one, whatever they have in common."""
        return sum(self._weights[judge.signal.name] * judge.evidence for judge in self.judges)

    @property
    def silent_arm(self) -> str | None:
        """The arm that showed nothing for too long, or `None`."""
        arm = min(self.heard, key=lambda name: self.heard[name])
        return arm if self.at is not None and self.at - self.heard[arm] > self.settings.blind_after else None

    @property
    def is_blind(self) -> bool:
        """Whether there is nothing to see just now."""
        return not self.is_answered or self.silent_arm is not None

    def verdict(self) -> Verdict:
        """What the last look said."""
        signals = tuple(self._signal(judge) for judge in self.judges)
        evidence = sum(self._weights[signal.name] * signal.evidence for signal in signals)
        return Verdict(self._call(evidence, signals), self.at, evidence, signals)

    def ended(self) -> Verdict:
        """What remains to be said when the canary's time is up: the decision, or why there is none.

        BLIND when the provider did not answer in the end; a canary without traffic is INCONCLUSIVE like any other that
        showed too little.
        """
        last = self.verdict()
        if last.call in {Call.PASS, Call.FAIL}:
            return last
        call = Call.INCONCLUSIVE if self.is_answered else Call.BLIND
        return Verdict(call, last.at, last.evidence, last.signals)

    def _call(self, evidence: float, signals: tuple[SignalVerdict, ...]) -> Call:
        if self._failed:
            return Call.FAIL
        if self.is_blind:
            return Call.BLIND
        asked = [signal for signal in signals if signal.clearance is not None]
        late_enough = self.at is not None and self.at > 0 and self.at >= self.settings.min_bake
        cleared = bool(asked) and all(signal.call is Call.PASS for signal in asked)
        return Call.PASS if late_enough and cleared and evidence < self.settings.suspicion else Call.CONTINUE

    def _signal(self, judge: CountsJudge | LatencyJudge | GaugeJudge) -> SignalVerdict:
        name, evidence, clearance = judge.signal.name, judge.evidence, judge.clearance
        call = Call.CONTINUE
        if self._weights[name] * evidence >= 1 / self.settings.alpha:
            call = Call.FAIL
        elif self.is_blind:
            call = Call.BLIND
        elif clearance is not None and clearance >= 1 / self.settings.beta:
            call = Call.PASS
        return SignalVerdict(name, call, evidence, clearance)
