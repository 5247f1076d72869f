"""The CI servers of the catalogue, opened: which entry becomes which adapter."""

from collections.abc import Mapping
from pathlib import Path

from bot.adapters.ci_servers import CiServer, OpenCiServers
from bot.adapters.github_api import GitHubApi, GitHubServer
from bot.adapters.github_commits import GitHubCommits
from bot.adapters.github_login import App
from bot.adapters.github_pipelines import GitHubPipelines
from bot.ports.clock import Clock
from runbooks.ci_servers import CiEntry, GitHubEntry


def ci_servers(entries: Mapping[str, CiEntry], *, clock: Clock) -> OpenCiServers:
    """All of them by name, to be used inside `async with`."""
    return OpenCiServers({name: _server(name, entry, clock) for name, entry in entries.items()})


def _server(name: str, entry: CiEntry, clock: Clock) -> CiServer:
    if entry.github:
        return _github(name, entry.github, clock)
    raise RuntimeError(f"the CI server '{name}' is of no kind")


def _github(name: str, entry: GitHubEntry, clock: Clock) -> CiServer:
    app = entry.app
    login = App(app.id, app.installation, Path(app.private_key_file)) if app else Path(entry.token_file or "")
    api = GitHubApi(GitHubServer(f"GitHub {name}", entry.url, login), clock=clock)
    return CiServer(GitHubPipelines(api), (api,), entry.host, GitHubCommits(api))
