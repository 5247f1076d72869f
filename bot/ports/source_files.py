"""Files in the repositories of services."""

from typing import Protocol

MOST_BYTES = 8 * 1024 * 1024
"""Of one file. The largest OpenAPI documents that are published, such as Stripe's, have 6 to 8 MB as JSON."""


class SourceFiles(Protocol):
    """Reads files of repositories; never writes."""

    async def read(self, repository: str, path: str, commit: str) -> bytes:
        """The file at `path` as it was at `commit`, a full or short commit id: never a branch or a tag of that name.
        `repository` is as the catalogue writes it, such as `github.com/acme/api`.

        Raises NotFoundError (no such repository, commit or file, or no right to see it), RefusedError (401, 403),
        UnreadableError (a folder, or more than 8 MiB), UnreachableError, and UsageError where nobody knows a server for
        the repository, or for a path that is none inside it.
        """
        ...
