"""What the gates of a catalogue ask for, and which of them a rehearsal has no answer for. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import cast

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bot.domain.errors import UsageError
from bot.domain.json import Json, JsonObject
from bot.domain.plan import Verb
from bot.domain.target import Target
from runbooks.catalogue import Catalogue
from runbooks.ci_servers import CiPlace
from runbooks.configuration import Configuration
from runbooks.durations import parse
from runbooks.lookups import PLAN_TIME, resolve
from runbooks.needs import PROVEN, meets, version_of
from runbooks.spec import Entry

BUDGET, CI, COMPATIBILITY, IMAGE, PAIRING = "budget", "ci", "compatibility", "image", "pairing"
SIGNATURE, VULNERABILITIES = "signature", "vulnerabilities"

LONGEST_HISTORY = timedelta(hours=1)
"""Of the requests of a service, as a gate may ask for it: the stand-in keeps two hours of them."""

ITS_COMMIT = ("", "${artifact.commit}")
"""How a gate asks for the checks of the commit that the image was built from; any other one nobody here has."""


def gates_of(written: Configuration, runbook: str, target: Target) -> tuple[Entry, ...]:
    """What a release of the target by this runbook passes besides the gates of every plan: the target's own do not hold
    up the way back."""
    own = () if runbook == Verb.ROLLBACK.value else written.gates_of(target)
    return (*written.runbooks[runbook].gates, *own)


def answered(entry: Entry, catalogue: Catalogue) -> bool:
    """Whether a rehearsal has what this gate asks for."""
    match entry.kind:
        case "ci":
            return entry.params.get("commit", "") in ITS_COMMIT
        case "budget":
            return history(entry.params) <= LONGEST_HISTORY
        case "pairing":
            return go_together(catalogue)
    return True


def history(params: Mapping[str, Json]) -> timedelta:
    """Of how much time a gate `budget` with these parameters wants to know the requests."""
    return parse(params.get("history", "1h"))


def go_together(catalogue: Catalogue) -> bool:
    """Whether there are versions with which every service can work by number. What must have been proven together has
    no past here."""
    wanted = {name: needed_of(catalogue, name) for entry in catalogue.services.values() for name in entry.needs}
    return all(PROVEN not in needs and version_for(needs) for needs in wanted.values())


def needed_of(catalogue: Catalogue, service: str) -> tuple[str, ...]:
    """What others need of a service."""
    return tuple(catalogue.needed_by(service).values())


def version_for(needs: Iterable[str]) -> str:
    """A version that meets all these needs; empty: there is none, or none that is found by trying what they name."""
    wanted = list(needs)
    named = [one.version.removesuffix(".*") for need in wanted for one in SpecifierSet(need)]
    tried = {made for name in named if (read := version_of(name)) for made in _around(name, read)}
    return next((one for one in sorted(tried, key=Version) if all(meets(Version(one), need) for need in wanted)), "")


def _around(name: str, read: Version) -> tuple[str, ...]:
    """A version that a need names, and those right above and below."""
    return name, f"{name}.1", f"{read.major + 1}.0", f"{max(read.major - 1, 0)}.0"


def asked(configuration: Configuration, service: str, kind: str) -> list[JsonObject]:
    """The parameters of every gate of this kind that may be asked of a service, with its names filled in."""
    entries = [entry for runbook in configuration.runbooks.values() for entry in runbook.gates]
    places = [Target(service, environment) for environment in configuration.catalogue.environments]
    entries += [entry for place in places for entry in configuration.gates_of(place)]
    return [filled(entry, place) for place in places for entry in entries if entry.kind == kind]


def filled(entry: Entry, place: Target) -> JsonObject:
    """The parameters of a gate with the names of the target; what else is looked up stays empty."""
    names = {"service": place.service, "environment": place.environment}
    return resolve(entry.params, dict.fromkeys(PLAN_TIME, "") | names)


def checks(params: JsonObject, place: CiPlace | None) -> tuple[str, tuple[str, ...]]:
    """Whose checks a gate `ci` asks for, and which; the first is empty where nobody says. `place` is the service's."""
    required = params.get("required")
    names = tuple(cast("list[str]", required)) if isinstance(required, list) else ()
    usual = place or CiPlace("", "")
    return _text(params.get("project")) or usual.project, names or usual.required


def ci_place(catalogue: Catalogue, service: str) -> CiPlace | None:
    """Where the commits of a service are checked; `None`: the catalogue does not say."""
    try:
        return catalogue.ci_place(service)
    except UsageError:
        return None  # whoever asks for it is told so by the bot itself


def platforms(configuration: Configuration, service: str) -> Iterator[str]:
    """What the images of a service must offer."""
    for params in asked(configuration, service, IMAGE):
        written = params.get("platforms")
        yield from (str(one) for one in written) if isinstance(written, list) else ()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
