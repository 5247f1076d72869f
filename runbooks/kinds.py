"""What a kind of step or gate is: its name, its parameters, and whether it can change what people use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from bot.domain.json import Json

FILLED_IN = "filled in from the catalogue when a release is planned"
"""The description of a parameter that nobody writes: whatever a runbook says there, the plan has the catalogue's."""


class StepSpec(BaseModel):
    """Parameters of a step or gate as a runbook writes them. Unknown keys are errors.

    `shorthand` names the field that a bare value fills: `- wait: 5m` is `- wait: {for: 5m}`. `told`: the parameters are
    a text in Slack's markup, so what is looked up is escaped in it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    shorthand: ClassVar[str | None] = None
    told: ClassVar[bool] = False

    def read_aloud(self) -> str:
        """One sentence that a teammate would say for this step."""
        raise TypeError(f"{type(self).__name__} does not say what it does")

    def takes(self) -> timedelta:
        """The time that the step is there to take, which is no delay: its deadline is never shorter."""
        return timedelta(0)


@dataclass(frozen=True, slots=True)
class StepKind:
    """A kind of step. `changes`: it may alter what people use, so a protected environment wants an approval before it.
    `deadline` is the longest it may take unless the runbook says otherwise."""

    name: str
    spec: type[StepSpec]
    changes: bool
    deadline: timedelta
    about: str

    def alters(self, params: Mapping[str, Json]) -> bool:
        """Whether a step of this kind with these parameters may alter something: kinds that can be used to look alone
        have a parameter `reads_only`, and only `true` is yes."""
        return self.changes and params.get("reads_only") is not True


@dataclass(frozen=True, slots=True)
class GateKind:
    """A kind of gate. Until `deadline` an unknown answer is asked again; then it has failed. `standing`: what it says
    must hold again right before the first change, so it is asked once more there."""

    name: str
    spec: type[StepSpec]
    deadline: timedelta
    about: str
    standing: bool = False
