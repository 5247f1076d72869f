"""Catalogue and runbooks together."""

from pathlib import Path

import pytest

from runbooks.configuration import load
from runbooks.source import Faults
from tests.runbooks.catalogues import CATALOGUE, written
from tests.runbooks.runbook_files import RUNBOOK, with_steps

WITH_FOLDER = f"runbooks_dir: own\n{CATALOGUE}"


def faults(path: Path) -> str:
    """What is said of a file, without the folder it stands in."""
    with pytest.raises(Faults) as caught:
        load(path)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_the_library_is_always_there(tmp_path: Path) -> None:
    """A catalogue without runbooks of its own can deploy and roll back."""
    assert sorted(load(written(tmp_path)).runbooks) == ["canary", "deploy", "hotfix", "promote", "rollback"]


def test_own_runbooks_win(tmp_path: Path) -> None:
    """A team may write its own `deploy`, and others beside it."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "deploy.yaml").write_text(RUNBOOK.replace("name: careful", "name: deploy"))
    (own / "other.yaml").write_text(RUNBOOK)
    loaded = load(written(tmp_path, WITH_FOLDER))
    assert sorted(loaded.runbooks) == ["canary", "careful", "deploy", "hotfix", "promote", "rollback"]
    assert loaded.runbooks["deploy"].about == "Migrate, then release."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cluster: main\n", "cluster: man\n", "sluice.yaml:5:14: there is no cluster 'man'; did you mean 'main'?"),
        (
            "runbooks: {prod:",
            "runbooks: {prd:",
            "sluice.yaml:22:16: there is no environment 'prd'; did you mean 'prod'?",
        ),
        ("{prod: hotfix}", "{prod: hotfx}", "sluice.yaml:22:22: there is no runbook 'hotfx'; did you mean 'hotfix'?"),
        (
            "      prod: {work",
            "      pro: {work",
            "sluice.yaml:29:7: there is no environment 'pro'; did you mean 'prod'?",
        ),
    ],
)
def test_names_must_name_something(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Clusters, environments and runbooks that do not exist are told with their places."""
    assert old in CATALOGUE
    assert faults(written(tmp_path, CATALOGUE.replace(old, new))) == said


def test_faults_of_every_sort_come_together(tmp_path: Path) -> None:
    """Shape, names and runbooks of one's own are mended in one round."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.yaml").write_text(with_steps("nope"))
    broken = WITH_FOLDER.replace("cluster: main\n", "cluster: man\n").replace("count: 2", "count: two")
    said = faults(written(tmp_path, broken)).splitlines()
    assert [line.partition(": ")[0] for line in said] == ["own/bad.yaml:4:5", "sluice.yaml:6:14", "sluice.yaml:11:14"]


def test_a_broken_folder_does_not_blame_the_names(tmp_path: Path) -> None:
    """While a runbook cannot be read, nobody knows that its name is missing."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.yaml").write_text("name: mine\nabout: x\nsteps: [nope]\n")
    said = faults(written(tmp_path, WITH_FOLDER.replace("{prod: hotfix}", "{prod: mine}")))
    assert "there is no runbook" not in said


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The place is the line that names it."""
    assert faults(written(tmp_path, WITH_FOLDER)) == "sluice.yaml:1:15: there is no folder 'own' beside this file"
