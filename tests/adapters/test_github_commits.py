"""What lies between two commits, as GitHub tells it."""

import pytest

from bot.adapters.github_commits import MOST_COMMITS, GitHubCommits
from bot.domain.errors import NotFoundError, UnreadableError
from bot.ports.commits import Ancestry, Change, Commit
from tests.adapters import github_server
from tests.adapters.github_server import PROJECT, SHA, Answer
from tests.contracts.ci_worlds import github_api


def numbered(number: int) -> str:
    """A commit's id."""
    return f"{number:040x}"


async def test_a_comparison_lists_commits_and_what_was_merged() -> None:
    """By the titles that GitHub gives to merge commits and to squashed ones."""
    server = github_server.GitHubServer()
    server.commit(numbered(1), "Fix a leak (#41)\n\nIt leaked.", login="bob")
    server.commit(numbered(2), "Merge pull request #42 from acme/branch\n\nSpeed it up")
    server.commit(numbered(3), "Tidy", login=None)
    async with github_api(server) as api:
        found = await GitHubCommits(api).compare(PROJECT, SHA, numbered(3))
    assert (found.ancestry, found.total) == (Ancestry.AHEAD, 3)
    assert found.url == f"https://github.com/acme/api/compare/{SHA}...{numbered(3)}"
    url = f"https://github.com/acme/api/commit/{numbered(1)}"
    assert found.commits[0] == Commit(numbered(1), "Fix a leak (#41)", "bob", "ann@acme.test", url)
    assert [commit.author for commit in found.commits] == ["bob", "ann", "Ann"]
    pull = "https://github.com/acme/api/pull"
    assert found.changes == (
        Change(41, "Fix a leak", "bob", f"{pull}/41"),
        Change(42, "Speed it up", "", f"{pull}/42"),
    )


async def test_an_older_head_is_behind_and_the_same_is_identical() -> None:
    """Neither has anything new."""
    server = github_server.GitHubServer()
    server.commit(numbered(1), "Fix")
    async with github_api(server) as api:
        behind = await GitHubCommits(api).compare(PROJECT, numbered(1), SHA)
        same = await GitHubCommits(api).compare(PROJECT, SHA, SHA)
    assert (behind.ancestry, behind.total, behind.commits) == (Ancestry.BEHIND, 0, ())
    assert same.ancestry is Ancestry.IDENTICAL


async def test_very_many_commits_are_counted_and_not_all_listed() -> None:
    """From more than one page."""
    server = github_server.GitHubServer()
    for number in range(1, 352):
        server.commit(numbered(number), "Fix")
    async with github_api(server) as api:
        found = await GitHubCommits(api).compare(PROJECT, SHA, numbered(351))
    assert (found.total, len(found.commits)) == (351, MOST_COMMITS)
    assert found.commits[0].sha == numbered(1)


async def test_commits_that_are_not_there_are_not_found() -> None:
    """A force-push may have removed them."""
    async with github_api(github_server.GitHubServer()) as api:
        with pytest.raises(NotFoundError, match="has no comparison of commits"):
            await GitHubCommits(api).compare(PROJECT, SHA, numbered(9))


@pytest.mark.parametrize(
    "body",
    [
        {"status": "sideways", "total_commits": 0, "commits": []},
        {"status": "ahead", "commits": []},
        {"status": "ahead", "total_commits": 1, "commits": [{}]},
        {"status": "ahead", "total_commits": 1},
        [],
    ],
)
async def test_a_comparison_of_another_shape_is_unreadable(body: object) -> None:
    """An order of releases must not be guessed."""
    server = github_server.GitHubServer()
    server.faults = [Answer(200, json=body)]
    async with github_api(server) as api:
        with pytest.raises(UnreadableError):
            await GitHubCommits(api).compare(PROJECT, SHA, SHA)
