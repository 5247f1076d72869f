"""What lies between two commits of a repository."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Ancestry(StrEnum):
    """How a commit stands to the one it is compared with (the words of GitHub's compare API)."""

    AHEAD = "ahead"
    """It comes after the other and holds all of it."""

    BEHIND = "behind"
    """It is contained in the other: older."""

    IDENTICAL = "identical"
    DIVERGED = "diverged"
    """Each holds something that the other does not."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. `author` is what people call them: their login where the server knows it, else their name; `email`
    may be empty. `title` is the first line of the message."""

    sha: str
    title: str
    author: str
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A pull or merge request that was merged in between."""

    number: int
    title: str
    author: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `head` has that `base` has not: `commits`, oldest first, of which there are `total` (more than are listed,
    where there are very many), and the changes that brought them. `url` shows it to a person; it may be empty."""

    ancestry: Ancestry
    total: int
    commits: tuple[Commit, ...] = ()
    changes: tuple[Change, ...] = ()
    url: str = ""


class Commits(Protocol):
    """Reads the history of repositories."""

    async def compare(self, repository: str, base: str, head: str) -> Comparison:
        """How `head` stands to `base`, both full or short commit ids. `repository` is as the catalogue writes it, such
        as `github.com/acme/api`.

        Raises NotFoundError (no such repository or commit, or no right to see it), RefusedError (401, 403),
        UnreadableError, UnreachableError, and UsageError where nobody knows a server for the repository.
        """
        ...
