"""SLSA provenance: who built an image, of which repository, at which commit. Pure.

Sources: slsa.dev/spec/v0.2 and v1.0 (provenance); slsa-framework/github-actions-buildtypes, workflow/v1.
"""

import re
from dataclasses import dataclass

from bot.domain.errors import UnreadableError
from bot.domain.image import COMMIT
from bot.domain.json import Json, JsonObject
from bot.domain.pattern import matches
from runbooks.supply_chain import Provenance

SLSA_V02, SLSA_V1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
PROVENANCES = frozenset({SLSA_V02, SLSA_V1})
SCHEME = re.compile(r"^(git\+)?(https?|ssh|git)://([^/@]*@)?")
COMMIT_KEYS = ("gitCommit", "sha1")


@dataclass(frozen=True, slots=True)
class Source:
    """A repository without scheme (`github.com/acme/api`), and the commit of it; either may be empty."""

    repository: str
    commit: str


@dataclass(frozen=True, slots=True)
class Built:
    """Who built it, and of what. `told` is what the build was asked to build (its own parameters): where it names a
    repository, that is the one."""

    builder: str
    sources: tuple[Source, ...]
    told: str = ""


def read_provenance(predicate_type: str, predicate: JsonObject) -> Built:
    """Raises UnreadableError when it names no builder."""
    built = _v1(predicate) if predicate_type == SLSA_V1 else _v02(predicate)
    if not built.builder:
        raise UnreadableError("the provenance names no builder")
    return built


def unlike(built: Built, wanted: Provenance, commit: str) -> str:
    """Why the build is not as it should be, as a clause; empty: it is. `commit` may be empty, or a beginning."""
    if wanted.builder and not matches(wanted.builder, built.builder):
        return f"it was built by {built.builder}, not by {wanted.builder}"
    source = repository(wanted.source)
    if source and built.told and built.told != source:
        return f"it was built of {built.told}, not of {source}"
    ours = [one for one in built.sources if not source or one.repository == source]
    if source and not ours:
        said = ", ".join(one.repository for one in built.sources if one.repository) or "nothing that it names"
        return f"it was built of {said}, not of {source}"
    commits = [one.commit for one in ours if one.commit]
    if commit and not any(one.startswith(commit) for one in commits):
        return f"it was built of commit {', '.join(one[:12] for one in commits) or '(not said)'}, not of {commit[:12]}"
    return ""


def repository(uri: str) -> str:
    """`git+https://github.com/acme/api.git@refs/heads/main` is `github.com/acme/api`."""
    place = SCHEME.sub("", uri.strip()).partition("@")[0].partition("#")[0].partition("?")[0]
    host, slash, path = place.rstrip("/").removesuffix(".git").partition("/")
    return f"{host.lower()}{slash}{path}"


def _v1(predicate: JsonObject) -> Built:
    definition, details = _object(predicate, "buildDefinition"), _object(predicate, "runDetails")
    workflow = _object(_object(definition, "externalParameters"), "workflow")
    return Built(
        builder=_text(_object(details, "builder"), "id"),
        sources=_sources(definition.get("resolvedDependencies")),
        told=repository(_text(workflow, "repository")),
    )


def _v02(predicate: JsonObject) -> Built:
    config = _object(_object(predicate, "invocation"), "configSource")
    return Built(
        builder=_text(_object(predicate, "builder"), "id"),
        # What the build was configured by is its source; materials are only what else it used.
        sources=_sources([config]) if _text(config, "uri") else _sources(predicate.get("materials")),
    )


def _sources(written: Json) -> tuple[Source, ...]:
    found = []
    for one in written if isinstance(written, list) else []:
        if not isinstance(one, dict):
            continue
        digests = _object(one, "digest")
        commit = next((_text(digests, key) for key in COMMIT_KEYS if COMMIT.fullmatch(_text(digests, key))), "")
        if commit:
            found.append(Source(repository(_text(one, "uri")), commit))
    return tuple(found)


def _object(of: JsonObject, key: str) -> JsonObject:
    found = of.get(key)
    return found if isinstance(found, dict) else {}


def _text(of: JsonObject, key: str) -> str:
    found = of.get(key)
    return found[:500] if isinstance(found, str) else ""
