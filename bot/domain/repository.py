"""Where source code is: the repository of a service."""

import re
from dataclasses import dataclass

from bot.domain.errors import UsageError

WRITTEN = re.compile(
    r"(?:[a-z+]+://)?(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)*(?::\d+)?)[:/](?P<path>[\w.-]+(?:/[\w.-]+)+)"
)


INSIDE = re.compile(r"[^\x00-\x1f\x7f\\?#]{1,500}")


@dataclass(frozen=True, slots=True)
class Repository:
    """`github.com/acme/api`: the server's host, in small letters, and the path on it."""

    host: str
    path: str

    @classmethod
    def parse(cls, written: str) -> "Repository":
        """Read `github.com/acme/api` or an address as git takes it. Raises UsageError."""
        read = WRITTEN.fullmatch(written.strip().rstrip("/").removesuffix(".git"))
        if read is None or any(part in (".", "..") for part in read["path"].split("/")):
            raise UsageError(f"'{written}' is not a repository such as github.com/acme/api.")
        return cls(read["host"].lower(), read["path"])

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


def path_inside(written: str) -> str:
    """The path of a file from the top of its repository, such as `api/openapi.yaml`. Raises UsageError for one that
    leads out of it, or that servers could read in two ways."""
    if not INSIDE.fullmatch(written) or any(part in ("", ".", "..") for part in written.split("/")):
        raise UsageError(f"{written[:100]!r} is not a path inside a repository, such as api/openapi.yaml.")
    return written
