"""The CI servers of the catalogue, opened."""

import pytest

from bot.adapters.azure_devops import AzurePipelines
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.gitlab import GitLabPipelines
from bot.adapters.jenkins import JenkinsPipelines
from bot.building import ci_servers
from bot.domain.errors import NotFoundError
from tests.fakes.clock import FakeClock
from tests.runbooks.test_ci_in_catalogue import AZURE, GITHUB, GITLAB, JENKINS, catalogue

APP = "  app: {github: {app: {id: 1, installation: 2, private_key_file: /run/secrets/app.pem}}}\n"


async def test_every_kind_of_entry_becomes_its_adapter() -> None:
    """Nobody is asked anything, and no secret is read, before the first question."""
    entries = catalogue(GITHUB, GITLAB, JENKINS, AZURE, APP).ci
    async with ci_servers(entries, clock=FakeClock()) as servers:
        assert isinstance(servers.get("main"), GitHubPipelines)
        assert isinstance(servers.get("app"), GitHubPipelines)
        assert isinstance(servers.get("lab"), GitLabPipelines)
        assert isinstance(servers.get("builds"), JenkinsPipelines)
        assert isinstance(servers.get("azure"), AzurePipelines)
        with pytest.raises(NotFoundError, match="no CI server 'other' in the catalogue; known: app, azure, builds"):
            servers.get("other")
