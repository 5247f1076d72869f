"""Rules for JSON, which say what is wrong where, in the words of Slack's own answers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Rule = Callable[[Any, str], Iterator[str]]
"""Given a value and the JSON pointer to it, every complaint about it."""


def complaint(said: str, at: str) -> str:
    """One complaint, as Slack words them."""
    return f"{said} [json-pointer:{at}]"


def length(text: str) -> int:
    """Slack counts UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def a_string(most: int, *, least: int = 0) -> Rule:
    """A string within its limits."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield complaint("must provide a string", at)
        elif length(value) > most:
            yield complaint(f"must be less than {most + 1} characters", at)
        elif length(value.strip() if least else value) < least:
            yield complaint(f"must be more than {least - 1} characters", at)

    return check


def a_bool(value: Any, at: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield complaint("must provide a boolean", at)


def a_number(least: int, most: int) -> Rule:
    """A whole number between two, both allowed."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield complaint(f"must be a number between {least} and {most}", at)

    return check


def anything(_value: Any, _at: str) -> Iterator[str]:
    """Not looked into."""
    yield from ()


def one_of(*allowed: str) -> Rule:
    """One of these words."""

    def check(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield complaint("must be a valid enum value", at)

    return check


def a_list(item: Rule, most: int, *, least: int = 1) -> Rule:
    """A list within its limits, each item by one rule."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield complaint("must provide an array", at)
            return
        if len(value) > most:
            yield complaint(f"no more than {most} items allowed", at)
        if len(value) < least:
            yield complaint(f"no fewer than {least} items allowed", at)
        for number, entry in enumerate(value):
            yield from item(entry, f"{at}/{number}")

    return check


def an_object(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object of these fields and no others; `type` is another rule's affair."""
    known = {"type": anything, **(optional or {}), **required}

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield complaint("must provide an object", at)
            return
        for name in required:
            if value.get(name) is None:
                yield complaint(f"missing required field: {name}", at)
        for name, entry in value.items():
            if name not in known:
                yield complaint(f"additional property: {name}", at)
            elif entry is not None:
                yield from known[name](entry, f"{at}/{name}")

    return check


def by_type(rules: Mapping[str, Rule]) -> Rule:
    """An object whose `type` says which rule it follows."""

    def check(value: Any, at: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            yield complaint("missing required field: type", at)
        elif kind not in rules:
            yield complaint(f"unsupported type: {kind}", f"{at}/type")
        else:
            yield from rules[kind](value, at)

    return check


def both(first: Rule, second: Rule) -> Rule:
    """Two rules for the same value; the second looks only at what pleased the first."""

    def check(value: Any, at: str) -> Iterator[str]:
        complaints = list(first(value, at))
        yield from complaints or second(value, at)

    return check
