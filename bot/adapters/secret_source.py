"""Secrets that a file may hold: read when they are needed, because tokens of service accounts are replaced while we
run."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pydantic import SecretStr

from bot.domain.errors import RefusedError

SecretSource: TypeAlias = SecretStr | Path
"""A secret, or the file that holds it."""


def revealed(source: SecretSource) -> str:
    """The secret itself. Raises RefusedError that names the file."""
    if isinstance(source, SecretStr):
        return source.get_secret_value()
    try:
        found = source.read_text().strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
        raise RefusedError(f"the secret in {source} cannot be read: {reason}") from exc
    if not found:
        raise RefusedError(f"the secret in {source} cannot be read: it is empty")
    return found


@dataclass(frozen=True, slots=True)
class HttpLogin:
    """Who we are to an HTTP server: a bearer token, or a user and a password, or nobody."""

    token: SecretSource | None = None
    user: str = ""
    password: SecretSource | None = None

    def headers(self) -> dict[str, str]:
        """The Authorization header as of now; empty for nobody. Raises RefusedError."""
        if self.token is not None:
            return {"Authorization": f"Bearer {revealed(self.token)}"}
        if self.password is not None:
            pair = f"{self.user}:{revealed(self.password)}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return {}
