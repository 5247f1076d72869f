"""An OpenAPI document: its operations, and the parts that it refers to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.errors import UnreadableError
from bot.domain.json import Json, JsonObject

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
KNOWN = re.compile(r"3\.[01]\.\d+(-.+)?")
DEEPEST = 50
"""References that lead to references: more than this is a ring."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one path takes and gives. `key` names it whatever its path parameters are called."""

    method: str
    path: str
    body: JsonObject
    parameters: tuple[JsonObject, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Method and path with nameless parameters."""
        return self.method, re.sub(r"\{[^}]*\}", "{}", self.path)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


class Document:
    """A whole document; what is wrong with its shape is an UnreadableError that names the place."""

    def __init__(self, value: Json) -> None:
        self._value = mapping(value, "the document")
        said = self._value.get("openapi", self._value.get("swagger"))
        if not isinstance(said, str) or not KNOWN.fullmatch(said):
            raise UnreadableError(f"it is no OpenAPI document of version 3.0 or 3.1 (it says {said!r})")

    def operations(self) -> Iterator[Operation]:
        """All operations, with the parameters of their paths."""
        for path, written in mapping(self._value.get("paths") or {}, "paths").items():
            item = self.resolved(written, path)
            shared = self._parameters(item, path)
            for method in METHODS:
                if method in item:
                    body = mapping(item[method], f"{method} of {path}")
                    own = self._parameters(body, f"{method} of {path}")
                    taken = {(str(one.get("in")), str(one.get("name"))) for one in own}
                    left = [one for one in shared if (str(one.get("in")), str(one.get("name"))) not in taken]
                    yield Operation(method, path, body, (*left, *own))

    def resolved(self, value: Json, where: str) -> JsonObject:
        """A part of the document, with a reference followed to what it means. Other keys beside a reference, as 3.1
        allows, are kept."""
        found = mapping(value, where)
        for _ in range(DEEPEST):
            target = found.get("$ref")
            if target is None:
                return found
            beside = {key: kept for key, kept in found.items() if key != "$ref"}
            found = {**mapping(self._at(target, where), str(target)), **beside}
        raise UnreadableError(f"{where} refers to itself")

    def security(self, operation: Operation) -> Sequence[Mapping[str, Json]]:
        """The ways to log in, any of which will do; none at all: nobody has to."""
        ways = operation.body.get("security", self._value.get("security")) or []
        return [mapping(way, f"security of {operation}") for way in ways] if isinstance(ways, list) else []

    def _parameters(self, holder: JsonObject, where: str) -> list[JsonObject]:
        written = holder.get("parameters") or []
        if not isinstance(written, list):
            raise UnreadableError(f"the parameters of {where} are no list")
        return [self.resolved(one, f"a parameter of {where}") for one in written]

    def _at(self, target: Json, where: str) -> Json:
        if not isinstance(target, str) or not target.startswith("#/"):
            raise UnreadableError(
                f"{where} refers to {target!r}, which is not in the document; bundle it into one file"
            )
        found: Json = self._value
        for part in target.removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise UnreadableError(f"{where} refers to {target!r}, and there is no such part")
            found = found[name]
        return found


def mapping(value: Json, where: str) -> JsonObject:
    """A mapping. Raises UnreadableError for anything else."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{where} is no mapping")
    return value
