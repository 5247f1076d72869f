"""The table of moves."""

import pytest

from bot.domain.phase import ACTIVE, FINAL, MOVES, IllegalMoveError, Phase, require_move


def test_every_phase_has_a_row() -> None:
    """No phase is missing from the table."""
    assert set(MOVES) == set(Phase)


def test_final_phases_have_no_way_out() -> None:
    """A run that is over stays over."""
    assert {phase for phase in Phase if phase.final} == FINAL == set(Phase) - ACTIVE


def test_every_phase_can_be_reached() -> None:
    """From the first phase there is a way to each other one, and from each active one to an end."""
    reached, edge = {Phase.QUEUED}, {Phase.QUEUED}
    while edge:
        edge = {after for before in edge for after in MOVES[before]} - reached
        reached |= edge
    assert reached == set(Phase)


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize("after", Phase)
def test_only_the_table_allows_a_move(before: Phase, after: Phase) -> None:
    """A move is legal exactly when the table says so."""
    if after in MOVES[before]:
        require_move(before, after)
    else:
        with pytest.raises(IllegalMoveError, match=f"from {before} to {after}"):
            require_move(before, after)
