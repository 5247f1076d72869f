"""Blocks as Slack keeps them: each with an id, and each of their elements too."""

from typing import Any

Body = dict[str, Any]

_HOLDING_ONE = {"section": "accessory", "input": "element"}


def numbered(blocks: list[Body]) -> list[Body]:
    """The same blocks; what had no id has one. They have been checked."""
    return [_block(block, number) for number, block in enumerate(blocks)]


def _block(block: Body, number: int) -> Body:
    kept: Body = {"block_id": f"b{number}"} | _said(block)
    field = _HOLDING_ONE.get(kept["type"], "")
    if field in kept and kept[field]["type"] != "image":
        kept[field] = {"action_id": f"b{number}a"} | _said(kept[field])
    if kept["type"] == "actions":
        listed = enumerate(kept["elements"])
        kept["elements"] = [{"action_id": f"b{number}a{place}"} | _said(element) for place, element in listed]
    return kept


def _said(given: Body) -> Body:
    """Without what is `null`: that is as good as not there."""
    return {name: value for name, value in given.items() if value is not None}
