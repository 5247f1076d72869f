"""Two documents: which operations, parameters, bodies and answers of the older one are no longer what they were."""

from collections.abc import Iterable, Iterator, Mapping

from bot.domain.errors import UnreadableError
from bot.domain.json import Json, JsonObject
from bot.domain.openapi.breaks import Break, Direction
from bot.domain.openapi.document import Document, Operation, mapping
from bot.domain.openapi.schemas import Comparison, Known

GOOD = ("2", "default")
"""Answers that a client waits for: 2xx, or whatever comes."""


def breaks(old: Json, new: Json) -> tuple[Break, ...]:
    """Everything that a client of the older document may stumble over, in its order; what is certain comes first.

    Raises UnreadableError for what is no OpenAPI 3.0 or 3.1 document, has no operations, or is too much to compare.
    """
    before, after = Document(old), Document(new)
    try:
        found = list(_found(before, after))
    except RecursionError as exc:
        raise UnreadableError("its schemas lead into one another too deeply to be compared") from exc
    return tuple(sorted(dict.fromkeys(found), key=lambda one: not one.certain))


def _found(before: Document, after: Document) -> Iterator[Break]:
    offered = {operation.key: operation for operation in after.operations()}
    wanted, known = tuple(before.operations()), Known()
    if not wanted:
        raise UnreadableError("it has no operations, so that nothing can be told of its clients")
    for operation in wanted:
        other = offered.get(operation.key)
        if other is None:
            yield Break(str(operation), "is gone")
        else:
            yield from _Pair(before, after, operation, other, known=known).breaks()


class _Pair:
    """One operation in both documents."""

    def __init__(self, before: Document, after: Document, old: Operation, new: Operation, *, known: Known) -> None:
        self._before, self._after, self._old, self._new, self._known = before, after, old, new, known

    def breaks(self) -> Iterator[Break]:
        yield from self._parameters()
        yield from self._request()
        yield from self._answers()
        yield from self._login()

    # --- what is sent ---

    def _parameters(self) -> Iterator[Break]:
        old, new = _by_place(self._old), _by_place(self._new)
        for key, parameter in new.items():
            if key not in old and parameter.get("required"):
                yield self._at(f"{key[0]} {parameter.get('name')}", "must be given now")
        for key, parameter in old.items():
            said = f"{key[0]} {parameter.get('name')}"
            if key not in new:
                yield self._at(said, "is no longer known", certain=False)
            else:
                yield from self._parameter(parameter, new[key], said)

    def _parameter(self, old: JsonObject, new: JsonObject, said: str) -> Iterator[Break]:
        if new.get("required") and not old.get("required"):
            yield self._at(said, "must be given now")
        comparison = Comparison(self._before, self._after, Direction.REQUEST, self._known)
        yield from self._placed(comparison.found(old.get("schema", {}), new.get("schema", {}), said))
        for word in ("style", "explode", "allowReserved"):
            if _written_so(old, word) != _written_so(new, word):
                yield self._at(said, f"is written in another way: its '{word}' changed")
        if "content" in old or "content" in new:
            yield from self._contents(old, new, said, Direction.REQUEST)

    def _request(self) -> Iterator[Break]:
        old = self._part(self._before, self._old.body.get("requestBody"), "the request")
        new = self._part(self._after, self._new.body.get("requestBody"), "the request")
        if new.get("required") and not old.get("required"):
            yield self._at("the request", "must have a body now")
        if old and new:
            yield from self._contents(old, new, "the request", Direction.REQUEST)
        elif old:
            yield self._at("the request", "takes no body any more")

    # --- what is answered ---

    def _answers(self) -> Iterator[Break]:
        old = mapping(self._old.body.get("responses") or {}, f"responses of {self._old}")
        new = mapping(self._new.body.get("responses") or {}, f"responses of {self._new}")
        for status, answer in old.items():
            found = status if status in new else f"{status[:1]}XX"
            if found not in new:
                if status.startswith(GOOD):
                    yield self._at(status, "is no longer answered")
                continue
            before, after = self._part(self._before, answer, status), self._part(self._after, new[found], status)
            yield from self._contents(before, after, status, Direction.RESPONSE)
            yield from self._headers(before, after, status)

    def _headers(self, before: JsonObject, after: JsonObject, status: str) -> Iterator[Break]:
        known = {name.lower() for name in mapping(after.get("headers") or {}, "headers")}
        for name, written in mapping(before.get("headers") or {}, "headers").items():
            if name.lower() not in known:
                needed = bool(self._before.resolved(written, name).get("required"))
                yield self._at(f"{status} header {name}", "is gone", certain=needed)

    # --- pieces ---

    def _contents(self, before: JsonObject, after: JsonObject, where: str, direction: Direction) -> Iterator[Break]:
        olds = mapping(before.get("content") or {}, f"content of {where}")
        news = mapping(after.get("content") or {}, f"content of {where}")
        for media, written in olds.items():
            found = media if media in news else "*/*"
            if found not in news:
                yield self._at(where, f"{media} is gone")
                continue
            old, new = mapping(written, media).get("schema", {}), mapping(news[found], media).get("schema", {})
            comparison = Comparison(self._before, self._after, direction, self._known)
            yield from self._placed(comparison.found(old, new, ""), under=where)

    def _login(self) -> Iterator[Break]:
        """Every way in that there was must still lead in."""
        new = self._after.security(self._new)
        for way in self._before.security(self._old) or [{}]:
            if new and not any(_leads_in(way, other) for other in new):
                yield self._at("login", f"{' and '.join(way) or 'nobody had to, and that'} no longer suffices")

    def _part(self, document: Document, value: Json, where: str) -> JsonObject:
        return {} if value is None else document.resolved(value, f"{where} of {self._old}")

    def _placed(self, found: Iterable[Break], *, under: str = "") -> Iterator[Break]:
        for one in found:
            yield self._at(" ".join(part for part in (under, one.where) if part), one.what, certain=one.certain)

    def _at(self, where: str, what: str, *, certain: bool = True) -> Break:
        return Break(f"{self._old} {where}", what, certain)


def _by_place(operation: Operation) -> dict[tuple[str, str], JsonObject]:
    """Parameters by where they stand and what they are called; those of the path by their place in it."""
    found: dict[tuple[str, str], JsonObject] = {}
    for parameter in operation.parameters:
        place, name = str(parameter.get("in")), str(parameter.get("name"))
        if place == "path":
            name = str(operation.path.partition(f"{{{name}}}")[0].count("{"))
        found[place, name.lower() if place == "header" else name] = parameter
    return found


def _written_so(parameter: JsonObject, word: str) -> Json:
    """How a parameter is written, with what holds where it says nothing (OpenAPI 3.1.1, "Parameter Object")."""
    style = parameter.get("style", "form" if parameter.get("in") in ("query", "cookie") else "simple")
    return style if word == "style" else parameter.get(word, word == "explode" and style == "form")


def _leads_in(way: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether who could log in by `way` can by `other`: it asks for no scheme and no scope beyond."""
    return all(scheme in way and _scopes(scopes) <= _scopes(way[scheme]) for scheme, scopes in other.items())


def _scopes(written: Json) -> set[str]:
    return {str(one) for one in written} if isinstance(written, list) else set()
