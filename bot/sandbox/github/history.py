"""The commits of a repository: each on top of another, with the files that it has."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SHORTEST = 4
"""Characters of a short id, at least (git, `core.abbrev`)."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a commit. `login` is `None` where GitHub does not know them."""

    name: str = "Ann"
    email: str = "ann@acme.test"
    login: str | None = "ann"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. `files` are all files of the tree, by path."""

    sha: str
    message: str
    author: Author
    at: datetime
    parent: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


class History:
    """Grows by `add`; `branches` and `tags` name commits."""

    def __init__(self, default_branch: str = "main") -> None:
        self.default_branch = default_branch
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self._commits: dict[str, Commit] = {}

    def add(self, commit: Commit, branch: str) -> None:
        """A commit, which becomes the tip of a branch. Raises KeyError for a parent that is not there."""
        if commit.parent is not None:
            self._commits[commit.parent]
        self._commits[commit.sha] = commit
        self.branches[branch] = commit.sha

    def next_sha(self, message: str, parent: str | None) -> str:
        """An id for a new commit, always the same one in the same story."""
        return hashlib.sha1(f"{len(self._commits)}/{parent}/{message}".encode(), usedforsecurity=False).hexdigest()

    def files_of(self, sha: str | None) -> Mapping[str, bytes]:
        """The files of a commit; none of no commit."""
        return self._commits[sha].files if sha is not None else {}

    def find(self, ref: str) -> Commit | None:
        """The commit that a full or short id, a branch or a tag means; `None`: it means none, or several."""
        named = self.branches.get(ref) or self.tags.get(ref) or ref
        if named in self._commits:
            return self._commits[named]
        if len(named) < SHORTEST:
            return None
        alike = [one for sha, one in self._commits.items() if sha.startswith(named.lower())]
        return alike[0] if len(alike) == 1 else None

    def has_ref(self, ref: str) -> bool:
        """Whether there is such a branch or tag."""
        return ref.removeprefix("refs/heads/").removeprefix("refs/tags/") in (*self.branches, *self.tags)

    def between(self, base: Commit, head: Commit) -> list[Commit]:
        """The commits that head has and base has not, oldest first."""
        known = {one.sha for one in self._line(base)}
        return [one for one in self._line(head) if one.sha not in known][::-1]

    def _line(self, commit: Commit) -> list[Commit]:
        """A commit and all before it, newest first."""
        line = [commit]
        while (parent := line[-1].parent) is not None:
            line.append(self._commits[parent])
        return line
