"""How Sluice logs in to GitHub: with a token, or as a GitHub App, whose tokens live for an hour."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.adapters.rest import Rest, RestServer
from bot.adapters.secret_source import SecretSource, revealed
from bot.domain.errors import RefusedError, UnreadableError
from bot.ports.clock import Clock

DRIFT = timedelta(seconds=60)
JWT_LIVES = timedelta(minutes=9)
"""GitHub takes at most ten minutes and advises to date a JWT back by 60 s, as clocks differ (docs.github.com/en/apps,
"Generating a JSON Web Token (JWT) for a GitHub App")."""

RENEWED_BEFORE = timedelta(minutes=5)
"""So long before its end an installation's token is no longer used."""

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
"""The version that GitHub Enterprise Server speaks too (docs.github.com/en/rest/about-the-rest-api/api-versions)."""

NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App: its id or client id, the number of its installation, and its private key as PEM."""

    id: str
    installation: int
    private_key: SecretSource


@dataclass(slots=True)
class _JwtLogin:
    """The App itself, by a JWT that it signs. It may only ask for tokens of its installations."""

    app: App
    clock: Clock

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {signed(self.app, self.clock.now())}"}

    def refused(self) -> bool:
        return False


@dataclass(slots=True)
class AppLogin:
    """An installation of an App. Used inside `async with`; asks for a token when there is none, or it ends soon."""

    called: str
    url: str
    app: App
    clock: Clock
    transport: httpx.AsyncBaseTransport | None = None
    _rest: Rest = field(init=False)
    _token: str = field(default="", init=False, repr=False)
    _ends: datetime = field(default=NEVER, init=False)

    def __post_init__(self) -> None:
        mend = "check the App's id, its private key, and this machine's clock"
        server = RestServer(self.called, self.url, _JwtLogin(self.app, self.clock), mend, HEADERS)
        self._rest = Rest(server, transport=self.transport)

    async def __aenter__(self) -> Self:
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rest.__aexit__(kind, error, trace)

    async def headers(self) -> Mapping[str, str]:
        """See `Login`."""
        if not self._token or self.clock.now() > self._ends - RENEWED_BEFORE:
            await self._renew()
        return {"Authorization": f"Bearer {self._token}"}

    def refused(self) -> bool:
        """See `Login`: the token may have been revoked, or a clock is wrong; a new one is asked for."""
        had, self._token = bool(self._token), ""
        return had

    async def _renew(self) -> None:
        about = f"a token of the App's installation {self.app.installation}"
        told = await self._rest.post(f"/app/installations/{self.app.installation}/access_tokens", about)
        found = self._rest.is_mapping(self._rest.taken(told, about).json(self._rest.called, about), about)
        try:
            ends = datetime.fromisoformat(found["expires_at"])
            if ends.tzinfo is None or not isinstance(found["token"], str):
                raise ValueError("no aware time, or no text")  # noqa: TRY301 - said once, below
        except (KeyError, TypeError, ValueError) as exc:
            # Not what came back: a token may be in it.
            raise UnreadableError(f"{self._rest.called} sent no token; asked for {about}") from exc
        self._token, self._ends = found["token"], ends


def signed(app: App, now: datetime) -> str:
    """The App's JWT (RFC 7519), signed with RS256. Raises RefusedError for what is no RSA key."""
    try:
        key = load_pem_private_key(revealed(app.private_key).encode(), password=None)
    except (ValueError, TypeError) as exc:
        raise RefusedError("the App's private key cannot be read: it is no PEM file without a password") from exc
    if not isinstance(key, RSAPrivateKey):
        raise RefusedError("the App's private key cannot be used: it is no RSA key")
    begun = int((now - DRIFT).timestamp())
    claims = {"iat": begun, "exp": int((now + JWT_LIVES).timestamp()), "iss": app.id}
    parts = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return b".".join((parts, _encoded(key.sign(parts, PKCS1v15(), SHA256())))).decode()


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
