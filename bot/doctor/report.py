"""What people read, and what scripts read. Pure."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from bot.doctor.finding import Finding, Grade

WIDTH = 80
WORST_LAST = (Grade.WARNING, Grade.UNKNOWN, Grade.FAULT)
MARGIN = 10
"""Columns for the grade; it is a word, so that no colour is needed."""

PLURALS = {Grade.WARNING: "warnings", Grade.UNKNOWN: "unknown", Grade.FAULT: "faults"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line and the grade of what it is about; `None`: it is about none."""

    text: str
    grade: Grade | None = None


def lines(findings: Sequence[Finding], *, width: int = WIDTH) -> Iterator[Line]:
    """What is well by area, then what is to be mended, the worst last, where the eye is; then the sum."""
    well = [finding for finding in findings if finding.grade is Grade.OK]
    for area, group in groupby(well, key=lambda finding: finding.area):
        yield Line(str(area))
        for finding in group:
            yield from _wrapped("ok", f"{finding.subject}: {finding.seen}", Grade.OK, width=width)
    bad = sorted(
        (finding for finding in findings if finding.grade is not Grade.OK),
        key=lambda finding: WORST_LAST.index(finding.grade),
    )
    for finding in bad:
        yield Line("")
        said = f"{finding.area}, {finding.subject}: {finding.seen}"
        yield from _wrapped(str(finding.grade), said, finding.grade, width=width)
        yield from _wrapped("", f"fix: {finding.fix}", None, width=width)
    yield Line("")
    yield Line(summary(findings))


def summary(findings: Sequence[Finding]) -> str:
    """The sum in a line."""
    count = Counter(finding.grade for finding in findings)
    if not any(grade.stops for grade in count):
        warned = f", {_counted(count, Grade.WARNING)}" if count[Grade.WARNING] else ""
        return f"All well: {count[Grade.OK]} things looked at{warned}."
    bad = [_counted(count, grade) for grade in reversed(WORST_LAST) if count[grade]]
    return f"{', '.join(bad)}; {count[Grade.OK]} well. Mend from the top: one fault often brings others."


def as_json(findings: Sequence[Finding]) -> str:
    """An object with `well` (nothing stops releases) and the `findings`, each with area, subject, grade, seen, fix."""
    well = not any(finding.grade.stops for finding in findings)
    return json.dumps({"well": well, "findings": [asdict(finding) for finding in findings]}, indent=2)


def _counted(count: Counter[Grade], grade: Grade) -> str:
    return f"{count[grade]} {grade if count[grade] == 1 else PLURALS[grade]}"


def _wrapped(mark: str, said: str, grade: Grade | None, *, width: int) -> Iterator[Line]:
    """A paragraph with a hanging mark; words are never cut, so that what is to be typed stays whole."""
    whole = " ".join(said.split())
    first = f"  {mark}".ljust(MARGIN if mark != "ok" else 0)
    indent = " " * (MARGIN if mark != "ok" else 6)
    first = first.ljust(len(indent))
    wrapped = textwrap.wrap(
        whole, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    yield from (Line(text, grade) for text in wrapped)
