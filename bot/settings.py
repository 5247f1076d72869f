"""Settings from the environment (or files of a secrets folder), read once when the program starts."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.errors import SetupError

PLACEHOLDERS = ("changeme", "changethis", "your-", "xxx", "<")
"""Beginnings and parts of values that nobody has filled in yet."""


def _filled_in(secret: SecretStr | None) -> SecretStr | None:
    if secret is None:
        return None
    value = secret.get_secret_value().strip()
    if any(word in value.lower() for word in PLACEHOLDERS):
        raise ValueError("still holds a placeholder; put the real value in")
    return SecretStr(value) if value else None


Secret = Annotated[SecretStr | None, AfterValidator(_filled_in)]


class Settings(BaseSettings):
    """Everything that differs between installations. Secrets are masked wherever they are shown.

    `slack_app_token` chooses Socket Mode; without it Slack calls us over HTTP and `slack_signing_secret` is needed.
    """

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", frozen=True, populate_by_name=True)

    config: Path = Field(default=Path("sluice.yaml"), validation_alias="SLUICE_CONFIG", description="The catalogue.")
    database_url: str = Field(
        default="sqlite+aiosqlite:///sluice.db",
        validation_alias="SLUICE_DATABASE_URL",
        description="SQLite (`sqlite:///sluice.db`) or PostgreSQL (`postgresql://…`).",
    )
    host: str = Field(
        default="0.0.0.0", validation_alias="SLUICE_HOST", description="Where it listens."
    )  # a server behind an ingress
    port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        validation_alias="SLUICE_PORT",
        description="The port of `/slack/events`, `/healthz`, `/readyz` and `/metrics`; 0: a free one.",
    )
    log_level: str = Field(
        default="INFO", validation_alias="SLUICE_LOG_LEVEL", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )
    log_json: bool = Field(
        default=True, validation_alias="SLUICE_LOG_JSON", description="One JSON object a line; else for people."
    )
    registry_config: Path | None = Field(
        default=None,
        validation_alias="SLUICE_REGISTRY_CONFIG",
        description="A Docker `config.json` with the logins of registries.",
    )
    acting_as: str = Field(
        default="",
        validation_alias="SLUICE_AS",
        description="At the terminal: your Slack member id; needed where people vote.",
    )
    slack_api_url: str = Field(
        default="https://slack.com/api/",
        validation_alias="SLACK_API_URL",
        description="Another address of the Web API.",
    )
    slack_bot_token: Secret = Field(
        default=None, validation_alias="SLACK_BOT_TOKEN", description="The bot token of the app, `xoxb-…`."
    )
    slack_app_token: Secret = Field(
        default=None,
        validation_alias="SLACK_APP_TOKEN",
        description="The app-level token, `xapp-…`; chooses Socket Mode.",
    )
    slack_signing_secret: Secret = Field(
        default=None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="HTTP mode: proves that a request is Slack's.",
    )

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @field_validator("database_url")
    @classmethod
    def _async_driver(cls, url: str) -> str:
        """Take the usual spellings and name the driver that we bring."""
        for usual, ours in (
            ("postgres://", "postgresql+asyncpg://"),
            ("postgresql://", "postgresql+asyncpg://"),
            ("sqlite://", "sqlite+aiosqlite://"),
        ):
            if url.startswith(usual):
                # The driver has its own word for what libpq calls `sslmode`.
                return url.replace(usual, ours, 1).replace("?sslmode=", "?ssl=").replace("&sslmode=", "&ssl=")
        return url

    @classmethod
    def read(cls) -> Self:
        """The settings of this process. `SLUICE_SECRETS_DIR` names a folder with one file a secret.

        Raises SetupError that names every variable with a fault, never its value.
        """
        folder = os.environ.get("SLUICE_SECRETS_DIR")
        try:
            return cls(_secrets_dir=folder) if folder else cls()
        except ValidationError as exc:
            faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in exc.errors(include_input=False))
            raise SetupError(f"the environment is not right: {faults}") from exc

    def require_slack(self) -> SecretStr:
        """The bot token. Raises SetupError when Slack is not set up."""
        if self.slack_bot_token is None:
            raise SetupError("SLACK_BOT_TOKEN is not set; install the app and copy its bot token (xoxb-…)")
        if self.slack_app_token is None and self.slack_signing_secret is None:
            raise SetupError("set SLACK_SIGNING_SECRET for HTTP mode, or SLACK_APP_TOKEN (xapp-…) for Socket Mode")
        return self.slack_bot_token
