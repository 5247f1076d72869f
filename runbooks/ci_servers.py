"""The section `ci` of the catalogue: which CI servers there are, and what a service has there. Secrets are in files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from bot.domain.errors import UsageError
from bot.domain.repository import Repository
from runbooks.metrics_providers import Address
from runbooks.parts import Name, Part
from runbooks.source import unknown

GITHUB_API = "https://api.github.com"
CHECK = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class GitHubApp(Part):
    """A GitHub App."""

    id: str = Field(min_length=1, coerce_numbers_to_str=True, description="Its id, or its client id.")
    installation: int = Field(gt=0, strict=True, description="The number of its installation.")
    private_key_file: str = Field(description="The file of its private key.")


class GitHubEntry(Part):
    """GitHub. `url` is the address of its API: https://HOST/api/v3 of Enterprise Server. Log in with the token that
    `token_file` holds, or as an `app`. Rights: checks, commit statuses and contents read; actions read and write where
    runbooks start pipelines."""

    url: Address = GITHUB_API
    token_file: str | None = Field(default=None, description="The file of a token; or log in as an `app`.")
    app: GitHubApp | None = Field(default=None, description="A GitHub App to log in as.")

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.token_file is None) == (self.app is None):
            raise ValueError("log in either with 'token_file' or with 'app: {id, installation, private_key_file}'")
        return self

    @property
    def host(self) -> str:
        """What the repositories on it begin with."""
        if self.url == GITHUB_API:
            return "github.com"
        host = urlsplit(self.url).netloc.lower()
        return host.removeprefix("api.") if host.endswith(".ghe.com") else host


class GitLabEntry(Part):
    """GitLab."""

    url: Address = Field(default="https://gitlab.com", description="What stands before `/api/v4`.")
    token_file: str = Field(
        description="The file of an access token with the scope `read_api`, or `api` where runbooks start pipelines."
    )

    @property
    def host(self) -> str:
        """What the repositories on it begin with."""
        return urlsplit(self.url).netloc.lower()


class JenkinsEntry(Part):
    """Jenkins."""

    url: Address = Field(description="Where it is.")
    username: str = Field(min_length=1, description="Whose token it is.")
    token_file: str = Field(description="The file of an API token.")


class AzureEntry(Part):
    """Azure DevOps."""

    url: Address = Field(description="It ends with the organization, as in https://dev.azure.com/acme.")
    token_file: str = Field(
        description="The file of a token with the scope Build: read, and execute where runbooks start pipelines."
    )


KINDS = ("github", "gitlab", "jenkins", "azure")


class CiEntry(Part):
    """One CI server, of exactly one kind."""

    github: GitHubEntry | None = Field(default=None, description="GitHub or its Enterprise Server.")
    gitlab: GitLabEntry | None = Field(default=None, description="GitLab.")
    jenkins: JenkinsEntry | None = Field(default=None, description="Jenkins.")
    azure: AzureEntry | None = Field(default=None, description="Azure DevOps.")

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError("a CI server is exactly one of 'github', 'gitlab', 'jenkins' and 'azure'")
        return self

    @property
    def host(self) -> str:
        """The host whose repositories it keeps; empty: it keeps none, so that services name their `project` there."""
        keeper = self.github or self.gitlab
        return keeper.host if keeper else ""


class ServiceCi(Part):
    """Where the commits of a service are checked. `server`: which one; `None`: the one that keeps the repository, or
    the only one. `project`: how the server calls it, such as `acme/api`, a folder of Jenkins or a project of Azure;
    `None`: the path of the repository. `required`: names or patterns (`test *`) of the checks that must be good; none:
    all that there are, and at least one."""

    server: Name | None = Field(
        default=None, description="One of `ci`; left out: the one that keeps the repository, or the only one."
    )
    project: str | None = Field(default=None, pattern=r"^[\w. -]+(/[\w. %-]+)*$")
    required: tuple[CHECK, ...] = ()


def short_form(value: object) -> object:
    """`[build, test *]` is `{required: [build, test *]}`."""
    return {"required": value} if isinstance(value, list) else value


ServiceCiField = Annotated[ServiceCi, BeforeValidator(short_form)]


@dataclass(frozen=True, slots=True)
class CiPlace:
    """Where a service's commits are checked and its pipelines run, with the checks that are required of them."""

    server: str
    project: str
    required: tuple[str, ...] = ()


def place_of(service: str, repository: str | None, own: ServiceCi | None, servers: Mapping[str, CiEntry]) -> CiPlace:
    """The place of a service. Raises UsageError with the line to write."""
    own = own or ServiceCi()
    home = Repository.parse(repository) if repository else None
    name = own.server or _usual(service, home, servers)
    if name not in servers:
        raise UsageError(unknown(f"There is no CI server '{name}'", name, servers))
    host, project = servers[name].host, own.project
    if project is None:
        if home is None:
            raise UsageError(
                f"{service} has no 'repository' whose checks could be asked for.",
                hint="Write it below the service, such as 'repository: github.com/acme/api'.",
            )
        if home.host != host:
            raise UsageError(
                f"The CI server '{name}' does not keep {home}, the repository of {service}.",
                hint=f"Write what it is called there below the service: 'ci: {{server: {name}, project: …}}'.",
            )
        project = home.path
    return CiPlace(name, project, own.required)


def _usual(service: str, home: Repository | None, servers: Mapping[str, CiEntry]) -> str:
    if not servers:
        raise UsageError(
            "The catalogue has no CI server.",
            hint="Write one, such as 'ci: {main: {github: {token_file: /run/secrets/github}}}'.",
        )
    keepers = [name for name, entry in servers.items() if home and entry.host == home.host]
    if len(keepers) == 1 or len(servers) == 1:
        return (keepers or [*servers])[0]
    raise UsageError(
        f"Which of the CI servers ({', '.join(servers)}) checks {service} is not said.",
        hint=f"Write below the service: 'ci: {{server: {next(iter(servers))}}}'.",
    )
