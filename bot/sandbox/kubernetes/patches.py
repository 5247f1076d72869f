"""The three kinds of patches. Pure: what is patched is not touched, what stays is shared."""

import json
from collections.abc import Callable
from typing import Any

from bot.sandbox.kubernetes.refusals import RefusalError
from bot.sandbox.kubernetes.resources import Raw

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "ownerReferences": "uid",
    "conditions": "type",
}
"""Lists of built-in kinds that a strategic merge joins entry by entry (`patchMergeKey` in their types)."""

DIRECTIVES = ("$setElementOrder/", "$retainKeys", "$deleteFromPrimitiveList/")


def merged(old: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386): lists are replaced as a whole."""
    if not isinstance(patch, dict):
        return patch
    made = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made


def strategic(old: Any, patch: Any) -> Any:
    """A strategic merge patch: lists with a key of their own are joined by it. The order of entries in
    `$setElementOrder` is not followed; new entries come last."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    made = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if key.startswith(DIRECTIVES) or key == "$patch":
            _directed(made, key, value)
        elif value is None:
            made.pop(key, None)
        elif isinstance(value, list):
            made[key] = _joined(key, made.get(key) or [], value)
        else:
            made[key] = strategic(made.get(key), value)
    return made


def _directed(made: Raw, key: str, value: Any) -> None:
    if key.startswith("$deleteFromPrimitiveList/"):
        name = key.partition("/")[2]
        made[name] = [one for one in made.get(name) or [] if one not in value]


def _joined(name: str, old: list[Any], patch: list[Any]) -> list[Any]:
    if name == "finalizers":
        return [*old, *(one for one in patch if one not in old)]
    by = _merge_key(name, [*old, *patch])
    if not by:
        return patch
    if {"$patch": "replace"} in patch:
        return [one for one in patch if one != {"$patch": "replace"}]
    made = {one[by]: one for one in old}
    for one in patch:
        if one.get("$patch") == "delete":
            made.pop(one.get(by), None)
        elif by not in one:
            raise RefusalError(400, f"map: {json.dumps(one)} does not contain declared merge key: {by}")
        else:
            made[one[by]] = strategic(made.get(one[by]), one)
    return list(made.values())


def _merge_key(name: str, entries: list[Any]) -> str:
    if name == "ports":
        # Containers are joined by the port they listen on, Services by the one they offer.
        return "containerPort" if any("containerPort" in one for one in entries) else "port"
    return MERGE_KEYS.get(name, "")


def operations(old: Raw, patch: list[Raw]) -> Raw:
    """A JSON patch (RFC 6902). Raises RefusalError for one that does not fit."""
    made: Any = json.loads(json.dumps(old))
    for one in patch:
        try:
            made = _operated(made, one)
        except (KeyError, IndexError, TypeError, ValueError) as exc:
            said = f"the server rejected our request due to an error in our request: {exc}"
            raise RefusalError(422, said, "Invalid") from exc
    result: Raw = made
    return result


def _operated(made: Any, one: Raw) -> Any:
    path = _pointer(one["path"])
    match one["op"]:
        case "test":
            if _at(made, path) != one["value"]:
                raise ValueError(f"testing path {one['path']} failed")
        case "remove":
            _take(made, path)
        case "add":
            _add(made, path, one["value"])
        case "replace":
            _take(made, path)
            _add(made, path, one["value"])
        case "copy":
            _add(made, path, json.loads(json.dumps(_at(made, _pointer(one["from"])))))
        case "move":
            _add(made, path, _take(made, _pointer(one["from"])))
        case other:
            raise ValueError(f"unexpected kind: {other}")
    return made


def _pointer(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _at(made: Any, path: list[str]) -> Any:
    for part in path:
        made = made[int(part)] if isinstance(made, list) else made[part]
    return made


def _take(made: Any, path: list[str]) -> Any:
    parent = _at(made, path[:-1])
    return parent.pop(int(path[-1]) if isinstance(parent, list) else path[-1])


def _add(made: Any, path: list[str], value: Any) -> None:
    parent = _at(made, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else int(path[-1]), value)
    else:
        parent[path[-1]] = value


Patch = Callable[[Raw], Raw]

CONTENT_TYPES: dict[str, Callable[[Any, Any], Any]] = {
    "application/json-patch+json": operations,
    "application/merge-patch+json": merged,
    "application/strategic-merge-patch+json": strategic,
}


def patch_of(content_type: str, body: Any, *, custom: bool) -> Patch:
    """What a PATCH does to its object. Custom resources know no strategic merge. Raises RefusalError."""
    known = [one for one in CONTENT_TYPES if not (custom and "strategic" in one)]
    if content_type not in known:
        raise RefusalError(
            415, f"the body of the request was in an unknown format - accepted media types include: {', '.join(known)}"
        )
    if not isinstance(body, list if content_type == "application/json-patch+json" else dict):
        raise RefusalError(400, "the body of the request is no patch of its content type")
    return lambda old: CONTENT_TYPES[content_type](old, body)
