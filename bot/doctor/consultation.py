"""`sluice doctor`: examines this installation, and tells."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from bot import logs
from bot.adapters.system_clock import SystemClock
from bot.doctor import report
from bot.doctor.examination import examined, unsettled
from bot.doctor.finding import Area, Finding, Grade
from bot.domain.errors import SetupError, UsageError
from bot.settings import Settings
from runbooks.source import unknown

WIDEST = 100
"""Columns, however wide the terminal is: long lines are hard to read."""

STYLES = {Grade.OK: "green", Grade.WARNING: "yellow", Grade.FAULT: "bold red", Grade.UNKNOWN: "bold magenta"}


async def consulted(areas: Sequence[str], *, as_json: bool) -> bool:
    """Print every finding; whether nothing stops releases. Raises UsageError for an area that there is not."""
    wanted = [_area(each) for each in areas] or list(Area)
    # What adapters log, such as an attempt that is repeated, would stand between the findings.
    logs.setup("CRITICAL", json=False)
    try:
        findings = await examined(Settings.read(), clock=SystemClock(), areas=wanted)
    except SetupError as exc:
        findings = unsettled(exc)
    if as_json:
        print(report.as_json(findings))  # noqa: T201 - what was asked for
    else:
        _show(findings)
    return not any(finding.grade.stops for finding in findings)


def _area(written: str) -> Area:
    if written not in list(Area):
        raise UsageError(unknown(f"There is nothing called '{written}' to look at", written, Area))
    return Area(written)


def _show(findings: Sequence[Finding]) -> None:
    console = Console(highlight=False)
    for line in report.lines(findings, width=min(console.width, WIDEST)):
        console.print(Text(line.text, STYLES[line.grade] if line.grade else ""), soft_wrap=True)
