"""What a release brings, in its message and in its thread. Pure functions of the plan's news."""

from bot.domain.news import Author, Item, News
from bot.slack.mrkdwn import code, counted, link, mention, quoted

MOST_AUTHORS = 5
MOST_ITEMS = 15
"""As many changes as a thread can show; the comparison has them all."""

_TITLE_LIMIT = 120


def summary(news: News) -> str:
    """`3 commits by @ann, @bob`, linked to the comparison. In the live message nobody is called: it is edited often."""
    commits = link(news.url, counted(news.total, "commit"))
    named = [code(author.name) for author in news.authors[:MOST_AUTHORS]]
    more = len(news.authors) - len(named)
    by = f" by {', '.join(named)}{f' and {more} more' if more else ''}" if named else ""
    return f"*back* by {commits}{by}" if news.back else f"{commits}{by}"


def changes(news: News) -> str:
    """Every change in a line, for those who vote."""
    head = "*It leaves behind:*" if news.back else "*What it brings:*"
    return "\n".join([head, *_lines(news)])


def live(news: News) -> str:
    """The same for those who wrote it: their change is what people use now."""
    return "\n".join(["*Live now:*", *_lines(news)])


def _lines(news: News) -> list[str]:
    shown = [f"• {_line(item)}" for item in news.items[:MOST_ITEMS]]
    more = news.beyond(len(shown))
    return [*shown, *([link(news.url, f"… and {more} more")] if more > 0 else [])]


def _line(item: Item) -> str:
    name = link(item.url, f"#{item.number}" if item.number else "commit")
    by = f", {_author(item.author)}" if item.author.name else ""
    return f"{name} {quoted(item.title, limit=_TITLE_LIMIT)}{by}"


def _author(author: Author) -> str:
    return mention(author.user) if author.user else code(author.name)
