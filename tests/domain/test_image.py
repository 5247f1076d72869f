"""Image references."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.image import Digest, ImageRef, is_mutable, short

DIGEST = Digest("sha256:" + "ab" * 32)


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("api", "api", None),
        ("ghcr.io/acme/api:v1", "ghcr.io/acme/api", "v1"),
        ("localhost:5000/api", "localhost:5000/api", None),
        ("localhost:5000/acme/api:v1.2_3-rc.1", "localhost:5000/acme/api", "v1.2_3-rc.1"),
    ],
)
def test_a_port_is_no_tag(text: str, repository: str, tag: str | None) -> None:
    """The colon of a registry's port is told from that of a tag."""
    assert ImageRef.parse(text) == ImageRef(repository, tag)


def test_a_pinned_reference_keeps_its_tag_for_people() -> None:
    """The digest decides what runs; the tag says what it was called."""
    assert str(ImageRef.parse("acme/api:v1").pinned(DIGEST)) == f"acme/api:v1@{DIGEST}"


@pytest.mark.parametrize("text", ["", "acme/api@sha256:12", "acme/:v1", "acme/api:-bad", "a/b:c d"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    """A slip is told with an example, not taken for something else."""
    with pytest.raises(UsageError):
        ImageRef.parse(text)


@given(
    st.from_regex(r"[a-z0-9]{1,8}(\.[a-z]{2,5})?(:[0-9]{2,5})?/[a-z0-9]{1,8}(/[a-z0-9]{1,8})?", fullmatch=True),
    st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True),
    st.none() | st.just(DIGEST),
)
def test_writing_and_reading_are_inverse(repository: str, tag: str | None, digest: Digest | None) -> None:
    """A reference survives being written and read."""
    reference = ImageRef(repository, tag, digest)
    assert ImageRef.parse(str(reference)) == reference


def test_names_that_everybody_moves_are_known() -> None:
    """`latest` says nothing about what will run, in whatever case."""
    assert is_mutable("latest")
    assert is_mutable("Main")
    assert not is_mutable("v1.2.3")


def test_a_short_digest_has_twelve_digits() -> None:
    """As container tools show them."""
    assert short(DIGEST) == "ab" * 6
