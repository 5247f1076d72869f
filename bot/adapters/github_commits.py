"""`Commits` over GitHub (docs.github.com/en/rest/commits/commits, "Compare two commits")."""

import re
from typing import Any
from urllib.parse import quote

from bot.adapters.github_api import A_PAGE, GitHubApi, at, repo
from bot.domain.errors import UnreadableError
from bot.ports.commits import Ancestry, Change, Commit, Comparison

MOST_COMMITS = 300
"""As many as anybody reads; `total` tells how many there are."""

MERGED = re.compile(r"Merge pull request #(\d+) from \S+")
SQUASHED = re.compile(r"(.+) \(#(\d+)\)")
"""How GitHub itself titles what it merges (docs.github.com/en/pull-requests, "About pull request merges")."""


class GitHubCommits:
    """One GitHub, opened by whoever owns `api`. `project` is `owner/name`."""

    def __init__(self, api: GitHubApi) -> None:
        self._api, self._rest = api, api.rest

    async def compare(self, project: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        about = f"comparison of commits {base[:12]} and {head[:12]} in {project}"
        path = f"{repo(project)}/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            found = await self._rest.mapping(path, about, per_page=str(A_PAGE), page=str(page))
            new = self._rest.rows(found.get("commits"), about)
            rows += new
            total = found.get("total_commits")
            if not isinstance(total, int) or at(found.get("status")) not in set(Ancestry):
                raise UnreadableError(f"{self._api.called} does not say how they stand; asked for {about}")
            if not new or len(rows) >= min(total, MOST_COMMITS):
                break
            page += 1
        return Comparison(
            ancestry=Ancestry(found["status"]),
            total=total,
            commits=tuple(self._commit(row, about) for row in rows[:MOST_COMMITS]),
            changes=tuple(change for row in rows if (change := self._change(project, row))),
            url=at(found.get("html_url")),
        )

    def _commit(self, row: dict[str, Any], about: str) -> Commit:
        written = row.get("commit")
        if not at(row.get("sha")) or not isinstance(written, dict):
            raise UnreadableError(f"{self._api.called} sent a commit without an id; asked for {about}")
        title = at(written.get("message")).partition("\n")[0]
        return Commit(row["sha"], title, _author(row), at(_member(written, "author", "email")), at(row.get("html_url")))

    def _change(self, project: str, row: dict[str, Any]) -> Change | None:
        """The pull request that a commit merged, by the title that GitHub gives it: asking for each commit would be a
        request each. Whoever merged it is not always its author, so that of a merge commit nobody is named."""
        title, _, rest = at(_member(row, "commit", "message")).partition("\n")
        merged, squashed = MERGED.fullmatch(title), SQUASHED.fullmatch(title)
        if merged:
            number, named = int(merged[1]), next((line for line in rest.splitlines() if line.strip()), title)
            author = ""
        elif squashed:
            number, named, author = int(squashed[2]), squashed[1], _author(row)
        else:
            return None
        return Change(number, named, author, f"{self._api.pages_at}/{project}/pull/{number}")


def _author(row: dict[str, Any]) -> str:
    """Their login where GitHub knows them, else the name that they wrote."""
    return at(_member(row, "author", "login")) or at(_member(row, "commit", "author", "name"))


def _member(found: object, *names: str) -> object:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
