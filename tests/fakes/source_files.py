"""Files of repositories in memory, as they were at each commit."""

from bot.domain.errors import NotFoundError, UnreachableError, UnreadableError, UsageError
from bot.domain.repository import Repository, path_inside
from bot.ports.source_files import MOST_BYTES

HOSTS = ("github.com",)


class FakeSourceFiles:
    """`SourceFiles` without a server. `down`: every call is unreachable."""

    def __init__(self) -> None:
        self.down = False
        self._files: dict[tuple[str, str], dict[str, bytes]] = {}

    def write(self, repository: str, commit: str, path: str, content: bytes) -> None:
        """A file, as it is at that commit."""
        self._files.setdefault((repository, commit), {})[path] = content

    async def read(self, repository: str, path: str, commit: str) -> bytes:
        """See `SourceFiles`."""
        if self.down:
            raise UnreachableError("GitHub main cannot be reached: it is down")
        place, inside = Repository.parse(repository), path_inside(path)
        if place.host not in HOSTS:
            raise UsageError(
                f"No CI server of the catalogue has the repository {place}; known hosts: {', '.join(HOSTS)}.",
                hint="Write one.",
            )
        about = f"file {path} of {place.path} at commit {commit[:12]}"
        files = next(
            (found for (at, sha), found in self._files.items() if at == repository and sha.startswith(commit)), {}
        )
        if any(name.startswith(f"{inside}/") for name in files):
            raise UnreadableError(f"GitHub main has a folder or a submodule instead of the {about}")
        if inside not in files:
            raise NotFoundError(f"GitHub main has no {about}, or does not let Sluice see it")
        if len(files[inside]) > MOST_BYTES:
            raise UnreadableError(f"GitHub main sends more than {MOST_BYTES:,} bytes for {about}")
        return files[inside]
