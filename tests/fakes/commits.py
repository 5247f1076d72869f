"""A repository whose history a test writes down."""

from bot.domain.errors import NotFoundError, SluiceError
from bot.ports.commits import Ancestry, Comparison


class FakeCommits:
    """`error`, when set, is raised instead of an answer; what was not written down is not found."""

    def __init__(self) -> None:
        self.error: SluiceError | None = None
        self._known: dict[tuple[str, str, str], Comparison] = {}

    def stands(self, repository: str, base: str, head: str, ancestry: Ancestry, *, total: int = 0) -> None:
        """From now on `head` stands so to `base`."""
        self._known[repository, base, head] = Comparison(ancestry, total, url=f"https://{repository}/compare")

    async def compare(self, repository: str, base: str, head: str) -> Comparison:
        """See the port."""
        if self.error:
            raise self.error
        if (repository, base, head) not in self._known:
            raise NotFoundError(f"{repository} has no commit {base} or {head}")
        return self._known[repository, base, head]
