"""What lies between two versions, for people who read it in a reply."""

from bot.domain.news import Author, Item, News
from commands.wording import code, person, safe, tame

MOST_ITEMS = 20
LONGEST_TITLE = 120


UNKNOWN = (
    "What lies between them is not known: no server of repositories is set up, the catalogue names no `repository`, an "
    "image does not say of which commit it is, or both are of the same."
)


def between(news: News | None) -> list[str]:
    """How many commits and by whom, then one line a change, oldest first, and where all of it can be seen."""
    if news is None:
        return [UNKNOWN]
    commits = "1 commit" if news.total == 1 else f"{news.total} commits"
    by = ", ".join(_author(author) for author in news.authors)
    head = (
        f"It {'goes back' if news.back else 'brings'}{' by' if news.back else ''} {commits}{f' by {by}' if by else ''}:"
    )
    shown = [f"• {_item(item)}" for item in news.items[:MOST_ITEMS]]
    more = news.beyond(len(shown))
    left = [f"… and {more} more"] if more > 0 else []
    return [head, *shown, *left, *([f"All of it: {safe(news.url)}"] if news.url else [])]


def _item(item: Item) -> str:
    number = f"#{item.number} " if item.number else ""
    by = f", {_author(item.author)}" if item.author.name else ""
    title = item.title if len(item.title) <= LONGEST_TITLE else f"{item.title[: LONGEST_TITLE - 1]}…"
    return f"{number}{safe(tame(title))}{by}"


def _author(author: Author) -> str:
    return person(author.user) if author.user else code(author.name)
