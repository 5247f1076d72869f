"""The CI servers of the catalogue, opened: which entry becomes which adapter."""

from collections.abc import Mapping
from pathlib import Path

from bot.adapters.azure_devops import AzurePipelines
from bot.adapters.ci_servers import CiServer, OpenCiServers
from bot.adapters.github_api import GitHubApi, GitHubServer
from bot.adapters.github_commits import GitHubCommits
from bot.adapters.github_files import GitHubFiles
from bot.adapters.github_login import App
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.gitlab import GitLabPipelines
from bot.adapters.gitlab_commits import GitLabCommits
from bot.adapters.gitlab_files import GitLabFiles
from bot.adapters.jenkins import JenkinsPipelines
from bot.adapters.rest import Rest, RestServer, SecretLogin
from bot.adapters.secret_source import HttpLogin
from bot.ports.clock import Clock
from runbooks.ci_servers import AzureEntry, CiEntry, GitHubEntry, GitLabEntry, JenkinsEntry


def ci_servers(entries: Mapping[str, CiEntry], *, clock: Clock) -> OpenCiServers:
    """All of them by name, to be used inside `async with`."""
    return OpenCiServers({name: _server(name, entry, clock) for name, entry in entries.items()})


def _server(name: str, entry: CiEntry, clock: Clock) -> CiServer:
    if entry.github:
        return _github(name, entry.github, clock)
    if entry.gitlab:
        return _gitlab(name, entry.gitlab)
    if entry.jenkins:
        return _jenkins(name, entry.jenkins)
    if entry.azure:
        return _azure(name, entry.azure)
    raise RuntimeError(f"the CI server '{name}' is of no kind")


def _github(name: str, entry: GitHubEntry, clock: Clock) -> CiServer:
    app = entry.app
    login = App(app.id, app.installation, Path(app.private_key_file)) if app else Path(entry.token_file or "")
    api = GitHubApi(GitHubServer(f"GitHub {name}", entry.url, login), clock=clock)
    return CiServer(GitHubPipelines(api), (api,), entry.host, GitHubCommits(api), GitHubFiles(api))


def _gitlab(name: str, entry: GitLabEntry) -> CiServer:
    login = SecretLogin(HttpLogin(token=Path(entry.token_file)))
    mend = "check the token, and that it has the scope 'read_api', or 'api' to start pipelines"
    rest = Rest(RestServer(f"GitLab {name}", f"{entry.url}/api/v4", login, mend))
    return CiServer(GitLabPipelines(rest), (rest,), entry.host, GitLabCommits(rest, entry.url), GitLabFiles(rest))


def _jenkins(name: str, entry: JenkinsEntry) -> CiServer:
    login = SecretLogin(HttpLogin(user=entry.username, password=Path(entry.token_file)))
    mend = "check the user's API token, and that it may read the job, or build it"
    rest = Rest(RestServer(f"Jenkins {name}", entry.url, login, mend))
    return CiServer(JenkinsPipelines(rest), (rest,))


def _azure(name: str, entry: AzureEntry) -> CiServer:
    # A personal access token is a password without a user (learn.microsoft.com, "Use personal access tokens").
    login = SecretLogin(HttpLogin(password=Path(entry.token_file)))
    mend = "check the personal access token, and that it has the scope Build"
    rest = Rest(RestServer(f"Azure DevOps {name}", entry.url, login, mend))
    return CiServer(AzurePipelines(rest), (rest,))
