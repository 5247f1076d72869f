"""The model of a runbook file, and the runbook that is read from it. Knows no kind of step."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.json import Json
from runbooks.parts import Name


class RunbookFile(BaseModel):
    """A runbook as YAML has it; its entries are read one by one against their kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="What the catalogue and `--runbook` call it.")
    about: str = Field(
        min_length=1, description="What it is for, in a sentence or two; read aloud by `sluice explain`."
    )
    gates: list[object] = Field(default_factory=list, description="What must hold before anything begins.")
    steps: list[object] = Field(min_length=1, description="What is done, one after the other.")
    on_failure: list[object] = Field(
        default_factory=list,
        description="What is done when a step fails or the release is aborted, after a first change.",
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One gate or step as written. `key` is unique in its runbook: `steps.smoke-2`, `on_failure.restore`.

    `params` fit the kind but still hold their look-ups; a bare value stands under its field's name. `deadline` is
    `None` where the kind's own holds. `line` counts from 1; `file` is empty for a gate that nobody wrote down.
    """

    key: str
    kind: str
    params: Mapping[str, Json]
    deadline: timedelta | None
    line: int
    file: str = ""

    @property
    def name(self) -> str:
        """The key without its section: what `${steps.<name>.outputs...}` says."""
        return self.key.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Runbook:
    """A runbook that has no fault. `sha256` covers `text`, the whole file: an edited runbook is another plan."""

    name: str
    about: str
    gates: tuple[Entry, ...]
    steps: tuple[Entry, ...]
    on_failure: tuple[Entry, ...]
    sha256: str
    text: str
    file: str
