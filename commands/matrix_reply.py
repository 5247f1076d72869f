"""The text of `/release matrix`: a table that a phone can show, and a line for each pair that does not go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.release import ReleaseRecord
from bot.domain.target import Target
from commands.reply import Reply
from commands.wording import clipped, safe, shown, typed, version
from runbooks.durations import roughly
from runbooks.matrix import Pair
from runbooks.needs import PROVEN

NOTHING = "–"
UNWELL, BUSY = "✗", "…"
WIDEST_REF = 24
FENCE = "```"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one target runs; `busy`: a release to it is under way."""

    target: Target
    running: ReleaseRecord | None
    busy: bool


def matrix(cells: Sequence[Cell], pairs: Sequence[Pair], now: datetime) -> Reply:
    """Services down, environments across."""
    services = list(dict.fromkeys(cell.target.service for cell in cells))
    environments = list(dict.fromkeys(cell.target.environment for cell in cells))
    known = {cell.target: cell for cell in cells}
    table = [["", *environments]]
    for service in services:
        row = [known.get(Target(service, environment)) for environment in environments]
        table.append([service, *(_cell(cell, now) for cell in row)])
    lines = [_pair(pair) for pair in pairs]
    signs = f"{UNWELL} not healthy · {BUSY} a release is under way · {NOTHING} nothing recorded"
    head = clipped(_drawn(table), more=f"Narrow it: {typed('matrix <service>')}.")
    together = lines or ["All that was recorded goes together."]
    return Reply("\n".join([f"{FENCE}\n{head}\n{FENCE}", signs, *together[:_MOST], *_more(together)]))


_MOST = 8


def _more(lines: Sequence[str]) -> list[str]:
    left = len(lines) - _MOST
    return [f"… and {left} more. Narrow it: {typed('matrix <service>')}."] if left > 0 else []


def _cell(cell: Cell | None, now: datetime) -> str:
    if cell is None:
        return ""
    busy = f" {BUSY}" if cell.busy else ""
    if cell.running is None:
        return f"{NOTHING}{busy}"
    ref = shown(cell.running.ref)
    ref = ref if len(ref) <= WIDEST_REF else f"{ref[: WIDEST_REF - 1]}…"
    unwell = "" if cell.running.healthy else f" {UNWELL}"
    return f"{ref} {roughly(now - cell.running.since)}{unwell}{busy}"


def _drawn(table: Sequence[Sequence[str]]) -> list[str]:
    """The columns under one another; nothing in it can end the block that it stands in."""
    plain = [[safe(cell.replace("`", "'")) for cell in row] for row in table]
    widths = [max(len(row[column]) for row in plain) for column in range(len(plain[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in plain]


def _pair(pair: Pair) -> str:
    mine, other = pair.service, pair.other
    ours = f"{safe(mine.target.service)} {version(mine.ref)}"
    theirs = f"{safe(other.target.service)} {version(other.ref)}"
    where = f"in *{pair.environment}*"
    if pair.wanted == PROVEN:
        return f":warning: {ours} {where} was not proven in *{pair.before}* beside {theirs}, which runs there."
    wanted = f"{safe(other.target.service)} {safe(pair.wanted)}"
    if pair.known:
        return f":warning: {ours} {where} needs {wanted}, and {version(other.ref)} runs there."
    return f":grey_question: {ours} {where} needs {wanted}; {version(other.ref)} is no version to compare."
