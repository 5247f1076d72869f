"""The pictures of the documents."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]
PICTURE = re.compile(r"""(?:!\[([^\]]*)\]\(|<img\s[^>]*src=")([^)"\s]+\.(?:png|svg|jpe?g|gif|webp))""")
MOST_BYTES = 150_000


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_picture_that_is_named_is_there(path: Path) -> None:
    """And is described for those who do not see it."""
    text = path.read_text()
    named = [name for _, name in PICTURE.findall(text) if not name.startswith("http")]
    assert [name for name in named if not (path.parent / name).is_file()] == []
    assert re.findall(r"!\[\s*\]\(", text) == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "pictures").glob("*")), ids=lambda path: path.name)
def test_pictures_are_small(path: Path) -> None:
    """A clone is not made of them: 150 kB at most."""
    assert path.stat().st_size <= MOST_BYTES
