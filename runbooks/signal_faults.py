"""Signals of the catalogue that cannot be asked of the metrics server that measures them: told when the file is read,
and not by the first canary."""

from collections.abc import Iterator

from bot.domain.errors import UsageError
from runbooks.catalogue import Catalogue
from runbooks.source import Document, Fault


def signal_faults(catalogue: Catalogue, document: Document) -> Iterator[Fault]:
    """One for each service at most. A service whose metrics server is not known has a fault of its own."""
    for name, service in catalogue.services.items():
        if service.signals is None or not _measured(catalogue, name):
            continue
        for environment in catalogue.environments:
            said = _slip(catalogue, name, environment)
            if said:
                yield document.fault(("services", name, "signals"), f"services.{name}.signals: {said}", on_value=True)
                break


def _measured(catalogue: Catalogue, service: str) -> bool:
    try:
        catalogue.provider(service)
    except UsageError:
        return False
    return True


def _slip(catalogue: Catalogue, service: str, environment: str) -> str:
    """Why the queries of a target cannot be written; empty: they can."""
    try:
        catalogue.queries(service, environment)
    except UsageError as exc:
        return str(exc).rstrip(".")
    return ""
