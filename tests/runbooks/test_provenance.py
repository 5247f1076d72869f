"""Provenance: who built an image, of what; and the same repository by any of its names."""

from typing import Any

import pytest

from bot.domain.errors import UnreadableError
from runbooks.provenance import SLSA_V02, SLSA_V1, Source, read_provenance, repository, unlike
from runbooks.supply_chain import Provenance
from tests.signing import WORKFLOW, provenance, provenance_v02

COMMIT = "9f2c1e7" + "0" * 33
ANY = Provenance()


@pytest.mark.parametrize(
    "uri",
    [
        "github.com/acme/api",
        "https://github.com/acme/api",
        "https://github.com/acme/api.git",
        "https://GitHub.com/acme/api/",
        "git+https://github.com/acme/api@refs/heads/main",
        "git+https://github.com/acme/api.git#9f2c1e7",
        "git+ssh://git@github.com/acme/api.git",
        "https://token@github.com/acme/api?x=1",
    ],
)
def test_a_repository_has_many_names(uri: str) -> None:
    """All of them are one."""
    assert repository(uri) == "github.com/acme/api"


@pytest.mark.parametrize(
    "uri",
    ["https://github.com.evil.test/acme/api", "https://evil.test/github.com/acme/api", "https://github.com/acme/api-x"],
)
def test_another_repository_is_another(uri: str) -> None:
    """However alike it looks."""
    assert repository(uri) != "github.com/acme/api"


@pytest.mark.parametrize(("kind", "made"), [(SLSA_V1, provenance), (SLSA_V02, provenance_v02)])
def test_both_versions_say_the_same(kind: str, made: Any) -> None:
    """Builder, repository, commit."""
    built = read_provenance(kind, made())
    assert (built.builder, built.sources) == (WORKFLOW, (Source("github.com/acme/api", COMMIT),))
    assert (
        unlike(built, Provenance(source="https://github.com/acme/api.git", builder="https://github.com/**"), COMMIT)
        == ""
    )


def test_materials_count_where_no_source_is_configured() -> None:
    """As builders write it that know no configuration file."""
    made = provenance_v02()
    del made["invocation"]
    made["materials"] = ["odd", {"uri": "pkg:deb/libc"}, *made["materials"]]
    assert read_provenance(SLSA_V02, made).sources == (Source("github.com/acme/api", COMMIT),)


def test_what_the_build_was_asked_for_wins_over_what_it_also_used() -> None:
    """Our repository among another one's dependencies makes no build of ours."""
    made = provenance(source="https://github.com/evil/api")
    made["buildDefinition"]["resolvedDependencies"] += provenance()["buildDefinition"]["resolvedDependencies"]
    wrong = unlike(read_provenance(SLSA_V1, made), Provenance(source="github.com/acme/api"), COMMIT)
    assert wrong == "it was built of github.com/evil/api, not of github.com/acme/api"


@pytest.mark.parametrize("made", [{}, {"builder": {"id": 7}}, {"builder": []}, {"runDetails": {"builder": {}}}])
def test_a_build_without_a_builder_is_none(made: dict[str, Any]) -> None:
    """In either version."""
    for kind in (SLSA_V1, SLSA_V02):
        with pytest.raises(UnreadableError, match="names no builder"):
            read_provenance(kind, made)


def test_a_commit_must_be_told_where_one_is_known() -> None:
    """Silence is not the right commit."""
    made = provenance(commit="main")
    assert (
        unlike(read_provenance(SLSA_V1, made), ANY, COMMIT) == "it was built of commit (not said), not of 9f2c1e700000"
    )
    assert unlike(read_provenance(SLSA_V1, made), ANY, "") == ""
