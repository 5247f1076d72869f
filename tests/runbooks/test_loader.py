"""Runbooks from YAML: all faults, with their places."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from runbooks.loader import load_file, load_folder, load_library
from runbooks.registry import step_kind
from runbooks.source import Faults
from tests.runbooks.runbook_files import RUNBOOK, a_runbook, with_steps


def faults(text: str) -> str:
    """What is said of a text."""
    with pytest.raises(Faults) as caught:
        a_runbook(text)
    return str(caught.value)


def test_the_library_has_no_fault() -> None:
    """What comes with Sluice can be loaded, and is named like its file."""
    library = load_library()
    assert sorted(library) == ["canary", "deploy", "hotfix", "promote", "rollback"]
    assert all(runbook.file == f"library/{name}.yaml" for name, runbook in library.items())


@pytest.mark.parametrize("name", ["canary", "deploy", "hotfix", "promote", "rollback"])
def test_the_library_asks_before_it_changes_and_knows_the_way_back(name: str) -> None:
    """Every runbook that comes with Sluice may be used for a protected environment."""
    runbook = load_library()[name]
    kinds = [entry.kind for entry in runbook.steps]
    first_change = next(index for index, kind in enumerate(kinds) if step_kind(kind).changes)
    assert "approval" in kinds[:first_change]
    assert [entry.kind for entry in runbook.on_failure][:2] == ["restore", "smoke"]


def test_an_entry_knows_its_line() -> None:
    """A refusal while planning can name the line."""
    assert [entry.line for entry in a_runbook().on_failure] == [16, 17]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("set_imagee", "r.yaml:4:5: there is no step 'set_imagee'; did you mean 'set_image'?"),
        ("switch", "r.yaml:4:5: the step 'switch' comes with a later release of Sluice"),
        ("image", "r.yaml:4:5: 'image' is a gate, not a step; move it to 'gates'"),
        ("wait: 5", "r.yaml:4:11: steps[0].wait: 5 has no unit; write 5s for seconds or 5m for minutes"),
        ("wait", "r.yaml:4:5: steps[0].wait lacks the key 'for'"),
        ("wait:", "r.yaml:4:5: steps[0].wait lacks the key 'for'"),
        ("wait: {fo: 5m}", "r.yaml:4:12: steps[0].wait has no key 'fo'; did you mean 'for'?"),
        ("approval: 3", "r.yaml:4:5: steps[0].approval takes no bare value"),
        ("smoke: [{gett: x}]", "r.yaml:4:14: steps[0].smoke[0] has no key 'gett'; did you mean 'get'?"),
        ("smoke: {attempts: 0}", "steps[0].smoke.attempts: input should be greater than or equal to 1"),
        ("rollout: {deadline: 5}", "r.yaml:4:25: 5 has no unit; write 5s for seconds or 5m for minutes"),
        ("rollout: {name: My Step}", "r.yaml:4:15: 'My Step' is not a name; use small letters and hyphens"),
        ("{}", "r.yaml:4:5: an entry is a kind, or a kind with its parameters"),
        ("3", "r.yaml:4:5: an entry is a kind, or a kind with its parameters"),
        ("{set_image: {}, rollout: {}}", "has 2 keys (set_image, rollout), but an entry is one key, its kind"),
        (
            "notify: '${artifact.diges}'",
            "r.yaml:4:13: ${artifact.diges} cannot be looked up; did you mean 'artifact.digest'?",
        ),
        ("notify: '${1 + 1}'", "${1 + 1} cannot be looked up"),
        ("notify: '${HOME}'", "${HOME} cannot be looked up"),
        ("notify: '${steps.x.outputs.y}'", "${steps.x.outputs.y}: no earlier step is named 'x'"),
        (
            "job: [echo, '${steps.job.outputs.y}']",
            "r.yaml:4:17: ${steps.job.outputs.y}: no earlier step is named 'job'",
        ),
    ],
)
def test_every_fault_says_what_to_write(step: str, said: str) -> None:
    """The place, what is wrong, and the near word or the fix."""
    assert said in faults(with_steps(step))


def test_a_step_may_look_up_what_an_earlier_one_said() -> None:
    """And a failure step what any step said."""
    look = "notify: '${steps.migrate.outputs.revision}'"
    runbook = a_runbook(with_steps("job: {name: migrate, run: [x]}", look, on_failure=(look,)))
    assert runbook.on_failure[0].params == {"text": "${steps.migrate.outputs.revision}"}


def test_a_name_is_given_once_in_a_section() -> None:
    """Two steps of one name could not be told apart in a look-up."""
    twice = with_steps("wait: {name: nap, for: 1m}", "wait: {name: nap, for: 2m}")
    assert faults(twice) == "r.yaml:5:12: another entry is named 'nap'; give it another name"


def test_all_faults_come_at_once() -> None:
    """Unknown keys of the file, unknown kinds and bad parameters, in the order of the lines."""
    broken = RUNBOOK.replace("set_image", "set_imag").replace("5m", "5").replace("on_failure", "on_failed")
    assert faults(broken) == snapshot("""\
r.yaml:9:5: there is no step 'set_imag'; did you mean 'set_image'?
r.yaml:12:11: steps[5].wait: 5 has no unit; write 5s for seconds or 5m for minutes
r.yaml:15:1: the file has no key 'on_failed'; did you mean 'on_failure'?\
""")


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    """Faults name the file as it was given."""
    path = tmp_path / "own.yaml"
    path.write_text(RUNBOOK)
    assert load_file(path).name == "careful"
    path.write_text("[]")
    with pytest.raises(Faults, match=r"own\.yaml:1:1: the file must be a mapping"):
        load_file(path)


def test_a_folder_tells_the_faults_of_all_its_files(tmp_path: Path) -> None:
    """One bad file does not hide another, nor does a broken one."""
    (tmp_path / "a.yaml").write_text(with_steps("nope"))
    (tmp_path / "b.yml").write_text("a: [")
    (tmp_path / "c.yaml").write_text(RUNBOOK)
    (tmp_path / "notes.txt").write_text("not a runbook")
    with pytest.raises(Faults) as caught:
        load_folder(tmp_path)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["a.yaml", "b.yml"]


def test_two_files_may_not_share_a_name(tmp_path: Path) -> None:
    """Nobody could say which of them a release would use."""
    (tmp_path / "a.yaml").write_text(RUNBOOK)
    (tmp_path / "b.yaml").write_text(RUNBOOK)
    with pytest.raises(Faults, match=r"b\.yaml:1:1: 'careful' is the name of .*a\.yaml too"):
        load_folder(tmp_path)


def test_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    """An empty library of one's own is never silently assumed."""
    with pytest.raises(Faults, match="is not a folder"):
        load_folder(tmp_path / "none")
