"""What people read, and what scripts read. Pure."""

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from bot.doctor.finding import WHOLE, Finding, Grade

WIDTH = 80
WORST_LAST = (Grade.WARNING, Grade.UNKNOWN, Grade.FAULT)
NARROW, MARGIN = 6, 11
"""Columns for `ok` and for the other grades: they are words, so that no colour is needed."""

TYPED = re.compile(r"`[^`]+`")
GLUE = "\x00"
"""Stands for a space at which no line may end."""

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
    for (grade, seen, fix), subjects in _to_mend(findings).items():
        yield Line("")
        yield from _wrapped(str(grade), f"{_named(subjects)}: {seen}", grade, width=width)
        yield from _wrapped("", f"fix: {fix}", None, width=width)
    yield Line("")
    yield from (Line(text) for text in textwrap.wrap(summary(findings), width))


def _to_mend(findings: Sequence[Finding]) -> dict[tuple[Grade, str, str], list[Finding]]:
    """What is not well, the worst last; what is alike of several subjects is told once."""
    found: dict[tuple[Grade, str, str], list[Finding]] = {}
    for grade in WORST_LAST:
        for finding in findings:
            if finding.grade is grade:
                found.setdefault((grade, finding.seen, finding.fix), []).append(finding)
    return found


def _named(findings: Sequence[Finding]) -> str:
    """What they are about: each area once, with its subjects."""
    areas = {
        area: ", ".join(finding.subject for finding in group if finding.subject != WHOLE)
        for area, group in groupby(findings, key=lambda finding: finding.area)
    }
    return ", ".join(f"{area}, {subjects}" if subjects else str(area) for area, subjects in areas.items())


def summary(findings: Sequence[Finding]) -> str:
    """The sum in a line."""
    count = Counter(finding.grade for finding in findings)
    well = count[Grade.OK]
    if count[Grade.WARNING] == len(findings) - well:
        if not count[Grade.WARNING]:
            return f"All well: {well} {'thing' if well == 1 else 'things'} looked at."
        return f"Nothing stops releases: {well} well, {_counted(count, Grade.WARNING)}."
    bad = ", ".join(_counted(count, grade) for grade in reversed(WORST_LAST) if count[grade])
    both = count[Grade.FAULT] and count[Grade.UNKNOWN]
    first = " Mend the faults first: what is unknown may come of them." if both else ""
    return f"{bad}; {well} well.{first}"


def as_json(findings: Sequence[Finding]) -> str:
    """An object with `well` (nothing stops releases) and the `findings`, each with area, subject, grade, seen, fix."""
    well = not any(finding.grade.stops for finding in findings)
    return json.dumps({"well": well, "findings": [asdict(finding) for finding in findings]}, indent=2)


def _counted(count: Counter[Grade], grade: Grade) -> str:
    return f"{count[grade]} {grade if count[grade] == 1 else PLURALS[grade]}"


def _wrapped(mark: str, said: str, grade: Grade | None, *, width: int) -> Iterator[Line]:
    """A paragraph with a hanging mark. Neither words are cut nor what is to be typed: it is copied as a whole, and
    where it is longer than a line the terminal breaks it better than we do."""
    indent = " " * (NARROW if mark == "ok" else MARGIN)
    kept = TYPED.sub(lambda found: found[0].replace(" ", GLUE), " ".join(said.split()))
    wrapped = textwrap.wrap(
        kept,
        width,
        initial_indent=f"  {mark}".ljust(len(indent)),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (Line(text.replace(GLUE, " "), grade) for text in wrapped)
