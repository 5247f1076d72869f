"""Two schemas: whether what is sent still fits, and what is answered is still what a client expects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.errors import UnreadableError
from bot.domain.json import Json, JsonObject, canonical
from bot.domain.openapi.breaks import Break, Direction
from bot.domain.openapi.document import Document, mapping

ANYTHING = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UNLIKE = "allOf"
"""In what is put together: keywords of which parts say different things. The first one counts, and when any of them
changes, that is named."""

TOGETHER = frozenset({"properties", "required", "title", "description", "example", "examples", "deprecated", UNLIKE})
"""Keywords of which parts may say different things: they are joined, or say nothing to a client's code."""

UNJUDGED = (
    UNLIKE,
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "prefixItems",
    "dependentSchemas",
    "contains",
    "multipleOf",
)
"""Keywords whose change nobody judges here: where they differ, that is named as a break, as it may be one."""

MOST_NAMED = 3

MOST_PAIRS = 100_000
"""Pairs of schemas that are compared for two documents, some seconds' worth: forms within forms multiply."""

Pair = tuple[str, str]
"""Two schemas as canonical JSON."""


@dataclass(slots=True)
class Known:
    """What the comparisons of two documents share: how many more there may be, and the pairs of schemas in which
    nothing was found, by direction."""

    left: int = MOST_PAIRS
    clean: dict[Direction, set[Pair]] = field(default_factory=lambda: {each: set() for each in Direction})

    def spend(self) -> None:
        """One comparison. Raises UnreadableError when there were too many."""
        self.left -= 1
        if self.left < 0:
            raise UnreadableError(f"it has more than {MOST_PAIRS:,} schemas and forms of them to compare")


@dataclass(slots=True)
class Comparison:
    """Compares schemas of two documents, the older one's first. Rings of references are walked once."""

    old: Document
    new: Document
    direction: Direction
    known: Known
    _walked: set[Pair] = field(default_factory=set)

    def found(self, old: Json, new: Json, where: str) -> list[Break]:
        """What changed for the worse between two schemas, and what is inside them."""
        found = list(self.breaks(old, new, where))
        if not found:
            # Nothing was found in any of these pairs, and they lead to no others: nobody need walk them again.
            self.known.clean[self.direction] |= self._walked
        return found

    def breaks(self, old: Json, new: Json, where: str) -> Iterator[Break]:
        """The same, one by one; pairs that were walked already have told theirs."""
        pair = (canonical(old), canonical(new))
        if pair in self._walked or pair in self.known.clean[self.direction]:
            return
        self.known.spend()
        self._walked.add(pair)
        before, after = self._read(self.old, old, where), self._read(self.new, new, where)
        if _variants(before) or _variants(after):
            yield from self._forms(before, after, where)
            return
        kinds = list(self._kinds(before, after, where))
        yield from kinds
        if not kinds:
            yield from self._values(before, after, where)
            yield from self._bounds(before, after, where)
            yield from self._unjudged(before, after, where)
            yield from self._properties(before, after, where)
            yield from self._items(before, after, where)

    # --- reading ---

    def _read(self, document: Document, value: Json, where: str) -> JsonObject:
        """A schema with its references followed and its `allOf` put together."""
        if isinstance(value, bool):
            return {} if value else {"not": {}}
        found = dict(document.resolved(value, where))
        for part in _list(found.pop("allOf", None)):
            found = _together(found, self._read(document, part, where))
        return found

    # --- one of several forms ---

    def _forms(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        """Whoever sends a form must find one that takes it; whoever reads must know each form that comes."""
        olds, news = _variants(before) or [before], _variants(after) or [after]
        sent, known = (olds, news) if self.direction is Direction.REQUEST else (news, olds)
        for form in sent:
            if not any(self._fits(form, other) for other in known):
                what = "no longer takes a form that it took" if sent is olds else "may come in a form that is new"
                yield Break(where, what)
        if _variants(before) and _variants(after):
            rest = [_without_variants(one) for one in (before, after)]
            yield from self.breaks(rest[0], rest[1], where)

    def _fits(self, form: Json, other: Json) -> bool:
        old, new = (form, other) if self.direction is Direction.REQUEST else (other, form)
        trial = Comparison(self.old, self.new, self.direction, self.known, set(self._walked))
        return not any(found.certain for found in trial.breaks(old, new, ""))

    # --- one form ---

    def _kinds(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        old, new = types(before), types(after)
        sent, known = (old, new) if self.direction is Direction.REQUEST else (new, old)
        lost = {kind for kind in sent if kind not in known and not (kind == "integer" and "number" in known)}
        if not lost:
            return
        said = f"was {_spoken(old)} and is {_spoken(new)}"
        yield Break(where, said if lost != {"null"} else f"{said}: null {'is refused' if sent is old else 'may come'}")

    def _values(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        old, new = _values(before), _values(after)
        if self.direction is Direction.REQUEST and new is not None:
            gone = "a fixed list now" if old is None else _named([one for one in old if one not in new])
            if gone:
                yield Break(where, f"takes only {gone}" if old is None else f"no longer takes {gone}")
        if self.direction is Direction.RESPONSE and old is not None:
            more = "other values than the list had" if new is None else _named([one for one in new if one not in old])
            if more:
                yield Break(where, f"may be {more}", certain=new is None)
        if before.get("format") != after.get("format") and (
            after.get("format") or self.direction is Direction.RESPONSE
        ):
            yield Break(where, f"its format was {before.get('format')} and is {after.get('format')}")

    def _bounds(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        request = self.direction is Direction.REQUEST
        for words, worse in ((UPPER, -1), (LOWER, 1)):
            for word in words:
                old, new = _number(before.get(word)), _number(after.get(word))
                if old == new:
                    continue
                tighter = new is not None and (old is None or (new - old) * worse > 0)
                if tighter is request:
                    yield Break(where, f"its {word} was {_shown(old)} and is {_shown(new)}", certain=request)
        yield from self._exclusive(before, after, where)
        if before.get("pattern") != after.get("pattern") and (request and after.get("pattern")):
            yield Break(where, "must match another pattern")
        if request and after.get("uniqueItems") and not before.get("uniqueItems"):
            yield Break(where, "must hold nothing twice")

    def _exclusive(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        """In OpenAPI 3.0 these words are no numbers: they say whether the bound itself is one too many."""
        request = self.direction is Direction.REQUEST
        for word in ("exclusiveMaximum", "exclusiveMinimum"):
            if (after if request else before).get(word) is True and before.get(word) != after.get(word):
                yield Break(where, f"its {word} changed", certain=request)

    def _unjudged(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        for word in UNJUDGED:
            if before.get(word) != after.get(word):
                yield Break(where, f"its '{word}' changed, and nobody can tell here whom that breaks")

    def _properties(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        olds, news = self._visible(before, self.old, where), self._visible(after, self.new, where)
        needed, needs = _names(before.get("required")), _names(after.get("required"))
        request = self.direction is Direction.REQUEST
        closed = after.get("additionalProperties") is False
        for name, schema in olds.items():
            at = f"{where}.{name}" if where else name
            if name in news:
                yield from self.breaks(schema, news[name], at)
            elif request:
                yield Break(at, "is no longer known", certain=closed)
            else:
                yield Break(at, "is gone", certain=name in needed)
        changed = needs - needed if request else needed - needs
        for name in sorted(changed & news.keys() if request else changed & news.keys() & olds.keys()):
            yield Break(f"{where}.{name}" if where else name, "must be given now" if request else "may be missing")
        if request and closed and before.get("additionalProperties") is not False:
            yield Break(where, "takes no other properties any more")

    def _visible(self, schema: JsonObject, document: Document, where: str) -> dict[str, Json]:
        """The properties that go this way: what can only be read is not sent, and the other way round."""
        hidden = "readOnly" if self.direction is Direction.REQUEST else "writeOnly"
        found = mapping(schema.get("properties") or {}, f"properties of {where}")
        return {
            name: value
            for name, value in found.items()
            if isinstance(value, bool) or not document.resolved(value, name).get(hidden)
        }

    def _items(self, before: JsonObject, after: JsonObject, where: str) -> Iterator[Break]:
        for word, shown in (("items", f"{where}[]"), ("additionalProperties", f"{where}.*")):
            old, new = before.get(word, {}), after.get(word, {})
            if isinstance(old, dict) and isinstance(new, dict):
                yield from self.breaks(old, new, shown)


def types(schema: Mapping[str, Json]) -> frozenset[str]:
    """The JSON types that a schema lets through; everything where it names none."""
    written = schema.get("type")
    named = {written} if isinstance(written, str) else {str(one) for one in _list(written)}
    if not named:
        named = {"object"} if "properties" in schema else {"array"} if "items" in schema else set(ANYTHING)
    return frozenset(named | ({"null"} if schema.get("nullable") is True else set()))


def _together(one: JsonObject, other: JsonObject) -> JsonObject:
    """What fits both: properties and demands of each; a property that both name must fit both, too."""
    joined: JsonObject = {**other, **one}
    mine, theirs = (mapping(each.get("properties") or {}, "properties") for each in (one, other))
    if mine or theirs:
        both: JsonObject = {name: {"allOf": [mine[name], theirs[name]]} for name in mine.keys() & theirs.keys()}
        joined["properties"] = {**theirs, **mine, **both}
    needed = sorted(_names(one.get("required")) | _names(other.get("required")))
    if needed:
        joined["required"] = [*needed]
    clashing = [[word, one[word], other[word]] for word in sorted(one.keys() & other.keys() - TOGETHER)]
    unlike = [clash for clash in clashing if clash[1] != clash[2]]
    if unlike:
        joined[UNLIKE] = [*_list(joined.get(UNLIKE)), *unlike]
    return joined


def _variants(schema: JsonObject) -> list[Json]:
    return [*_list(schema.get("oneOf")), *_list(schema.get("anyOf"))]


def _without_variants(schema: JsonObject) -> JsonObject:
    return {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf", "discriminator")}


def _values(schema: JsonObject) -> list[Json] | None:
    if "const" in schema:
        return [schema["const"]]
    written = schema.get("enum")
    return written if isinstance(written, list) else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _names(value: Json) -> set[str]:
    return {str(one) for one in _list(value)}


def _number(value: Json) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError as exc:
        raise UnreadableError("it names a number that is beyond all bounds") from exc


def _shown(value: float | None) -> str:
    return "not set" if value is None else f"{value:g}"


def _spoken(kinds: frozenset[str]) -> str:
    return "anything" if kinds >= ANYTHING else " or ".join(sorted(kinds))


def _named(values: list[Json]) -> str:
    more = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
    return ", ".join(repr(value) for value in values[:MOST_NAMED]) + more
