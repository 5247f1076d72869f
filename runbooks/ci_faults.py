"""What services say of CI, against the CI servers that there are."""

from collections.abc import Iterator

from bot.domain.errors import UsageError
from runbooks.catalogue import Catalogue
from runbooks.source import Document, Fault


def ci_faults(catalogue: Catalogue, document: Document) -> Iterator[Fault]:
    """Services whose `ci` leads nowhere. A server that is not there is told where all unknown names are; a service
    without `ci` is asked for it when a plan needs it."""
    for name, service in catalogue.services.items():
        own = service.ci
        if own is None or (own.server is not None and own.server not in catalogue.ci):
            continue
        try:
            catalogue.ci_place(name)
        except UsageError as exc:
            said = str(exc.args[0]).rstrip(".")
            at = ("services", name, "ci")
            yield document.fault(at, said[:1].lower() + said[1:], exc.hint[:1].lower() + exc.hint[1:].rstrip("."))
