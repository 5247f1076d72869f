"""Runbooks from YAML: every fault at once, with file, line and column."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from bot.domain.json import Json
from runbooks.durations import parse, say
from runbooks.kinds import GateKind, StepKind
from runbooks.lookups import PLAN_TIME, Lookup, lookups
from runbooks.parts import NAME
from runbooks.registry import GATE_KINDS, STEP_KINDS
from runbooks.source import Document, Fault, Faults, Keys, did_you_mean, read, read_file
from runbooks.spec import Entry, Runbook, RunbookFile
from runbooks.validation import check_part, spoken

GATES: Mapping[str, GateKind] = {kind.name: kind for kind in GATE_KINDS}
STEPS: Mapping[str, StepKind] = {kind.name: kind for kind in STEP_KINDS}

LATER_KINDS = frozenset({"switch", "webhook"})
"""Kinds that are planned; naming them is kinder than calling them unknown."""


def load_library() -> dict[str, Runbook]:
    """The runbooks that come with Sluice, by name."""
    folder = resources.files("runbooks") / "library"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return _by_name([read(file.read_bytes(), f"library/{file.name}") for file in files])


def load_folder(folder: Path) -> dict[str, Runbook]:
    """The runbooks in a folder (`*.yaml`, `*.yml`; not below it), by name. Raises Faults with those of all files."""
    if not folder.is_dir():
        raise Faults([Fault(str(folder), 1, 1, "is not a folder")])
    faults: list[Fault] = []
    documents = []
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            documents.append(read_file(path))
        except Faults as exc:
            faults += exc.faults
    return _by_name(documents, faults)


def load_file(path: Path) -> Runbook:
    """One runbook. Raises Faults."""
    return read_runbook(read_file(path))


def read_runbook(document: Document) -> Runbook:
    """A document as a runbook. Raises Faults."""
    written, faults = check_part(RunbookFile, document.value, document, at=())
    reading = _Reading(document, list(faults))
    gates = reading.section(("gates",), GATES)
    steps = reading.section(("steps",), STEPS)
    on_failure = reading.section(("on_failure",), STEPS)
    if written is None or reading.faults:
        raise Faults(reading.faults)
    return Runbook(
        name=written.name,
        about=" ".join(written.about.split()),
        gates=gates,
        steps=steps,
        on_failure=on_failure,
        sha256=hashlib.sha256(document.text.encode()).hexdigest(),
        text=document.text,
        file=document.file,
    )


def read_gates(document: Document, at: Keys) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """The list of gates that stands at `at` in a document, and its faults; an absent one is empty."""
    reading = _Reading(document)
    return reading.section(at, GATES), tuple(reading.faults)


def _by_name(documents: Sequence[Document], faults: Sequence[Fault] = ()) -> dict[str, Runbook]:
    found: dict[str, Runbook] = {}
    all_faults = list(faults)
    for document in documents:
        try:
            runbook = read_runbook(document)
        except Faults as exc:
            all_faults += exc.faults
            continue
        if runbook.name in found:
            other = found[runbook.name].file
            all_faults.append(document.fault(("name",), f"'{runbook.name}' is the name of {other} too"))
        found[runbook.name] = runbook
    if all_faults:
        raise Faults(all_faults)
    return found


@dataclass(slots=True)
class _Reading:
    """One reading of the entries of one runbook. `step_names` are the steps read so far: what outputs may name."""

    document: Document
    faults: list[Fault] = field(default_factory=list)
    step_names: list[str] = field(default_factory=list)

    def section(self, at: Keys, kinds: Mapping[str, StepKind | GateKind]) -> tuple[Entry, ...]:
        written = _value_at(self.document.value, at)
        taken: set[str] = set()
        entries = []
        for index in range(len(written) if isinstance(written, list) else 0):
            entry = self._entry((*at, index), kinds, taken)
            if entry is not None:
                entries.append(entry)
                taken.add(entry.name)
                self.step_names += [entry.name] if at == ("steps",) else []
        return tuple(entries)

    def _entry(self, at: Keys, kinds: Mapping[str, StepKind | GateKind], taken: set[str]) -> Entry | None:
        kind, value = self._kind_and_value(at, kinds)
        if kind is None:
            return None
        spot = (*at, kind.name)
        if value is not None and not isinstance(value, dict) and kind.spec.shorthand is None:
            self.faults.append(self.document.fault(spot, f"{spoken(spot)} takes no bare value", "leave it out"))
            return None
        params = _params(kind, value)
        written_name, written_deadline = params.pop("name", None), params.pop("deadline", None)
        before = len(self.faults)
        checked, faults = check_part(kind.spec, params, self.document, at=spot)
        self.faults += [*faults, *self._lookup_faults(value, spot)]
        name = _free(kind.name, taken) if written_name is None else self._own_name(written_name, spot, taken)
        deadline = None
        try:
            deadline = None if written_deadline is None else parse(written_deadline)
        except ValueError as exc:
            self.faults.append(self.document.fault((*spot, "deadline"), str(exc), on_value=True))
        if checked is not None and deadline is not None and deadline < checked.takes():
            short = f"the deadline is shorter than the {say(checked.takes())} that the step takes"
            self.faults.append(self.document.fault((*spot, "deadline"), short, "leave it out", on_value=True))
        line = self.document.keys[at].line
        made = Entry(f"{at[-2]}.{name}", kind.name, params, deadline, line, self.document.file)
        return made if len(self.faults) == before else None

    def _kind_and_value(
        self, at: Keys, kinds: Mapping[str, StepKind | GateKind]
    ) -> tuple[StepKind | GateKind | None, Json]:
        match _value_at(self.document.value, at):
            case str(word):
                value: Json = None
            case dict(mapping) if len(mapping) == 1:
                ((word, value),) = mapping.items()
            case dict(mapping) if mapping:
                found = f"has {len(mapping)} keys ({', '.join(mapping)}), but an entry is one key, its kind"
                self.faults.append(self.document.fault(at, found, "indent the parameters below it"))
                return None, None
            case _:
                self.faults.append(self.document.fault(at, "an entry is a kind, or a kind with its parameters"))
                return None, None
        if word not in kinds:
            self.faults.append(self._unknown(at, word, kinds))
        return kinds.get(word), value

    def _unknown(self, at: Keys, word: str, kinds: Mapping[str, StepKind | GateKind]) -> Fault:
        what = "gate" if at[-2] == "gates" else "step"
        if word in LATER_KINDS:
            return self.document.fault(at, f"the {what} '{word}' comes with a later release of Sluice")
        if word in (STEPS if what == "gate" else GATES):
            other = "step" if what == "gate" else "gate"
            return self.document.fault(at, f"'{word}' is a {other}, not a {what}", f"move it to '{other}s'")
        return self.document.fault(at, f"there is no {what} '{word}'", did_you_mean(word, kinds))

    def _own_name(self, written: Json, spot: Keys, taken: set[str]) -> str:
        at = (*spot, "name")
        if not isinstance(written, str) or not NAME.fullmatch(written):
            self.faults.append(self.document.fault(at, f"'{written}' is not a name", "use small letters and hyphens"))
        elif written in taken:
            self.faults.append(self.document.fault(at, f"another entry is named '{written}'", "give it another name"))
        return str(written)

    def _lookup_faults(self, value: Json, spot: Keys) -> list[Fault]:
        return [fault for lookup in lookups(value) if (fault := self._lookup_fault(lookup, (*spot, *lookup.at)))]

    def _lookup_fault(self, lookup: Lookup, at: Keys) -> Fault | None:
        if lookup.name in PLAN_TIME:
            return None
        said = f"${{{lookup.name}}}"
        if lookup.step is None:
            offer = did_you_mean(lookup.name, (*PLAN_TIME, "steps.<name>.outputs.<key>"))
            return self.document.fault(at, f"{said} cannot be looked up", offer, on_value=True)
        if lookup.step not in self.step_names:
            message = f"{said}: no earlier step is named '{lookup.step}'"
            return self.document.fault(at, message, did_you_mean(lookup.step, self.step_names), on_value=True)
        return None


def _params(kind: StepKind | GateKind, value: Json) -> dict[str, Json]:
    """The parameters under their names: nothing at all, a mapping, or the bare value of the kind's shorthand."""
    match value:
        case None:
            return {}
        case dict():
            return dict(value)
    return {kind.spec.shorthand or str(value): value}


def _free(kind: str, taken: set[str]) -> str:
    """The kind's own name, or with the first free number: `smoke`, `smoke-2`."""
    name, number = kind, 1
    while name in taken:
        number += 1
        name = f"{kind}-{number}"
    return name


def _value_at(value: Json, at: Keys) -> Json:
    """What stands there; `None`: nothing does."""
    for part in at:
        if isinstance(value, dict):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            return None
    return value
