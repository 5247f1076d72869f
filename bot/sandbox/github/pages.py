"""What links to commits and comparisons lead to: a few lines of text for people. Nobody has to log in to read them."""

from bot.sandbox.github.history import Commit
from bot.sandbox.github.repository import Repository


def commit_page(repository: Repository, ref: str) -> str | None:
    """A commit and its checks; `None` where there is none."""
    commit = repository.history.find(ref)
    if commit is None:
        return None
    checks = [f"  {run['conclusion'] or run['status']:<12} {run['name']}" for run in _newest(repository, commit)]
    head = f"{repository.project} · commit {commit.sha}\n\n{commit.message}\n{commit.author.name}\n\nChecks:"
    return "\n".join([head, *(checks or ["  none"]), ""])


def compare_page(repository: Repository, span: str) -> str | None:
    """The commits between two, `base...head`; `None` where one of them is not there."""
    base, _, head = span.partition("...")
    before, after = repository.history.find(base), repository.history.find(head)
    if before is None or after is None:
        return None
    rows = [f"  {one.sha[:12]}  {one.message}, {one.author.name}" for one in repository.history.between(before, after)]
    return "\n".join([f"{repository.project} · {base[:12]}...{head[:12]}", "", *(rows or ["  nothing"]), ""])


def run_page(repository: Repository, number: str) -> str | None:
    """One check; `None` where there is none."""
    for run in repository.check_runs:
        if str(run["id"]) == number:
            said = run["conclusion"] or run["status"]
            return f"{repository.project} · check {run['name']}: {said}\nof commit {run['head_sha']}\n"
    return None


def _newest(repository: Repository, commit: Commit) -> list[dict[str, object]]:
    return [*{run["name"]: run for run in repository.check_runs if run["head_sha"] == commit.sha}.values()]
