"""`SourceFiles` over GitLab (docs.gitlab.com/api/repository_files, "Retrieve a raw file from a repository")."""

from urllib.parse import quote

from bot.adapters.gitlab import at, full_commit
from bot.adapters.rest import FULL_COMMIT, Rest
from bot.ports.source_files import MOST_BYTES


class GitLabFiles:
    """One GitLab, opened by whoever owns `rest`. A folder is not found there."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def read(self, project: str, path: str, commit: str) -> bytes:
        """See `SourceFiles`."""
        about = f"file {path} of {project} at commit {commit[:12]}"
        sha = commit if FULL_COMMIT.fullmatch(commit) else (await full_commit(self._rest, project, commit))[0]
        place = f"{at(project)}/repository/files/{quote(path, safe='')}/raw"
        return (await self._rest.raw(place, about, accept="*/*", most_bytes=MOST_BYTES, ref=sha)).body
