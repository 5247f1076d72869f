"""What happened in a rehearsal, as text, Markdown or JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum


class Format(StrEnum):
    """How a transcript is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `after_s` seconds since the beginning. `who` did or said it: a person, the bot, or
    `world` for what was broken or mended. `place`: channel, thread, private or empty."""

    after_s: float
    who: str
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal that is over. `seen` is how it ended, `wanted` how it may end by the scenario, for the reason `why`;
    `faults` is what was not right besides. `left_out` are gates whose evidence a rehearsal does not have."""

    runbook: str
    scenario: str
    command: str
    seen: str
    wanted: tuple[str, ...]
    why: str
    took_s: float
    faults: tuple[str, ...]
    left_out: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def is_good(self) -> bool:
        """Whether it ended as the scenario demands, and nothing else was wrong."""
        return self.seen in self.wanted and not self.faults


def write(found: Sequence[Rehearsed], form: Format) -> str:
    """All of them, in one text."""
    if form is Format.JSON:
        return json.dumps([{**asdict(each), "is_good": each.is_good} for each in found], indent=2, ensure_ascii=False)
    writer: Callable[[Rehearsed], str] = _markdown if form is Format.MARKDOWN else _text
    return "\n\n".join(writer(each) for each in found)


def verdict(each: Rehearsed) -> str:
    """One line: how it ended, and whether that is right."""
    sign = "✅" if each.is_good else "❌"
    wanted = " or ".join(each.wanted)
    ended = f"{each.runbook} · {each.scenario}: {each.seen} after {clock(each.took_s)}"
    if each.seen not in each.wanted:
        ended += f", should be {wanted}"
    return f"{sign} {ended} ({each.why})" + "".join(f"\n   ✗ {fault}" for fault in each.faults)


def clock(after_s: float) -> str:
    """Seconds as hours, minutes and seconds."""
    return str(timedelta(seconds=int(after_s)))


def _text(each: Rehearsed) -> str:
    lines = [f"── {each.runbook} · {each.scenario} " + "─" * 40, *_left_out(each)]
    for line in each.lines:
        head = f"{clock(line.after_s):>8}  {line.who:<7} {line.place:<8} "
        lines.append(head + line.text.replace("\n", f"\n{' ' * len(head)}"))
    return "\n".join([*lines, "", verdict(each)])


def _markdown(each: Rehearsed) -> str:
    rows = [f"| {clock(line.after_s)} | {line.who} | {line.place} | {_cell(line.text)} |" for line in each.lines]
    table = ["| after | who | where | what |", "| --- | --- | --- | --- |", *rows]
    return "\n".join([f"## {each.runbook} · {each.scenario}", "", verdict(each), "", *_left_out(each), *table])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def _left_out(each: Rehearsed) -> list[str]:
    if not each.left_out:
        return []
    return [f"Left out, for a rehearsal does not have what they ask: {', '.join(each.left_out)}.", ""]
