"""Area `ci`: each CI server lets us in, and has the projects of the services."""

from collections.abc import Collection

from bot.building import ci_servers
from bot.doctor.case import Case
from bot.doctor.finding import Area, Tell
from bot.domain.errors import NotFoundError, SluiceError, TemporaryError, UsageError
from runbooks.catalogue import Catalogue
from runbooks.ci_servers import CiEntry

AREA = Area.CI


async def examine(case: Case, tell: Tell) -> None:
    """Reads; starts nothing. That pipelines may be started no server tells beforehand."""
    catalogue = case.the_catalogue
    if not catalogue.ci:
        tell(AREA.ok("catalogue", "it names no CI server, so there is nothing to look at"))
    for name, entry in catalogue.ci.items():
        projects = _projects(catalogue, name)
        if projects:
            await _server(case, name, entry, projects, tell=tell)
        else:
            fix = "write `repository` of the services that it checks, or take it out of sluice.yaml"
            tell(AREA.warning(f"server {name}", "it checks no service, so it was not asked", fix))


def _projects(catalogue: Catalogue, server: str) -> dict[str, str]:
    """The projects of services on one server, each with one of these services."""
    found: dict[str, str] = {}
    for service in catalogue.services:
        try:
            place = catalogue.ci_place(service)
        except UsageError:
            continue  # a service without checks; where a gate wants some, reading the catalogue has told
        if place.server == server:
            found.setdefault(place.project, service)
    return found


async def _server(case: Case, name: str, entry: CiEntry, projects: dict[str, str], *, tell: Tell) -> None:
    try:
        async with ci_servers({name: entry}, clock=case.clock) as servers:
            for project, service in projects.items():
                try:
                    await servers.look(name, project)
                except NotFoundError as exc:
                    fix = f"correct `repository` or `ci: {{project: …}}` of {service}, or let the token see it"
                    tell(AREA.failed(f"{project} on {name}", exc, fix))
                else:
                    tell(AREA.ok(f"{project} on {name}", "its checks can be read"))
    except TemporaryError as exc:
        fix = f"bring it up, let it be reached from here, or correct `ci: {{{name}: …}}` in sluice.yaml"
        tell(AREA.failed(f"server {name}", exc, fix))
    except SluiceError as exc:
        fix = f"give a good token to {_whose(entry)}, and let it read the projects of the services"
        tell(AREA.failed(f"server {name}", exc, fix))


def _whose(entry: CiEntry) -> str:
    """Where its login is written."""
    kinds: Collection[str] = [kind for kind in ("github", "gitlab", "jenkins", "azure") if getattr(entry, kind)]
    settings = getattr(entry, next(iter(kinds)))
    return str(getattr(settings, "token_file", None) or settings.app.private_key_file)
