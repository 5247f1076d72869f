"""`SourceFiles` over GitHub (docs.github.com/en/rest/repos/contents, "Get repository content")."""

from urllib.parse import quote

from bot.adapters.github_api import GitHubApi, repo
from bot.adapters.rest import FULL_COMMIT
from bot.domain.errors import UnreadableError
from bot.ports.source_files import MOST_BYTES

RAW = "application/vnd.github.raw+json"
"""Files beyond 1 MB come in this form alone (ibidem, "Size limits")."""

JSON = "application/json"
"""What comes for a folder instead, which has no raw form (ibidem, "If the content is a directory")."""


class GitHubFiles:
    """One GitHub, opened by whoever owns `api`. `project` is `owner/name`."""

    def __init__(self, api: GitHubApi) -> None:
        self._called, self._rest = api.called, api.rest

    async def read(self, project: str, path: str, commit: str) -> bytes:
        """See `SourceFiles`."""
        about = f"file {path} of {project} at commit {commit[:12]}"
        sha = commit if FULL_COMMIT.fullmatch(commit) else await self._full(project, commit)
        place = f"{repo(project)}/contents/{quote(path, safe='/')}"
        told = await self._rest.raw(place, about, accept=RAW, most_bytes=MOST_BYTES, ref=sha)
        if told.headers.get("Content-Type", "").partition(";")[0].strip() == JSON:
            raise UnreadableError(f"{self._called} has a folder or a submodule instead of the {about}")
        return told.body

    async def _full(self, project: str, commit: str) -> str:
        """The full id of a short one. The address takes names of branches too: they are refused."""
        about = f"commit {commit[:12]} in {project}"
        found = (await self._rest.mapping(f"{repo(project)}/commits/{quote(commit, safe='')}", about)).get("sha")
        if not isinstance(found, str) or not found.startswith(commit) or not FULL_COMMIT.fullmatch(found):
            raise UnreadableError(f"{self._called} sent commit {str(found)[:12]}; asked for {about}")
        return found
