"""Who we are to a registry: the token handshake of the distribution specification, and stored credentials."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from bot.domain.errors import RefusedError, SetupError, UnreadableError

CHALLENGE = re.compile(r"^\s*(bearer|basic)\b", re.IGNORECASE)
PARAMETER = re.compile(r'(\w+)="([^"]*)"')
DOCKER_HUB = "docker.io"
DOCKER_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password (or token) for one registry."""

    user: str
    password: SecretStr

    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.user}:{self.password.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def docker_logins(path: Path) -> dict[str, Login]:
    """The logins of a Docker `config.json` (also that of an image pull secret), by registry host.

    Entries without a password of their own (credential helpers) are left out. Raises SetupError.
    """
    try:
        entries = json.loads(path.read_text()).get("auths", {})
        pairs = {key: _pair(entry) for key, entry in entries.items()}
    except (OSError, ValueError, AttributeError, binascii.Error) as exc:
        raise SetupError(f"cannot read registry logins from {path}: {exc}") from exc
    return {_host(key): Login(user, SecretStr(secret)) for key, (user, secret) in pairs.items() if user and secret}


def _pair(entry: Mapping[str, str]) -> tuple[str, str]:
    if packed := entry.get("auth"):
        user, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
        return user, password
    return entry.get("username", ""), entry.get("password", "")


def _host(key: str) -> str:
    """Docker writes some hosts as addresses, and its own in a historic form."""
    if key in DOCKER_HUB_KEYS:
        return DOCKER_HUB
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for. `scheme` is `bearer` or `basic`."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""

    @classmethod
    def parse(cls, header: str, host: str) -> "Challenge":
        """Read a `WWW-Authenticate` header. Raises UnreadableError."""
        found = CHALLENGE.match(header)
        if found is None:
            raise UnreadableError(f"registry {host} asks for a login that Sluice does not know: '{header[:80]}'")
        named = dict(PARAMETER.findall(header))
        return cls(found[1].lower(), named.get("realm", ""), named.get("service", ""), named.get("scope", ""))


class Authorizer:
    """Keeps one Authorization header per host and repository until a 401 shows that it is stale."""

    def __init__(self, http: httpx.AsyncClient, logins: Mapping[str, Login]) -> None:
        self._http, self._logins = http, logins
        self._headers: dict[tuple[str, str], str] = {}

    def header(self, host: str, path: str) -> dict[str, str]:
        """What is known to work for this repository; empty before the first challenge."""
        known = self._headers.get((host, path))
        return {"Authorization": known} if known else {}

    async def answer(self, host: str, path: str, refusal: httpx.Response) -> None:
        """Do what a 401 asks. Raises RefusedError when we have nothing to show, httpx errors as they come."""
        challenge = Challenge.parse(refusal.headers.get("WWW-Authenticate", ""), host)
        login = self._logins.get(host)
        if challenge.scheme == "basic":
            if login is None:
                raise RefusedError(f"registry {host} wants a login for {path}, and Sluice has none; configure one")
            self._headers[host, path] = login.basic()
            return
        if refusal.request.url.scheme == "https" and not challenge.realm.startswith("https://"):
            raise RefusedError(f"registry {host} sends Sluice to an unprotected token server: {challenge.realm}")
        self._headers[host, path] = f"Bearer {await self._token(host, path, challenge, login)}"

    async def _token(self, host: str, path: str, challenge: Challenge, login: Login | None) -> str:
        query = {"service": challenge.service, "scope": challenge.scope or f"repository:{path}:pull"}
        headers = {"Authorization": login.basic()} if login else {}
        asked = httpx.URL(challenge.realm).copy_merge_params({key: value for key, value in query.items() if value})
        answer = await self._http.get(asked, headers=headers)
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RefusedError(f"the token server of {host} does not accept Sluice's login for {path}")
        answer.raise_for_status()
        try:
            granted = answer.json()
            return str(granted.get("token") or granted["access_token"])
        except (ValueError, KeyError, AttributeError) as exc:
            raise UnreadableError(f"the token server of {host} sent no token for {path}") from exc
