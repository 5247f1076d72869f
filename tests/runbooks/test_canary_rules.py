"""A canary that nobody decides on is never left with traffic: such a runbook is linted, and not carried out."""

from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from runbooks.canary_rules import require_whole
from runbooks.lint import lint
from runbooks.loader import load_file, load_library
from tests.runbooks.runbook_files import with_steps

FIVE, FIFTY = "canary: {weight: 5%}", "canary: {weight: 50%}"
END = ("promote", "smoke")
BACK = ("restore", "smoke")


def written(folder: Path, *steps: str, on_failure: tuple[str, ...] = BACK) -> Path:
    """A runbook in a file."""
    path = folder / "r.yaml"
    path.write_text(with_steps("approval", *steps, on_failure=on_failure))
    return path


@pytest.mark.parametrize(
    ("steps", "on_failure", "mistake"),
    [
        ((FIVE, *END), ("smoke",), "a bad canary would keep its traffic; add 'restore' to 'on_failure'"),
        ((FIVE, "smoke"), BACK, "a good canary would be left with its share; add 'promote' after the last canary"),
        (("promote", FIVE), BACK, "a good canary would be left with its share; add 'promote' after the last canary"),
        (("judge: 5m", FIVE, *END), BACK, "there is no canary to judge yet; put a 'canary' before it"),
        (
            (FIVE, "wait: 30m", *END),
            BACK,
            "nobody would look at the canary during 'wait'; put it before or after the canary",
        ),
        (
            ("canary: {weight: 5%, baseline: fresh}", FIFTY, *END),
            BACK,
            "one canary cannot be compared with stable pods and with fresh ones; write 'baseline: fresh' at each "
            "'canary', or at none",
        ),
    ],
)
def test_a_mistake_is_linted_and_refused(
    tmp_path: Path, steps: tuple[str, ...], on_failure: tuple[str, ...], mistake: str
) -> None:
    """Both say where it is and what to write."""
    path = written(tmp_path, *steps, on_failure=on_failure)
    assert any(f": {mistake}" in str(fault) and "warning" not in str(fault) for fault in lint(path))
    with pytest.raises(UsageError, match="The runbook 'small' cannot be used: ") as caught:
        require_whole(load_file(path))
    assert mistake.partition(";")[0] in str(caught.value)


@pytest.mark.parametrize(
    ("steps", "doubt"),
    [
        ((FIFTY, FIVE, *END), "the canary's share does not grow with this step"),
        ((FIVE, FIVE, *END), "the canary's share does not grow with this step"),
        (END, "there is no canary to promote"),
        ((FIVE, "promote"), "nothing proves that the service answers after the change"),
    ],
)
def test_a_doubt_is_a_warning_alone(tmp_path: Path, steps: tuple[str, ...], doubt: str) -> None:
    """It is told, and may be carried out."""
    path = written(tmp_path, *steps)
    assert [doubt in str(fault) and "warning" in str(fault) for fault in lint(path)] == [True]
    require_whole(load_file(path))


def test_what_comes_with_sluice_is_whole() -> None:
    """Every runbook of the library."""
    for runbook in load_library().values():
        require_whole(runbook)


def test_all_of_the_traffic_is_no_share(tmp_path: Path) -> None:
    """There would be nothing to compare with."""
    (fault,) = lint(written(tmp_path, "canary: {weight: 100%}", *END))
    assert "at 100 % nothing is left to compare the canary with; put 'promote' in its place" in str(fault)
