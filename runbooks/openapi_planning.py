"""What a plan fills into the gate `compatibility`: where the documents are, and whom a break would hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.errors import UsageError
from bot.domain.json import JsonObject
from bot.domain.plan import Artifact
from bot.domain.repository import Repository
from runbooks.catalogue import Catalogue
from runbooks.ci_planning import commit_of
from runbooks.openapi_source import OpenApi

COMPATIBILITY = "compatibility"


@dataclass(frozen=True, slots=True)
class ApiFacts:
    """What the catalogue says of a service's API. `hosts` are those whose repositories can be read; `needed_by` are the
    services that need this one, each with the versions."""

    service: str = ""
    openapi: OpenApi | None = None
    repository: str = ""
    hosts: tuple[str, ...] = ()
    needed_by: Mapping[str, str] = field(default_factory=dict)


def api_facts(catalogue: Catalogue, service: str) -> ApiFacts:
    """The facts of a service. Raises UsageError."""
    entry = catalogue.service(service)
    hosts = tuple(server.host for server in catalogue.ci.values() if server.host)
    return ApiFacts(service, entry.openapi, entry.repository or "", hosts, catalogue.needed_by(service))


def sealed(params: JsonObject, facts: ApiFacts, *, of: Artifact, where: str) -> JsonObject:
    """The gate's parameters with what the catalogue says, whatever a runbook wrote there; `where` is the line that
    asks. Raises UsageError with the line to write, when the documents cannot be found so.
    """
    openapi = facts.openapi
    if openapi is None:
        raise UsageError(
            f"The gate '{COMPATIBILITY}' ({where}) does not know where the OpenAPI document of {facts.service} is.",
            hint="Write it below the service: 'openapi: {attached: true}' for one that is attached to the image, "
            "'openapi: {file: api/openapi.yaml}' for one in its repository, or 'openapi: {label: …}' for a label "
            "of the image with that path.",
        )
    if not openapi.attached:
        _require_source(facts, of=of, where=where)
    return {
        **params,
        "openapi": openapi.model_dump(mode="json"),
        "repository": facts.repository,
        "needed_by": dict(facts.needed_by),
    }


def _require_source(facts: ApiFacts, *, of: Artifact, where: str) -> None:
    """A document in the repository needs one, a server that keeps it, and the commit. Raises UsageError."""
    asks = f"The gate '{COMPATIBILITY}' ({where}) reads the OpenAPI document in the repository of {facts.service}"
    if not facts.repository:
        raise UsageError(
            f"{asks}, which has none.", hint="Write it below the service, such as 'repository: github.com/acme/api'."
        )
    if Repository.parse(facts.repository).host not in facts.hosts:
        known = ", ".join(facts.hosts) or "none"
        raise UsageError(
            f"{asks}, and no CI server of the catalogue keeps {facts.repository}; known hosts: {known}.",
            hint="Write one, such as 'ci: {main: {github: {token_file: /run/secrets/github}}}'.",
        )
    if not commit_of(of):
        raise UsageError(
            f"{asks}, and nobody knows the commit of `{of.ref}`: its image has no label "
            "org.opencontainers.image.revision, and the name is no commit.",
            hint="Build the image with '--label org.opencontainers.image.revision=$(git rev-parse HEAD)', or release "
            "it by its commit.",
        )
