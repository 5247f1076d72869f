"""The whole examination: areas side by side, each with a time limit. What goes wrong in one is a finding of it, and
stops no other."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta

from bot.doctor import catalogue, ci, clocks, cluster, database, metrics, registry, slack
from bot.doctor.case import Case
from bot.doctor.finding import WHOLE, Area, Finding, Tell
from bot.domain.errors import SetupError
from bot.ports.clock import Clock
from bot.settings import Settings

LIMIT = timedelta(seconds=60)
"""For one area: some hundred questions to servers that each have ten seconds to answer."""

EVERY_AREA = frozenset(Area)

Examine = Callable[[Case, Tell], Awaitable[None]]

CHECKS: Mapping[Area, Examine] = {
    Area.DATABASE: database.examine,
    Area.SLACK: slack.examine,
    Area.CLUSTER: cluster.examine,
    Area.REGISTRY: registry.examine,
    Area.METRICS: metrics.examine,
    Area.CI: ci.examine,
    Area.CLOCK: clocks.examine,
}
"""What is asked of servers; the catalogue is read before."""

WITHOUT_CATALOGUE = frozenset({Area.DATABASE, Area.SLACK, Area.CLOCK})
"""Areas of which something can be said when it has faults."""


async def examined(
    settings: Settings,
    *,
    clock: Clock,
    areas: Collection[Area] = EVERY_AREA,
    limit: timedelta = LIMIT,
    checks: Mapping[Area, Examine] = CHECKS,
) -> tuple[Finding, ...]:
    """Every finding of these areas, in the order of `Area`; faults of the catalogue always, as others rest on it."""
    read: list[Finding] = []
    configuration = catalogue.read(settings.config, read.append)
    if Area.CATALOGUE not in areas:
        read = [finding for finding in read if finding.grade.stops]
    case = Case(settings, configuration, clock)
    wanted = [area for area in Area if area in areas and area in checks]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_area(case, area, checks[area], limit)) for area in wanted]
    return (*read, *(finding for task in tasks for finding in task.result()))


def unsettled(error: SetupError) -> tuple[Finding, ...]:
    """The findings where not even the environment can be read."""
    fix = "set what is named; docs/reference-configuration.md has every variable"
    return (Area.CATALOGUE.fault("environment", str(error), fix),)


async def _area(case: Case, area: Area, check: Examine, limit: timedelta) -> list[Finding]:
    found: list[Finding] = []
    if case.configuration is None and area not in WITHOUT_CATALOGUE:
        return [area.unknown(WHOLE, "not looked at: the catalogue has faults", "mend them first")]
    try:
        async with asyncio.timeout(limit.total_seconds()):
            await check(case, found.append)
    except TimeoutError:
        seen = f"not everything was looked at within {limit.total_seconds():g} s"
        found.append(area.unknown(WHOLE, seen, f"`sluice doctor {area}` alone; some server answers slowly"))
    except Exception as exc:  # noqa: BLE001 - the doctor's outermost loop: a mistake of ours hides no other finding
        first = _first(exc)
        seen = f"the doctor itself failed: {type(first).__name__}: {first}"
        found.append(area.unknown(WHOLE, seen, "report it; what is named besides holds all the same"))
    return found


def _first(exc: BaseException) -> BaseException:
    """What went wrong first, inside of what a group of tasks makes of it."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc
