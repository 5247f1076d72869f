"""Histories of repositories in memory: one line of commits each, and branches where a test wants them."""

from bot.domain.errors import NotFoundError, UnreachableError, UsageError
from bot.domain.repository import Repository
from bot.ports.commits import Ancestry, Change, Commit, Comparison

HOSTS = ("github.com",)


class FakeCommits:
    """`Commits` without a server. `down`: every call is unreachable."""

    def __init__(self) -> None:
        self.down = False
        self._parents: dict[tuple[str, str], str] = {}
        self._commits: dict[tuple[str, str], Commit] = {}
        self._tips: dict[str, str] = {}
        self._changes: dict[str, Change] = {}

    def commit(
        self, repository: str, message: str, *, author: str = "ann", on: str | None = None, sha: str = ""
    ) -> str:
        """A commit on top of `on`, or of the newest one; its id. `Fix it (#41)` is a merged change."""
        made = sha or f"{len(self._commits) + 1:x}".rjust(40, "c")
        title = message.partition("\n")[0]
        url = f"https://{repository}/commit/{made}"
        self._parents[repository, made] = self._tips.get(repository, "") if on is None else on
        self._commits[repository, made] = Commit(made, title, author, f"{author}@acme.test", url)
        self._tips[repository] = made
        head, _, number = title.removesuffix(")").rpartition(" (#")
        if number.isdecimal():
            self._changes[made] = Change(int(number), head, author, f"https://{repository}/pull/{number}")
        return made

    async def compare(self, repository: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        if self.down:
            raise UnreachableError("GitHub main cannot be reached: it is down")
        place = Repository.parse(repository)
        if place.host not in HOSTS:
            raise UsageError(
                f"No CI server of the catalogue has the repository {place}; known hosts: {', '.join(HOSTS)}.",
                hint="Write one.",
            )
        old, new = self._line(repository, base), self._line(repository, head)
        added = [sha for sha in new if sha not in old]
        lost = [sha for sha in old if sha not in new]
        commits = tuple(self._commits[repository, sha] for sha in added)
        changes = tuple(self._changes[sha] for sha in added if sha in self._changes)
        url = f"https://{repository}/compare/{base}...{head}"
        return Comparison(_ancestry(bool(added), bool(lost)), len(added), commits, changes, url)

    def _line(self, repository: str, ref: str) -> list[str]:
        """A commit and all before it, oldest first."""
        sha = next((sha for place, sha in self._commits if place == repository and sha.startswith(ref)), "")
        if not sha:
            raise NotFoundError(f"GitHub main has no commit {ref[:12]} in {repository}, or does not let Sluice see it")
        found = []
        while sha:
            found.append(sha)
            sha = self._parents[repository, sha]
        return found[::-1]


def _ancestry(added: bool, lost: bool) -> Ancestry:
    match added, lost:
        case True, True:
            return Ancestry.DIVERGED
        case True, False:
            return Ancestry.AHEAD
        case False, True:
            return Ancestry.BEHIND
    return Ancestry.IDENTICAL
