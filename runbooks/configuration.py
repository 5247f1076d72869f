"""The catalogue and the runbooks together, checked against each other."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.json import Json, JsonObject
from bot.domain.target import Target
from runbooks.catalogue import Catalogue
from runbooks.ci_faults import ci_faults
from runbooks.loader import load_folder, load_library, read_gates
from runbooks.signal_faults import signal_faults
from runbooks.source import Document, Fault, Faults, Keys, did_you_mean, read_file
from runbooks.spec import Entry, Runbook
from runbooks.targets import target_faults
from runbooks.validation import check_part


@dataclass(frozen=True, slots=True)
class Configuration:
    """What people wrote, without a fault. `runbooks` are the library's and one's own by name; one's own win. `gates`
    are those that environments and services ask for themselves, by `environments` or `services` and name."""

    catalogue: Catalogue
    runbooks: Mapping[str, Runbook]
    gates: Mapping[tuple[str, str], tuple[Entry, ...]] = field(default_factory=dict)

    def gates_of(self, target: Target) -> tuple[Entry, ...]:
        """What the environment and the service ask for beside the runbook, the environment's first."""
        places = (("environments", target.environment), ("services", target.service))
        return tuple(entry for place in places for entry in self.gates.get(place, ()))


@dataclass(frozen=True, slots=True)
class _Name:
    """A word that must name something: where it stands (as a key or as a value), and what there is."""

    at: Keys
    word: str
    what: str
    known: Collection[str]
    on_value: bool = True


def load(path: Path) -> Configuration:
    """Read `sluice.yaml` and the runbooks it names. Raises Faults with everything that is wrong in any of the files."""
    document = read_file(path)
    catalogue, faults = check_part(Catalogue, document.value, document, at=())
    own, own_faults = _own_runbooks(document, path)
    runbooks = load_library() | own
    # With a broken runbook in the folder nobody knows which names there are.
    faults += (
        *own_faults,
        *cross_faults(document, runbooks=() if own_faults else runbooks),
        *provider_faults(document),
    )
    gates: dict[tuple[str, str], tuple[Entry, ...]] = {}
    if catalogue is not None:
        gates, gate_faults = _own_gates(catalogue, document)
        faults += (
            *target_faults(catalogue, document),
            *signal_faults(catalogue, document),
            *ci_faults(catalogue, document),
            *gate_faults,
        )
    if catalogue is None or faults:
        raise Faults(faults)
    return Configuration(catalogue, runbooks, gates)


def _own_gates(
    catalogue: Catalogue, document: Document
) -> tuple[dict[tuple[str, str], tuple[Entry, ...]], tuple[Fault, ...]]:
    """The gates of environments and services, read as those of runbooks are."""
    read = {
        (section, name): read_gates(document, (section, name, "gates"))
        for section, names in (("environments", catalogue.environments), ("services", catalogue.services))
        for name in names
    }
    return {place: entries for place, (entries, _) in read.items()}, tuple(
        f for _, found in read.values() for f in found
    )


def cross_faults(document: Document, *, runbooks: Collection[str]) -> tuple[Fault, ...]:
    """Names that name nothing. Reads plain values, so that they are told beside faults of another sort.

    `runbooks` are the names that exist; empty: they are not looked at.
    """
    return tuple(
        document.fault(
            name.at,
            f"there is no {name.what} '{name.word}'",
            did_you_mean(name.word, name.known),
            on_value=name.on_value,
        )
        for name in _names(_mapping(document.value), runbooks)
        if name.known and name.word not in name.known
    )


def provider_faults(document: Document) -> Iterator[Fault]:
    """Services with signals that nobody knows where to measure, and more than one default."""
    top = _mapping(document.value)
    providers = {name: _mapping(entry) for name, entry in _mapping(top.get("metrics")).items()}
    defaults = [name for name, entry in providers.items() if entry.get("default") is True]
    for name in defaults[1:]:
        at = ("metrics", name, "default")
        yield document.fault(at, f"'{defaults[0]}' is the default metrics provider already", on_value=True)
    for service, released in _mapping(top.get("services")).items():
        signals = _mapping(released).get("signals")
        at = ("services", service, "signals")
        if signals is None:
            continue
        if not providers:
            what = "there is no metrics provider to measure signals with"
            yield document.fault(at, what, "add 'metrics: {main: {prometheus: {url: http://…}}}'")
        elif len(providers) > 1 and not defaults and "provider" not in _mapping(signals):
            what = "which of the metrics providers measures these signals is not said"
            yield document.fault(at, what, "add 'provider', or 'default: true' to one of them")


def _names(top: JsonObject, runbooks: Collection[str]) -> Iterator[_Name]:
    clusters, environments = _mapping(top.get("clusters")), _mapping(top.get("environments"))
    for environment, entry in environments.items():
        cluster = _mapping(entry).get("cluster")
        if isinstance(cluster, str):
            yield _Name(("environments", environment, "cluster"), cluster, "cluster", clusters)
    for service, released in _mapping(top.get("services")).items():
        yield from _others(top, service, _mapping(released))
        for section in ("runbooks", "environments"):
            for environment, value in _mapping(_mapping(released).get(section)).items():
                at: Keys = ("services", service, section, environment)
                yield _Name(at, environment, "environment", environments, on_value=False)
                if isinstance(value, str) and section == "runbooks":
                    yield _Name(at, value, "runbook", runbooks)


def _others(top: JsonObject, service: str, released: JsonObject) -> Iterator[_Name]:
    """What a service names of other sections."""
    for part, key, what, section in (
        ("signals", "provider", "metrics provider", "metrics"),
        ("ci", "server", "CI server", "ci"),
    ):
        named = _mapping(released.get(part)).get(key)
        if isinstance(named, str):
            yield _Name(("services", service, part, key), named, what, _mapping(top.get(section)))
    others = _mapping(top.get("services")).keys() - {service}
    for needed in _mapping(released.get("needs")):
        yield _Name(("services", service, "needs", needed), needed, "other service", others, on_value=False)


def _own_runbooks(document: Document, path: Path) -> tuple[dict[str, Runbook], tuple[Fault, ...]]:
    folder = _mapping(document.value).get("runbooks_dir")
    if not isinstance(folder, str):
        return {}, ()
    if not (path.parent / folder).is_dir():
        return {}, (
            document.fault(("runbooks_dir",), f"there is no folder '{folder}' beside this file", on_value=True),
        )
    try:
        return load_folder(path.parent / folder), ()
    except Faults as exc:
        return {}, exc.faults


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
