"""The hash-chained journal."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.journal import GENESIS, AuditEntry, ChainedEntry, chain, first_break
from tests.builders import NOW


def a_chain(length: int) -> list[ChainedEntry]:
    entries: list[ChainedEntry] = []
    for number in range(length):
        entry = AuditEntry(NOW, "U0ANN", "vote", "api-prod-1", {"number": number})
        entries.append(chain(entry, after=entries[-1] if entries else None))
    return entries


def test_an_untouched_chain_is_whole() -> None:
    """Every entry fits behind the one before."""
    assert first_break(a_chain(5)) is None
    assert first_break([]) is None
    assert a_chain(1)[0].previous == GENESIS


@given(st.integers(2, 8), st.data())
def test_any_change_is_seen(length: int, data: st.DataObject) -> None:
    """Changing, dropping or swapping any entry but the last few breaks the chain at that place."""
    entries = a_chain(length)
    at = data.draw(st.integers(0, length - 1))
    forged = replace(entries[at], entry=replace(entries[at].entry, actor="U0BOB"))
    assert first_break([*entries[:at], forged, *entries[at + 1 :]]) == at + 1
    if at < length - 1:
        dropped = [*entries[:at], *entries[at + 1 :]]
        assert first_break(dropped) == at + 2
