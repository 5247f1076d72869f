"""The section `metrics` of the catalogue: which metrics servers there are. Secrets are in files, never here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from runbooks.durations import PositiveDuration
from runbooks.parts import Part

USUAL_INTERVAL = timedelta(seconds=15)
USUAL_COUNTED = timedelta(seconds=30)
"""Of a server that keeps counts for each interval: shorter ones would often be empty, as agents send every 15 s."""

DATADOG_SITES = Literal[
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "ddog-gov.com",
    "us2.ddog-gov.com",
]
NERDGRAPH = {"us": "https://api.newrelic.com/graphql", "eu": "https://api.eu.newrelic.com/graphql"}
KINDS = ("prometheus", "grafana", "datadog", "newrelic")


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
    """A server that speaks Prometheus's query API. Log in with a bearer token, or a user's password, or not at all."""

    url: Address = Field(description="What stands before `/api/v1`.")
    token_file: str | None = Field(default=None, description="The file of a bearer token.")
    username: str | None = Field(default=None, description="A user's name.")
    password_file: str | None = Field(default=None, description="The file of that user's password.")
    ca_file: str | None = Field(default=None, description="Certificates to trust besides the system's.")

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("'username' and 'password_file' belong together")
        if self.token_file and self.username:
            raise ValueError("log in either with 'token_file' or with 'username' and 'password_file'")
        return self


class GrafanaEntry(Part):
    """A Prometheus data source of Grafana."""

    url: Address = Field(description="Where Grafana is.")
    uid: str = Field(pattern=r"^[\w-]{1,40}$", description="The uid of the data source.")
    token_file: str = Field(description="The file of the token of a service account with the role Viewer.")
    ca_file: str | None = Field(default=None, description="Certificates to trust besides the system's.")


class DatadogEntry(Part):
    """Datadog. `site` is its region; `url`, of a proxy before it, wins. `application_key_file` holds the key of a
    service account that may `timeseries_query` and `metrics_read`. `prefix` is what the OpenMetrics check puts before
    the names of metrics (its `namespace`); in it `{service}` stands for the service's. `delay`: how long after an
    interval its counts are whole."""

    site: DATADOG_SITES = Field(default="datadoghq.com", description="Its region.")
    url: Address | None = Field(default=None, description="The address of a proxy before it; wins over `site`.")
    api_key_file: str = Field(description="The file of an API key.")
    application_key_file: str = Field(
        description="The file of the key of a service account that may `timeseries_query` and `metrics_read`."
    )
    prefix: str = Field(default="", pattern=r"^[\w.{}]*$")
    delay: PositiveDuration = timedelta(seconds=60)

    @property
    def address(self) -> str:
        """What stands before `/api`."""
        return self.url or f"https://api.{self.site}"


class NewRelicEntry(Part):
    """New Relic. `delay`: how long after an interval its counts are whole."""

    account: int = Field(gt=0, strict=True, description="The number of the account that has the data.")
    api_key_file: str = Field(description="The file of a user key that may see it.")
    region: Literal["us", "eu"] = Field(default="us", description="Its region.")
    url: Address | None = Field(
        default=None, description="The address of a proxy before NerdGraph; wins over `region`."
    )
    delay: PositiveDuration = timedelta(seconds=90)

    @property
    def address(self) -> str:
        """Where NerdGraph is."""
        return self.url or NERDGRAPH[self.region]


def usual_interval(entry: Mapping[str, object]) -> timedelta:
    """How often a server of this kind has something new."""
    return USUAL_COUNTED if entry.get("datadog") or entry.get("newrelic") else USUAL_INTERVAL


class ProviderEntry(Part):
    """One metrics server, of exactly one kind."""

    prometheus: PrometheusEntry | None = Field(default=None, description="Prometheus, or what speaks its query API.")
    grafana: GrafanaEntry | None = Field(default=None, description="A Prometheus data source of Grafana.")
    datadog: DatadogEntry | None = Field(default=None, description="Datadog.")
    newrelic: NewRelicEntry | None = Field(default=None, description="New Relic.")
    interval: PositiveDuration = Field(
        default_factory=usual_interval,
        description="How often it scrapes, or the interval of its counts; `15s`, where counts are kept `30s`.",
    )
    default: bool = Field(default=False, description="Whether services that name no provider use this one.")

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError("a metrics provider is exactly one of 'prometheus', 'grafana', 'datadog' and 'newrelic'")
        return self
