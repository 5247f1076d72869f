"""Patterns in which a star stays within its own part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pattern import matches


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("https://github.com/acme/*", "https://github.com/acme/api", True),
        ("https://github.com/acme/*", "https://github.com/acme/api/x", False),
        ("https://github.com/acme/*", "https://github.com/acme.evil/api", False),
        ("https://github.com/acme/**", "https://github.com/acme/api/x@refs/heads/main", True),
        ("*@acme.test", "ci@acme.test", True),
        ("*@acme.test", "ci@evil.test@acme.test", False),
        ("*@acme.test", "ci@acmeXtest", False),
        ("ci@acme.test", "ci@acme.test\n", False),
        ("[a-z]", "a", False),
        ("", "", True),
        ("*", "", True),
    ],
)
def test_a_star_stands_for_one_part(pattern: str, text: str, holds: bool) -> None:
    """Two for all that follows; everything else for itself."""
    assert matches(pattern, text) is holds


@given(st.text(alphabet=st.characters(exclude_characters="*")))
def test_what_holds_no_star_is_only_itself(text: str) -> None:
    """Whatever it means elsewhere."""
    assert matches(text, text)
    assert not matches(text, f"{text}x")
