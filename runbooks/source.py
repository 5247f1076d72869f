"""YAML read into plain values, with the place of each of them, so that every fault can name its line and column."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bot.domain.errors import SetupError
from bot.domain.json import Json

MAX_BYTES = 1024 * 1024
"""Nobody writes a longer runbook or catalogue by hand."""

MAX_DEPTH = 40
"""Nor a deeper one; deeper nesting would only exhaust the stack."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read. `most_values`: with aliases followed, each time that they are; 0: none is followed."""

    most_bytes: int = MAX_BYTES
    deepest: int = MAX_DEPTH
    most_values: int = 0


BY_HAND = Limits()
"""Of what people write for Sluice."""

TAGS = "tag:yaml.org,2002:"

Keys: TypeAlias = tuple[str | int, ...]
"""Where a value stands in its document: mapping keys and list indexes from the top."""


class Severity(StrEnum):
    """An error keeps a file from being used; a warning says that it will not do what its author expects."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file. `line` and `column` count from 1; `suggestion` is a clause, or empty."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        said = f"{self.message}; {self.suggestion}" if self.suggestion else self.message
        mark = "" if self.severity is Severity.ERROR else "warning: "
        return f"{self.file}:{self.line}:{self.column}: {mark}{said}"


class Faults(SetupError):
    """Everything wrong at once, in the order of the files; its text has one line for each fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values. `keys` maps to where a value's key (or list item) begins, `values` to the value."""

    file: str
    text: str
    value: Json
    keys: Mapping[Keys, Place] = field(default_factory=dict)
    values: Mapping[Keys, Place] = field(default_factory=dict)

    def fault(self, at: Keys, message: str, suggestion: str = "", *, on_value: bool = False) -> Fault:
        """A fault at a key, or `on_value` at what the key holds; an absent key is placed at the nearest one above."""
        places = self.values if on_value else self.keys
        while at and at not in places:
            at = at[:-1]
        place = places.get(at, Place())
        return Fault(self.file, place.line, place.column, message, suggestion)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The clause that offers the nearest known word; else the known words when they are few; else nothing."""
    words = sorted(set(known))
    near = difflib.get_close_matches(str(word).lower(), words, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= 12 else ""  # noqa: PLR2004 - more than a line of text


def unknown(message: str, word: object, known: Iterable[str]) -> str:
    """A sentence that `word` names nothing, with the nearest word that does, if there is one."""
    offer = did_you_mean(word, known)
    return f"{message}; {offer}" if offer else f"{message}."


def read_file(path: Path, *, shown_as: str | None = None) -> Document:
    """Read a file; `shown_as` is its name in faults. Raises Faults."""
    name = shown_as or str(path)
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise Faults([Fault(name, 1, 1, f"cannot be read: {exc.strerror}")]) from exc
    return read(raw, name)


def read(raw: bytes, name: str, limits: Limits = BY_HAND) -> Document:
    """Read YAML. Refuses what hides or multiplies text: repeated keys, merge keys, tags, and anchors unless the limits
    bound what they multiply. Raises Faults."""
    if len(raw) > limits.most_bytes:
        raise Faults([Fault(name, 1, 1, f"is larger than {limits.most_bytes:,} bytes")])
    try:
        text = raw.decode()
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise Faults([Fault(name, line, 1, "is not UTF-8 text")]) from exc
    return _Reading(name, text, limits).document()


class _Reading:
    """One reading of one file; faults are collected, so that all are told at once."""

    def __init__(self, name: str, text: str, limits: Limits) -> None:
        self._name = name
        self._text = text
        self._limits = limits
        self._count = 0
        self._faults: list[Fault] = []
        self._keys: dict[Keys, Place] = {}
        self._values: dict[Keys, Place] = {}

    def document(self) -> Document:
        try:
            self._refuse_bombs()
            node = YAML(typ="safe", pure=True).compose(self._text)
        except MarkedYAMLError as exc:
            mark = exc.problem_mark or exc.context_mark
            raise Faults([self._fault(mark, _problem(exc))]) from exc
        except ReaderError as exc:
            line = self._text.count("\n", 0, exc.position) + 1
            raise Faults(
                [Fault(self._name, line, 1, f"holds a character that YAML forbids (code {exc.character})")]
            ) from exc
        except (ValueError, OverflowError) as exc:
            # The library's scanner fails so on an escape beyond the last character of Unicode.
            raise Faults([self._fault(None, "holds an escape that names no character")]) from exc
        value = self._plain(node, ()) if node is not None else None
        if self._faults:
            raise Faults(self._faults)
        return Document(self._name, self._text, value, self._keys, self._values)

    def _refuse_bombs(self) -> None:
        """Look at the flat stream of events first: composing follows aliases and recurses into nesting."""
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(self._text):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > self._limits.deepest:
                raise self._too_deep(event.start_mark)
            if self._limits.most_values:
                continue
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                raise Faults([self._fault(event.start_mark, "anchors and aliases are not read", "write the value out")])

    def _too_deep(self, mark: StringMark) -> Faults:
        return Faults([self._fault(mark, f"is nested more than {self._limits.deepest} levels deep")])

    def _bounded(self, node: Node, at: Keys) -> None:
        """An alias repeats what stands elsewhere, and may lead back to what it is a part of."""
        self._count += 1
        if len(at) > self._limits.deepest:
            raise self._too_deep(node.start_mark)
        if self._limits.most_values and self._count > self._limits.most_values:
            most = f"holds more than {self._limits.most_values:,} values, with what its aliases repeat"
            raise Faults([self._fault(node.start_mark, most)])

    def _plain(self, node: Node, at: Keys) -> Json:
        self._bounded(node, at)
        self._values[at] = _place(node.start_mark)
        self._keys.setdefault(at, self._values[at])
        if isinstance(node, MappingNode):
            return self._mapping(node, at)
        if isinstance(node, SequenceNode) and node.tag == TAGS + "seq":
            return [self._plain(item, (*at, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        return self._refused(node)

    def _mapping(self, node: MappingNode, at: Keys) -> Json:
        if node.tag != TAGS + "map":
            return self._refused(node)
        found: dict[str, Json] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag == TAGS + "merge":
                self._faults.append(self._fault(key_node.start_mark, "a key must be plain text"))
                continue
            key = self._text_of(key_node)
            if key in found:
                self._faults.append(self._fault(key_node.start_mark, f"'{key}' is written twice in one mapping"))
            self._keys[(*at, key)] = _place(key_node.start_mark)
            found[key] = self._plain(value_node, (*at, key))
        return found

    def _scalar(self, node: ScalarNode) -> Json:
        text = self._text_of(node)
        match str(node.tag).removeprefix(TAGS):
            case "str" | "timestamp":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float" as kind:
                return self._number(node, text.replace("_", ""), whole=kind == "int")
        return self._refused(node)

    def _text_of(self, node: ScalarNode) -> str:
        text = str(node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._faults.append(self._fault(node.start_mark, "holds half a surrogate pair, which is no text"))
        return text

    def _number(self, node: Node, text: str, *, whole: bool) -> Json:
        try:
            return int(text, 10 if text.lstrip("+-").isdigit() else 0) if whole else _finite(text)
        except ValueError:
            self._faults.append(
                self._fault(node.start_mark, f"'{text[:40]}' is not a number", "quote it if it is text")
            )
            return None

    def _refused(self, node: Node) -> Json:
        self._faults.append(self._fault(node.start_mark, f"the tag {node.tag} is not read", "write the value plainly"))
        return None

    def _fault(self, mark: StringMark | None, message: str, suggestion: str = "") -> Fault:
        place = _place(mark) if mark else Place()
        return Fault(self._name, place.line, place.column, message, suggestion)


def _place(mark: StringMark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _problem(exc: MarkedYAMLError) -> str:
    context = f" {exc.context}" if exc.context else ""
    return f"is not YAML: {exc.problem}{context}"


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
