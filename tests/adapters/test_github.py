"""What GitHub is asked, and what becomes of its answers: logging in, addresses, workflow runs, comparisons."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from bot.adapters.github_api import GitHubApi, GitHubServer, pages_at
from bot.adapters.github_login import App, signed
from bot.adapters.github_pipelines import GitHubPipelines
from bot.domain.errors import RefusedError, UnreachableError, UnreadableError
from bot.ports.pipelines import CheckState, Order, PipelineRun
from tests.adapters import github_server
from tests.adapters.github_server import API, PROJECT, SHA, Answer
from tests.contracts.ci_worlds import SINCE, github_api
from tests.fakes.clock import START, FakeClock

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
ORDER = Order(PROJECT, "integration.yml", "api-prod-7.pipeline.8c8c8c8c", "main", {"suite": "smoke"})


@asynccontextmanager
async def as_app(server: github_server.GitHubServer, clock: FakeClock) -> AsyncIterator[GitHubPipelines]:
    """Our client, logged in as an App."""
    place = GitHubServer("GitHub main", API, App("12345", 77, SecretStr(PEM)))
    async with GitHubApi(place, clock=clock, transport=server) as api:
        yield GitHubPipelines(api)


def sent(server: github_server.GitHubServer, path: str) -> list[httpx.Request]:
    """The requests whose path ends so."""
    return [request for request in server.requests if request.url.path.endswith(path)]


# --- logging in ---


def test_a_jwt_is_signed_by_the_apps_key_and_short_lived() -> None:
    """Dated back a minute, as clocks differ; ten minutes are the most that GitHub takes."""
    head, claims, signature = signed(App("12345", 77, SecretStr(PEM)), START).split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    KEY.public_key().verify(raw, f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert read["iss"] == "12345"
    assert (START.timestamp() - read["iat"], read["exp"] - read["iat"]) == (60, 600)


@pytest.mark.parametrize("pem", ["not a key", PEM[:200], PEM.replace("PRIVATE", "PUBLIC")])
def test_what_is_no_key_is_said_without_it(pem: str) -> None:
    """What stands in the file is nobody's business."""
    with pytest.raises(RefusedError, match="private key cannot be read: it is no PEM file") as caught:
        signed(App("1", 77, SecretStr(pem)), START)
    assert pem not in str(caught.value)


def test_a_key_of_another_sort_is_refused() -> None:
    """GitHub's keys are RSA."""
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(RefusedError, match="it is no RSA key"):
        signed(App("1", 77, SecretStr(pem)), START)


async def test_a_token_of_the_installation_is_used_until_it_ends() -> None:
    """Five minutes before, a new one is asked for."""
    server, clock = github_server.GitHubServer(), FakeClock()
    async with as_app(server, clock) as ci:
        await ci.checks(PROJECT, SHA)
        await ci.checks(PROJECT, SHA)
        assert server.app_tokens == ["ghs_1"]
        clock.advance(timedelta(minutes=56))
        server.token_ends = "2026-03-02T10:56:00Z"
        await ci.checks(PROJECT, SHA)
    assert server.app_tokens == ["ghs_1", "ghs_2"]
    assert server.requests[-1].headers["Authorization"] == "Bearer ghs_2"


async def test_a_token_that_was_revoked_is_replaced_once() -> None:
    """A second refusal is told."""
    server, clock = github_server.GitHubServer(), FakeClock()
    async with as_app(server, clock) as ci:
        await ci.checks(PROJECT, SHA)
        server.tokens.clear()
        await ci.checks(PROJECT, SHA)
        assert server.app_tokens == ["ghs_1", "ghs_2"]
        server.faults = [Answer(401), Answer(201, json={"token": "ghs_x", "expires_at": server.token_ends})]
        with pytest.raises(RefusedError, match=r"does not let Sluice in \(HTTP 401: Bad credentials\)"):
            await ci.checks(PROJECT, SHA)


@pytest.mark.parametrize(
    "body", [{}, {"token": "ghs_secret"}, {"token": 1, "expires_at": "2026-03-02T10:00:00Z"}, {"expires_at": "soon"}]
)
async def test_an_answer_without_a_token_is_told_without_what_came(body: dict[str, object]) -> None:
    """A token may be in it."""
    server = github_server.GitHubServer()
    server.faults = [Answer(201, json=body)]
    async with as_app(server, FakeClock()) as ci:
        with pytest.raises(UnreadableError, match="sent no token") as caught:
            await ci.checks(PROJECT, SHA)
    assert "ghs_secret" not in str(caught.value)


async def test_an_app_that_is_refused_is_told_what_to_check() -> None:
    """Its key, its id, or a clock."""
    server = github_server.GitHubServer()
    server.faults = [Answer(401, json={"message": "A JSON web token could not be decoded"})]
    async with as_app(server, FakeClock()) as ci:
        with pytest.raises(RefusedError, match=r"could not be decoded.*check the App's id, its private key, and this"):
            await ci.checks(PROJECT, SHA)


async def test_a_token_is_read_anew_from_its_file(tmp_path: Path) -> None:
    """It may be replaced while Sluice runs."""
    server, path = github_server.GitHubServer(), tmp_path / "token"
    path.write_text("old\n")
    async with GitHubApi(GitHubServer("GitHub main", API, path), clock=FakeClock(), transport=server) as api:
        with pytest.raises(RefusedError, match="Bad credentials"):
            await GitHubPipelines(api).checks(PROJECT, SHA)
        path.write_text(f"{github_server.TOKEN}\n")
        await GitHubPipelines(api).checks(PROJECT, SHA)


# --- addresses ---


@pytest.mark.parametrize(
    ("url", "pages"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://git.acme.test/api/v3", "https://git.acme.test"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("http://127.0.0.1:14001", "http://127.0.0.1:14001"),
    ],
)
def test_people_read_elsewhere_than_programs(url: str, pages: str) -> None:
    """On github.com, on Enterprise, and on an emulator."""
    assert pages_at(url) == pages


async def test_enterprise_is_asked_below_its_base_address() -> None:
    """With the version of the API that it speaks."""
    server = github_server.GitHubServer()
    server.check("build", "success")
    async with github_api(server, url="https://git.acme.test/api/v3") as api:
        found = await GitHubPipelines(api).checks(PROJECT, SHA)
    assert found.url == f"https://git.acme.test/acme/api/commit/{SHA}/checks"
    assert server.requests[0].url.path == f"/api/v3/repos/acme/api/commits/{SHA}/check-runs"
    assert server.requests[0].headers["X-GitHub-Api-Version"] == "2022-11-28"


# --- workflow runs ---


async def test_a_start_carries_the_inputs_and_the_key() -> None:
    """And says which run it became, where the server tells."""
    server = github_server.GitHubServer()
    async with github_api(server) as api:
        run = await GitHubPipelines(api).start(ORDER)
    url = "https://github.com/acme/api/actions/runs/100"
    assert run == PipelineRun("100", CheckState.QUEUED, url=url)
    assert server.runs[0]["inputs"] == {"suite": "smoke", "sluice_key": ORDER.key}


@pytest.mark.parametrize("tells", [False, None])
async def test_an_older_server_starts_it_too(tells: bool | None) -> None:
    """It answers 204, or knows no `return_run_details` and starts nothing before it is asked without."""
    server = github_server.GitHubServer()
    server.tells_runs = tells
    async with github_api(server) as api:
        ci = GitHubPipelines(api)
        assert await ci.start(ORDER) is None
        found = await ci.find(ORDER, SINCE)
    assert found is not None
    assert (found.id, len(server.runs)) == ("100", 1)


async def test_without_a_branch_the_default_one_is_taken() -> None:
    """A workflow is dispatched on a branch or a tag, never on a commit."""
    server = github_server.GitHubServer()
    async with github_api(server) as api:
        await GitHubPipelines(api).start(Order(PROJECT, "integration.yml", "key"))
    assert server.runs[0]["ref"] == "main"


async def test_inputs_that_are_not_declared_are_told_with_what_to_do() -> None:
    """GitHub refuses the whole dispatch."""
    async with github_api(github_server.GitHubServer()) as api:
        with pytest.raises(
            RefusedError, match=r"Unexpected inputs provided.*must have the trigger 'workflow_dispatch'"
        ):
            await GitHubPipelines(api).start(Order(PROJECT, "integration.yml", "key", "main", {"undeclared": "x"}))


async def test_a_start_is_never_sent_twice() -> None:
    """A lost connection may have started it."""
    server = github_server.GitHubServer()
    server.faults = [httpx.ReadError("reset")]
    async with github_api(server) as api:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await GitHubPipelines(api).start(ORDER)
    assert len(sent(server, "/dispatches")) == 1


async def test_runs_are_looked_for_among_the_young_ones() -> None:
    """With an hour for clocks that differ."""
    server = github_server.GitHubServer()
    async with github_api(server) as api:
        await GitHubPipelines(api).find(ORDER, START)
    asked = server.requests[0].url.params
    assert (asked["event"], asked["created"]) == ("workflow_dispatch", ">=2026-03-02T08:00:00Z")


async def test_another_run_than_the_one_that_was_asked_for_is_refused() -> None:
    """An answer from somebody's cache."""
    server = github_server.GitHubServer()
    async with github_api(server) as api:
        ci = GitHubPipelines(api)
        await ci.start(ORDER)
        server.rewrite = lambda _, answer: Answer(200, json={**json.loads(answer.content), "id": 5})
        with pytest.raises(UnreadableError, match="sent run 5"):
            await ci.follow(ORDER, "100")


# --- comparisons ---
