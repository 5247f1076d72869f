"""The section `metrics` of the catalogue: which metrics servers there are. Secrets are in files, never here."""

from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from runbooks.durations import PositiveDuration
from runbooks.parts import Part

USUAL_INTERVAL = timedelta(seconds=15)


def address(value: str) -> str:
    """The address of a server; raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"'{value}' is not an http or https address")
    if parts.username or parts.password:
        raise ValueError("an address must not hold a password; use 'username' and 'password_file'")
    if parts.query or parts.fragment:
        raise ValueError(f"'{value}' must end with its path; leave out what follows it")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(address)]


class PrometheusEntry(Part):
    """A server that speaks Prometheus's query API. `url` is what stands before `/api/v1`; `ca_file` holds certificates
    to trust besides the system's. Log in with a bearer token, or with a user name and a password, or not at all."""

    url: Address
    token_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("'username' and 'password_file' belong together")
        if self.token_file and self.username:
            raise ValueError("log in either with 'token_file' or with 'username' and 'password_file'")
        return self


class GrafanaEntry(Part):
    """A Prometheus data source of Grafana. `uid` is the data source's, `token_file` holds the token of a service
    account with the role Viewer."""

    url: Address
    uid: str = Field(pattern=r"^[\w-]{1,40}$")
    token_file: str
    ca_file: str | None = None


class ProviderEntry(Part):
    """One metrics server, of exactly one kind. `interval` is how often it scrapes; services that name no provider use
    the only one, or the `default`."""

    prometheus: PrometheusEntry | None = None
    grafana: GrafanaEntry | None = None
    interval: PositiveDuration = USUAL_INTERVAL
    default: bool = False

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if (self.prometheus is None) == (self.grafana is None):
            raise ValueError("a metrics provider is exactly one of 'prometheus' and 'grafana'")
        return self
