"""Gathers what a release brings, for those who vote on it and those who wrote it. Only ever information: where it
cannot be read the plan says so, and goes on."""

from collections.abc import Mapping, Sequence

from bot.domain.errors import PermanentError, TemporaryError, UsageError
from bot.domain.ids import UserId
from bot.domain.image import ImageRef
from bot.domain.news import Author, Item, News
from bot.domain.plan import Artifact
from bot.ports.commits import Ancestry, Commits, Comparison
from bot.ports.image_registry import ImageRegistry

MOST_ITEMS = 50
"""More than anybody reads in a thread; the link has them all."""

Told = tuple[News | None, tuple[str, ...]]
"""The news, and what people should know about them: why there are none."""


class Newsroom:
    """Asks the registry what commit runs, and the repository's server what lies between. `commits` `None`: no server of
    repositories is configured, and there are no news."""

    def __init__(self, registry: ImageRegistry, commits: Commits | None) -> None:
        self._registry = registry
        self._commits = commits

    async def news(
        self, repository: str | None, running: str, artifact: Artifact, people: Mapping[str, UserId]
    ) -> Told:
        """What the artifact has that the `running` image has not. `people` are the catalogue's: logins or addresses,
        and whom Slack knows them as."""
        if self._commits is None or not repository or not artifact.commit:
            return None, ()
        try:
            base = await self._commit(running)
            if not base or base == artifact.commit:
                return None, ()
            found = await self._commits.compare(repository, base, artifact.commit)
            back = found.ancestry is Ancestry.BEHIND
            if back:
                found = await self._commits.compare(repository, artifact.commit, base)
        except (TemporaryError, PermanentError, UsageError) as exc:
            return None, (f"what changes could not be listed: {exc}",)
        apart = "it lacks commits of what runs now: their histories have diverged"
        return _news(found, people, back=back), (apart,) if found.ancestry is Ancestry.DIVERGED else ()

    async def _commit(self, image: str) -> str:
        """The commit that an image says it was built from; empty where it says nothing, or is known by its tag."""
        parsed = ImageRef.parse(image)
        return (await self._registry.resolve(parsed.repository, parsed.digest)).commit if parsed.digest else ""


def _news(found: Comparison, people: Mapping[str, UserId], *, back: bool) -> News:
    emails = {commit.author: commit.email for commit in found.commits if commit.author}
    known = {name: Author(name, people.get(name) or people.get(email)) for name, email in emails.items()}
    written = [(one.title, one.author, one.url, one.number) for one in found.changes] or [
        (one.title, one.author, one.url, 0) for one in found.commits
    ]
    items = [Item(title, known.get(author, Author(author)), url, number) for title, author, url, number in written]
    return News(found.total, tuple(items[:MOST_ITEMS]), _once(tuple(known.values())), back, found.url)


def _once(authors: Sequence[Author]) -> tuple[Author, ...]:
    """Each person once, however many names they write under."""
    return tuple({author.user or author.name: author for author in authors}.values())
