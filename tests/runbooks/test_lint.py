"""Lint: what is valid and yet not what its author expects."""

from pathlib import Path

import pytest

from runbooks.lint import lint
from runbooks.source import Severity
from tests.runbooks.catalogues import CATALOGUE, written
from tests.runbooks.runbook_files import RUNBOOK, with_steps

GOOD = ("approval", "set_image", "rollout", "smoke")
BACK = ("restore", "smoke")


def said(tmp_path: Path, text: str) -> list[str]:
    """The findings of a text, without its folder."""
    path = tmp_path / "r.yaml"
    path.write_text(text)
    return [str(fault).replace(f"{tmp_path}/", "") for fault in lint(path)]


@pytest.mark.parametrize("text", [RUNBOOK, with_steps(*GOOD, on_failure=BACK), with_steps("approval", "wait: 5m")])
def test_a_good_runbook_is_not_blamed(tmp_path: Path, text: str) -> None:
    """No warning that a careful author would learn to ignore."""
    assert said(tmp_path, text) == []


def test_the_library_is_not_blamed() -> None:
    """What comes with Sluice passes its own lint."""
    assert lint(Path(__file__).parents[2] / "runbooks" / "library") == []


@pytest.mark.parametrize(
    ("steps", "on_failure", "warning"),
    [
        (
            ("job: [x]", *GOOD),
            BACK,
            "r.yaml:4:5: warning: 'job' changes something before anybody was asked; a protected environment would "
            "refuse this; put 'approval' before it",
        ),
        (
            ("approval", "set_image", "smoke"),
            BACK,
            "r.yaml:5:5: warning: nobody looks whether the new pods come up; add 'rollout' after it",
        ),
        (
            ("approval", "set_image", "rollout"),
            BACK,
            "r.yaml:5:5: warning: nothing proves that the service answers after the change; "
            "add 'smoke' after the rollout",
        ),
        (
            GOOD,
            (),
            "r.yaml:5:5: warning: a failure after this leaves the broken version running; "
            "add 'restore' to 'on_failure'",
        ),
        (
            (*GOOD, "restore"),
            BACK,
            "r.yaml:8:5: warning: 'restore' undoes the release even when it went well; move it to 'on_failure'",
        ),
        (
            ("approval", "wait: 5m"),
            BACK,
            "r.yaml:7:5: warning: this is never reached: no step changes anything, so nothing is undone",
        ),
        (
            (*GOOD, "approval"),
            BACK,
            "r.yaml:8:5: people are asked once for a plan, before its first change; this second approval, after one, "
            "cannot ask them again; leave it out, or make what follows a runbook of its own",
        ),
        (
            ("approval", *GOOD),
            BACK,
            "r.yaml:5:5: warning: people are asked once for a plan; this second approval asks nobody; leave it out",
        ),
        (
            GOOD,
            ("approval", *BACK),
            "r.yaml:9:5: the way back asks nobody: it was approved with the plan, and must not wait for people while "
            "the broken version runs; leave it out of 'on_failure'",
        ),
    ],
)
def test_each_warning_names_its_line_and_its_fix(
    tmp_path: Path, steps: tuple[str, ...], on_failure: tuple[str, ...], warning: str
) -> None:
    """Exactly this warning, and no other beside it."""
    assert said(tmp_path, with_steps(*steps, on_failure=on_failure)) == [warning]


def test_only_the_first_early_change_is_told(tmp_path: Path) -> None:
    """One approval at the top mends them all."""
    found = said(tmp_path, with_steps("job: [x]", "set_image", "rollout", "smoke", on_failure=BACK))
    assert len(found) == 1


def test_errors_come_instead_of_warnings(tmp_path: Path) -> None:
    """A runbook that cannot be read is not judged any further."""
    path = tmp_path / "r.yaml"
    path.write_text(with_steps("set_image", "nope"))
    assert [fault.severity for fault in lint(path)] == [Severity.ERROR]


def test_a_folder_is_linted_file_by_file(tmp_path: Path) -> None:
    """In the order of their names."""
    (tmp_path / "b.yaml").write_text(with_steps("nope"))
    (tmp_path / "a.yml").write_text(with_steps(*GOOD))
    assert [Path(fault.file).name for fault in lint(tmp_path)] == ["a.yml", "b.yaml"]


def test_a_catalogue_is_linted_with_its_runbooks(tmp_path: Path) -> None:
    """Faults of the catalogue first; when it has none, the warnings of its own runbooks."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "r.yaml").write_text(with_steps(*GOOD))
    assert [fault.line for fault in lint(written(tmp_path, CATALOGUE.replace("count: 2", "count: two")))] == [10]
    assert lint(written(tmp_path)) == []
    assert len(lint(written(tmp_path, f"runbooks_dir: own\n{CATALOGUE}"))) == 1
