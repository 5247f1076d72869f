"""Blocks as Slack keeps them: each with an id, and each of their elements too."""

from typing import Any

Body = dict[str, Any]


def numbered(blocks: list[Body]) -> list[Body]:
    """The same blocks; what had no id has one. They have been checked."""
    return [_block(block, number) for number, block in enumerate(blocks)]


def _block(block: Body, number: int) -> Body:
    kept: Body = {"block_id": f"b{number}"} | block
    for field in ("element", "accessory"):
        if field in kept and kept[field]["type"] != "image":
            kept[field] = {"action_id": f"b{number}a"} | kept[field]
    if kept["type"] == "actions":
        listed = enumerate(kept["elements"])
        kept["elements"] = [{"action_id": f"b{number}a{place}"} | element for place, element in listed]
    return kept
