"""`Commits` over GitLab's comparison of two commits (docs.gitlab.com/api/repositories, "Compare branches, tags or
commits" and "Merge base")."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.adapters.gitlab import at, full_commit
from bot.adapters.rest import Rest
from bot.domain.errors import UnreadableError
from bot.ports.commits import Ancestry, Change, Commit, Comparison

MOST_COMMITS = 300
MERGED = re.compile(r"^See merge request (?:\S*)!(\d+)$", re.MULTILINE)
"""How GitLab itself ends what it merges (docs.gitlab.com/user/project/merge_requests/commit_templates)."""


class GitLabCommits:
    """One GitLab, opened by whoever owns `rest`. `pages_at` is the address that people open."""

    def __init__(self, rest: Rest, pages_at: str) -> None:
        self._rest, self._pages_at = rest, pages_at

    async def compare(self, project: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        about = f"comparison of commits {base[:12]} and {head[:12]} in {project}"
        old, _ = await full_commit(self._rest, project, base)
        new, _ = await full_commit(self._rest, project, head)
        both = f"{at(project)}/repository/merge_base?refs[]={quote(old)}&refs[]={quote(new)}"
        common = (await self._rest.mapping(both, about)).get("id")
        found = await self._rest.mapping(f"{at(project)}/repository/compare?from={quote(old)}&to={quote(new)}", about)
        listed = self._rest.rows(found.get("commits"), about)
        return Comparison(
            ancestry=_ancestry(old, new, common),
            total=len(listed),
            commits=tuple(self._commit(row, about) for row in listed[:MOST_COMMITS]),
            changes=tuple(change for row in listed if (change := self._change(project, row))),
            url=str(found.get("web_url") or ""),
        )

    def _commit(self, row: Mapping[str, Any], about: str) -> Commit:
        if not isinstance(row.get("id"), str):
            raise UnreadableError(f"{self._rest.called} sent a commit without an id; asked for {about}")
        author, email = str(row.get("author_name") or ""), str(row.get("author_email") or "")
        return Commit(row["id"], str(row.get("title") or ""), author, email, str(row.get("web_url") or ""))

    def _change(self, project: str, row: Mapping[str, Any]) -> Change | None:
        text = str(row.get("message") or "")
        merged = MERGED.search(text)
        if merged is None:
            return None
        number, paragraphs = int(merged[1]), [part.strip() for part in text.split("\n\n")]
        # A merge commit is titled "Merge branch ..."; what was merged comes in its second paragraph.
        title = paragraphs[1] if text.startswith("Merge branch") and len(paragraphs) > 2 else paragraphs[0]  # noqa: PLR2004 - the last one is the mark
        url = f"{self._pages_at}/{project}/-/merge_requests/{number}"
        return Change(number, title.partition("\n")[0], str(row.get("author_name") or ""), url)


def _ancestry(old: str, new: str, common: object) -> Ancestry:
    if old == new:
        return Ancestry.IDENTICAL
    return Ancestry.AHEAD if common == old else Ancestry.BEHIND if common == new else Ancestry.DIVERGED
