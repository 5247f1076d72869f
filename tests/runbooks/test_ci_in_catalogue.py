"""The catalogue's section `ci` and what services say of it: what they mean, and every fault with its place."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.domain.errors import UsageError
from runbooks.catalogue import Catalogue
from runbooks.ci_servers import CiPlace
from runbooks.configuration import load
from runbooks.source import Faults
from tests.runbooks.catalogues import CATALOGUE, a_catalogue, written

GITHUB = "  main: {github: {token_file: /run/secrets/github}}\n"
GITLAB = "  lab: {gitlab: {url: https://git.acme.test, token_file: /run/secrets/gitlab}}\n"
JENKINS = "  builds: {jenkins: {url: https://ci.acme.test, username: sluice, token_file: /run/secrets/jenkins}}\n"
AZURE = "  azure: {azure: {url: https://dev.azure.com/acme, token_file: /run/secrets/azure}}\n"


def text_of(*servers: str, api: str = "") -> str:
    """A catalogue with these servers; `api` is what the service says of CI."""
    own = f"    repository: github.com/acme/api\n    ci: {api}\n" if api else "    repository: github.com/acme/api\n"
    text = CATALOGUE.replace("    repository: github.com/acme/api\n", own)
    return f"ci:\n{''.join(servers)}{text}" if servers else text


def catalogue(*servers: str, api: str = "") -> Catalogue:
    """The same, read."""
    return a_catalogue(text_of(*servers, api=api))


def faults(text: str, folder: Path) -> str:
    """All faults of a file, without the folder it stands in."""
    with pytest.raises(Faults) as caught:
        load(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def refused(found: Catalogue, service: str = "api") -> str:
    """Why a service has no place to ask."""
    with pytest.raises(UsageError) as caught:
        found.ci_place(service)
    return str(caught.value)


def test_the_only_server_needs_no_name() -> None:
    """Nor any other word: all checks of the repository count."""
    assert catalogue(GITHUB).ci_place("api") == CiPlace("main", "acme/api")


@pytest.mark.parametrize("form", ["[build, test *]", "{required: [build, test *]}"])
def test_required_checks_have_a_short_form(form: str) -> None:
    """A list is what most services write."""
    assert catalogue(GITHUB, api=form).ci_place("api") == CiPlace("main", "acme/api", ("build", "test *"))


def test_of_several_servers_the_one_that_keeps_the_repository_is_asked() -> None:
    """Unless the service names another."""
    assert catalogue(GITLAB, GITHUB).ci_place("api").server == "main"
    other = catalogue(GITLAB, GITHUB, JENKINS, api="{server: builds, project: backend/api}")
    assert other.ci_place("api") == CiPlace("builds", "backend/api")


@pytest.mark.parametrize(
    ("server", "host"),
    [
        (GITHUB, "github.com"),
        (GITHUB.replace("{token", "{url: https://git.acme.test/api/v3, token"), "git.acme.test"),
        (GITHUB.replace("{token", "{url: https://api.acme.ghe.com, token"), "acme.ghe.com"),
        (GITHUB.replace("{token", "{url: http://127.0.0.1:14001, token"), "127.0.0.1:14001"),
        (GITLAB, "git.acme.test"),
        (JENKINS, ""),
        (AZURE, ""),
    ],
)
def test_a_server_keeps_the_repositories_of_its_host(server: str, host: str) -> None:
    """Jenkins and Azure DevOps are told what to ask for."""
    (entry,) = catalogue(server).ci.values()
    assert entry.host == host


@pytest.mark.parametrize(
    "repository",
    ["github.com/acme/api", "https://github.com/acme/api.git", "git@github.com:acme/api.git", "GitHub.com/acme/api"],
)
def test_a_repository_may_be_written_as_git_takes_it(repository: str) -> None:
    """It means the same place."""
    text = text_of(GITHUB).replace("repository: github.com/acme/api", f'repository: "{repository}"')
    assert a_catalogue(text).ci_place("api").project == "acme/api"


def test_without_a_server_a_gate_says_what_to_write() -> None:
    """Planning ends there."""
    assert refused(catalogue()) == (
        "The catalogue has no CI server. Write one, such as 'ci: {main: {github: {token_file: /run/secrets/github}}}'."
    )


def test_without_a_repository_a_gate_says_what_to_write() -> None:
    """The service web has none."""
    assert refused(catalogue(GITHUB), "web") == (
        "web has no 'repository' whose checks could be asked for. Write it below the service, such as 'repository: "
        "github.com/acme/api'."
    )


def test_which_of_several_servers_is_asked_must_be_plain() -> None:
    """A guess could ask about somebody else's code."""
    assert refused(catalogue(JENKINS, AZURE)) == (
        "Which of the CI servers (builds, azure) checks api is not said. Write below the service: 'ci: {server: "
        "builds}'."
    )


def test_what_a_service_says_of_ci_is_checked_when_the_catalogue_is_read(tmp_path: Path) -> None:
    """With the line, and what to write."""
    text = text_of(GITLAB, api="[build]")
    assert faults(text, tmp_path) == (
        "sluice.yaml:21:5: the CI server 'lab' does not keep github.com/acme/api, the repository of api; write what it "
        "is called there below the service: 'ci: {server: lab, project: …}'"
    )
    assert faults(text_of(GITHUB, api="{server: mian}"), tmp_path) == (
        "sluice.yaml:21:18: there is no CI server 'mian'; did you mean 'main'?"
    )
    assert faults(text_of(api="[build]"), tmp_path) == (
        "sluice.yaml:19:5: the catalogue has no CI server; write one, such as 'ci: {main: {github: {token_file: "
        "/run/secrets/github}}}'"
    )


def test_faults_of_servers_are_told_with_their_line(tmp_path: Path) -> None:
    """Two kinds, no login, two logins, a password in an address, an unknown key."""
    text = text_of(
        "  a: {github: {token_file: t}, gitlab: {token_file: t}}\n",
        "  b: {github: {}}\n",
        "  c: {github: {token_file: t, app: {id: 1, installation: 2, private_key_file: k}}}\n",
        "  d: {jenkins: {url: 'https://me:pw@ci.test', username: me, token_file: t}}\n",
        "  e: {azure: {url: https://dev.azure.com/acme, token: secret}}\n",
        "  f: {github: {app: {id: 1, installation: x, private_key_file: k}}}\n",
    )
    assert faults(text, tmp_path) == snapshot("""\
sluice.yaml:2:6: ci.a: a CI server is exactly one of 'github', 'gitlab', 'jenkins' and 'azure'
sluice.yaml:3:15: ci.b.github: log in either with 'token_file' or with 'app: {id, installation, private_key_file}'
sluice.yaml:4:15: ci.c.github: log in either with 'token_file' or with 'app: {id, installation, private_key_file}'
sluice.yaml:5:22: ci.d.jenkins.url: an address must not hold a password; use 'username' and 'password_file'
sluice.yaml:6:7: ci.e.azure lacks the key 'token_file'
sluice.yaml:6:48: ci.e.azure has no key 'token'; did you mean 'token_file'?
sluice.yaml:7:43: ci.f.github.app.installation must be a whole number\
""")


def test_a_repository_that_is_none_is_a_fault(tmp_path: Path) -> None:
    """It would be asked for in vain at every release."""
    text = text_of(GITHUB).replace("repository: github.com/acme/api", "repository: api")
    assert faults(text, tmp_path) == snapshot(
        "sluice.yaml:20:17: services.api.repository: 'api' is not a repository such as github.com/acme/api"
    )
