"""Logins and tokens of registries."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stamina
from pydantic import SecretStr

from bot.adapters.oci_auth import Login, docker_logins
from bot.domain.errors import RefusedError, SetupError, UnreachableError, UnreadableError
from tests.adapters.oci_server import OciServer
from tests.adapters.oci_world import API, asking, pushed

ANN = Login("ann", SecretStr("s3cret"))


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries happen, but at once."""
    with stamina.set_testing(True, attempts=3):
        yield


async def test_an_anonymous_token_is_fetched_once() -> None:
    """ghcr.io wants one even for public images; it serves until it is refused."""
    server = OciServer(token="t0ken")
    await pushed(server, "v1")
    async with asking(server) as registry:
        first = await registry.resolve(API, "v1")
        second = await registry.resolve(API, "v1")
    granted = [request for request in server.requests if request.url.host == "auth.test"]
    assert first == second
    assert len(granted) == 1
    assert dict(granted[0].url.params) == {"service": "registry.test", "scope": "repository:acme/api:pull"}


async def test_a_stale_token_is_replaced() -> None:
    """The registry says 401, once."""
    server = OciServer(token="old")
    await pushed(server, "v1")
    async with asking(server) as registry:
        await registry.resolve(API, "v1")
        server.token = "new"
        assert (await registry.resolve(API, "v1")).tag == "v1"


@pytest.mark.parametrize("basic", [True, False])
async def test_a_login_is_shown_where_it_is_asked_for(basic: bool) -> None:
    """To the registry itself, or to its token server."""
    server = OciServer(token="" if basic else "t0ken", basic=basic, user=("ann", "s3cret"))
    await pushed(server, "v1")
    async with asking(server, ghcr=ANN) as registry:
        assert (await registry.resolve(API, "v1")).tag == "v1"


@pytest.mark.parametrize(
    ("login", "basic", "said"),
    [
        (None, True, "wants a login for acme/api, and Sluice has none"),
        (None, False, "does not accept Sluice's login"),
        (Login("ann", SecretStr("wrong")), True, r"does not let Sluice read ghcr\.io/acme/api"),
        (Login("ann", SecretStr("wrong")), False, "does not accept Sluice's login"),
    ],
)
async def test_a_missing_or_wrong_login_is_refused(login: Login | None, basic: bool, said: str) -> None:
    """The text says which, and never the password."""
    server = OciServer(token="" if basic else "t0ken", basic=basic, user=("ann", "s3cret"))
    await pushed(server, "v1")
    async with asking(server, **({"ghcr": login} if login else {})) as registry:
        with pytest.raises(RefusedError, match=said) as refused:
            await registry.resolve(API, "v1")
    assert "wrong" not in str(refused.value)


async def test_a_login_is_not_sent_to_an_unprotected_token_server() -> None:
    """Whoever sits between could read it."""
    server = OciServer(token="t0ken")
    server.realm = "http://auth.test/token"
    await pushed(server, "v1")
    async with asking(server, ghcr=ANN) as registry:
        with pytest.raises(RefusedError, match=r"unprotected token server: http://auth\.test"):
            await registry.resolve(API, "v1")
    assert all(request.url.host == "ghcr.io" for request in server.requests)


@pytest.mark.parametrize(
    ("challenge", "said"), [("Negotiate", "a login that Sluice does not know: 'Negotiate'"), ("", "does not know: ''")]
)
async def test_an_unknown_way_to_log_in_is_unreadable(challenge: str, said: str) -> None:
    """Named, so that people can tell what their registry wants."""
    server = OciServer()
    server.faults.append(httpx.Response(401, headers={"WWW-Authenticate": challenge} if challenge else {}))
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match=said):
            await registry.resolve(API, "v1")


async def test_a_token_server_without_a_token_is_unreadable() -> None:
    """It answers 200 and something else."""
    server = OciServer(token="t0ken")
    server.rewrite = lambda request, answer: httpx.Response(200, json={}) if request.url.host == "auth.test" else answer
    async with asking(server) as registry:
        with pytest.raises(UnreadableError, match="sent no token for acme/api"):
            await registry.resolve(API, "v1")


async def test_a_broken_token_server_is_unreachable() -> None:
    """Its 500 is not the registry's answer."""
    server = OciServer(token="t0ken")
    server.rewrite = lambda request, answer: httpx.Response(500) if request.url.host == "auth.test" else answer
    async with asking(server) as registry:
        with pytest.raises(UnreachableError, match=r"token server of registry ghcr\.io answered HTTP 500"):
            await registry.resolve(API, "v1")


def test_dockers_logins_are_read(tmp_path: Path) -> None:
    """Packed or plain, by host or by Docker Hub's historic address; entries without a password are left out."""
    path = tmp_path / "config.json"
    entries = {
        "ghcr.io": {"auth": "YW5uOnMzY3JldA=="},
        "https://quay.io/v2/": {"username": "bob", "password": "pw"},
        "https://index.docker.io/v1/": {"auth": "YW5uOmh1Yjpjb2xvbg=="},
        "gcr.io": {},
    }
    path.write_text(json.dumps({"auths": entries, "credHelpers": {"gcr.io": "gcloud"}}))
    found = docker_logins(path)
    assert {host: (login.user, login.password.get_secret_value()) for host, login in found.items()} == {
        "ghcr.io": ("ann", "s3cret"),
        "quay.io": ("bob", "pw"),
        "docker.io": ("ann", "hub:colon"),
    }


@pytest.mark.parametrize("text", [None, "{", "[]", '{"auths": {"a": {"auth": "%%"}}}'])
def test_logins_that_cannot_be_read_stop_the_program(tmp_path: Path, text: str | None) -> None:
    """At its start, naming the file."""
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SetupError, match=f"cannot read registry logins from {path}"):
        docker_logins(path)
