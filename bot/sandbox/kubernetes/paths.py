"""What a request's path means. Pure."""

from dataclasses import dataclass

from bot.sandbox.kubernetes.resources import BY_PLURAL, NAMESPACES, Key, Kind

DEPTH = 3
"""Plural, name, subresource."""


@dataclass(frozen=True, slots=True)
class Place:
    """A collection (`name` is empty), an object, or a part of one. `version` is the one asked for."""

    kind: Kind
    version: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """Where the object stands."""
        return (self.namespace if self.kind.namespaced else ""), self.name

    @property
    def api_version(self) -> str:
        """The version asked for, with its group."""
        return self.kind.in_version(self.version)


def place_of(path: str) -> Place | None:
    """The place; `None`: the server has nothing there."""
    match [part for part in path.split("/") if part]:
        case ["api", "v1", *rest]:
            return _place("", "v1", rest)
        case ["apis", group, version, *rest]:
            return _place(group, version, rest)
    return None


def _place(group: str, version: str, rest: list[str]) -> Place | None:
    namespace = ""
    match rest:
        case [NAMESPACES.plural, within, plural, *_] if (group, version, plural) in BY_PLURAL:
            namespace, rest = within, rest[2:]
        case []:
            return None
    kind = BY_PLURAL.get((group, version, rest[0]))
    if kind is None or (namespace and not kind.namespaced):
        return None
    if len(rest) > DEPTH or (kind.namespaced and len(rest) > 1 and not namespace):
        return None
    name, subresource = (*rest[1:], "", "")[:2]
    return Place(kind, version, namespace, name, subresource)
