"""Which tag somebody means. Pure."""

import difflib
from collections.abc import Sequence

from bot.domain.errors import NotFoundError
from bot.domain.image import COMMIT

MOST_NEAR = 3


def exact_names(ref: str) -> tuple[str, ...]:
    """The tags that `ref` names outright, most literal first."""
    return (ref, f"sha-{ref}") if COMMIT.fullmatch(ref) else (ref,)


def meant(repository: str, ref: str, tags: Sequence[str]) -> str:
    """The one tag that a commit means, when none is named like it outright.

    Raises NotFoundError: it is no commit, no tag begins with it, or several do; the text lists what is near.
    """
    if not COMMIT.fullmatch(ref):
        raise NotFoundError(f"{repository} has no tag '{ref}'{_near(ref, tags)}")
    found = sorted(tag for tag in tags if tag.startswith(exact_names(ref)))
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"{repository} has several tags for commit {ref}: {', '.join(found)}; name one of them")
    raise NotFoundError(f"{repository} has no tag for commit {ref}{_near(ref, tags)}")


def _near(ref: str, tags: Sequence[str]) -> str:
    near = difflib.get_close_matches(ref, tags, n=MOST_NEAR, cutoff=0.5)
    if not tags:
        return "; it has no tags at all"
    return f"; near names: {', '.join(near)}" if near else ""
