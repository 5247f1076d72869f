"""What a plan fills into gates and steps that ask a CI server: where, and about which commit."""

from collections.abc import Sequence

from bot.domain.errors import UsageError
from bot.domain.image import COMMIT
from bot.domain.json import JsonObject
from bot.domain.plan import Artifact
from runbooks.ci_servers import CiPlace
from runbooks.spec import Entry, Runbook

CI, PIPELINE = "ci", "pipeline"


def asks_ci(runbook: Runbook, gates: Sequence[Entry] = ()) -> bool:
    """Whether anything in it, or in the target's own gates, asks a CI server."""
    entries = (*runbook.gates, *gates, *runbook.steps, *runbook.on_failure)
    return any(entry.kind in (CI, PIPELINE) for entry in entries)


def placed(params: JsonObject, place: CiPlace | None, *, where: str) -> JsonObject:
    """The parameters with the service's server and project where they name none; `where` is the line that asks. Raises
    UsageError."""
    if place is None:
        raise UsageError(f"{where} asks a CI server, and the service has none.")
    return {**params, "server": params["server"] or place.server, "project": params["project"] or place.project}


def checked(params: JsonObject, place: CiPlace | None, *, of: Artifact, where: str) -> JsonObject:
    """The same for the gate, with the required checks and the commit of the artifact. Raises UsageError."""
    filled = placed(params, place, where=where)
    commit = params["commit"] or commit_of(of)
    if not commit:
        raise UsageError(
            f"The gate 'ci' ({where}) asks for the checks of a commit, and nobody knows the commit "
            f"of `{of.ref}`: its image has no label org.opencontainers.image.revision, and the name is no commit.",
            hint="Build the image with '--label org.opencontainers.image.revision=$(git rev-parse HEAD)', or release "
            "it by its commit.",
        )
    required = params["required"] or (list(place.required) if place else [])
    return {**filled, "commit": commit, "required": required}


def commit_of(artifact: Artifact) -> str:
    """The commit that an image was built from: its own label, else the reference where that is one; else nothing."""
    return next((name for name in (artifact.commit, artifact.ref) if COMMIT.fullmatch(name)), "")
