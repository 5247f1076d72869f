"""What a release brings: the commits or merged changes between what runs and what shall run, and who wrote them."""

from dataclasses import dataclass

from bot.domain.ids import UserId


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote something: as the repository's server calls them, and in Slack where that is known."""

    name: str
    user: UserId | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One merged change, or one commit where nothing was merged. `number` is the change's; 0: it is a commit."""

    title: str
    author: Author
    url: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """`total` commits lie between the two versions; `items` tells of them, oldest first, as many as anybody reads, and
    `authors` names everybody once. `back`: the release goes back by them instead. `url` shows the comparison."""

    total: int
    items: tuple[Item, ...]
    authors: tuple[Author, ...]
    back: bool = False
    url: str = ""

    def beyond(self, shown: int) -> int:
        """How many are left when so many of the `items` are shown. Of merged changes only the items are known, of
        commits all."""
        merged = any(item.number for item in self.items)
        return max(len(self.items), 0 if merged else self.total) - shown
