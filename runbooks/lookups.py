"""`${...}` in parameters: look-ups only. Some are known when planning, outputs of earlier steps only while running."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot.domain.errors import PermanentError
from bot.domain.json import Json, JsonObject
from runbooks.source import Keys

LOOKUP = re.compile(r"\$\{([^{}]*)\}")
OUTPUT = re.compile(r"steps\.([\w-]+)\.outputs\.([\w.-]+)")

LONGEST_SPOKEN = 500
"""How many characters of a looked-up value a text for people shows."""

PLAN_TIME = (
    "artifact.digest",
    "artifact.image",
    "artifact.ref",
    "artifact.commit",
    "service",
    "environment",
    "run",
)
"""What a plan can fill in."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One `${...}`: where it stands below the parameters, and what it names."""

    at: Keys
    name: str

    @property
    def step(self) -> str | None:
        """The step whose output it names; `None` for anything else."""
        read = OUTPUT.fullmatch(self.name)
        return read.group(1) if read else None


def lookups(value: Json, at: Keys = ()) -> Iterator[Lookup]:
    """Every look-up in a value, in the order of the text. Keys of mappings are not looked at."""
    match value:
        case str():
            for found in LOOKUP.finditer(value):
                yield Lookup(at, found.group(1).strip())
        case list():
            for index, item in enumerate(value):
                yield from lookups(item, (*at, index))
        case dict():
            for key, item in value.items():
                yield from lookups(item, (*at, key))


def resolve(params: Mapping[str, Json], values: Mapping[str, str]) -> JsonObject:
    """Fill in what a plan knows; `values` has the names of PLAN_TIME. Outputs of steps stay as they are.

    Raises PermanentError for a look-up that is neither.
    """

    def value_of(name: str) -> Json:
        if OUTPUT.fullmatch(name):
            return f"${{{name}}}"
        if name not in values:
            raise PermanentError(f"the runbook looks up ${{{name}}}, which this plan does not know")
        return values[name]

    return {key: _filled(value, value_of) for key, value in params.items()}


def resolve_outputs(params: Mapping[str, Json], outputs: Mapping[str, Mapping[str, Json]]) -> JsonObject:
    """Fill in what earlier steps said; `outputs` maps a step's name (without `steps.`) to its outputs.

    A value that is nothing but the look-up keeps the output's type. Raises PermanentError when there is no such
    output.
    """

    def value_of(name: str) -> Json:
        read = OUTPUT.fullmatch(name)
        if read is None:
            raise PermanentError(f"the plan still holds ${{{name}}}, which nothing can fill in now")
        step, key = read.groups()
        if key not in outputs.get(step, {}):
            raise PermanentError(f"the step {step} gave no output '{key}'")
        return outputs[step][key]

    return {key: _filled(value, value_of) for key, value in params.items()}


def spoken(value: Json) -> str:
    """A looked-up value inside a text for people: one line, cut, no markup of Slack's; a word where it is empty."""
    text = " ".join(str(value).split())
    text = text if len(text) <= LONGEST_SPOKEN else f"{text[: LONGEST_SPOKEN - 1]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") or "(not known)"


def _filled(value: Json, value_of: Callable[[str], Json]) -> Json:
    match value:
        case str():
            whole = LOOKUP.fullmatch(value)
            if whole:
                return value_of(whole.group(1).strip())
            return LOOKUP.sub(lambda found: str(value_of(found.group(1).strip())), value)
        case list():
            return [_filled(item, value_of) for item in value]
        case dict():
            return {key: _filled(item, value_of) for key, item in value.items()}
    return value
