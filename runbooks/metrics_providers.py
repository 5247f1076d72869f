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


class DatadogEntry(Part):
    """Datadog. `site` is its region; `url`, of a proxy before it, wins. `application_key_file` holds the key of a
    service account that may `timeseries_query` and `metrics_read`. `prefix` is what the OpenMetrics check puts before
    the names of metrics (its `namespace`); in it `{service}` stands for the service's. `delay`: how long after an
    interval its counts are whole."""

    site: DATADOG_SITES = "datadoghq.com"
    url: Address | None = None
    api_key_file: str
    application_key_file: str
    prefix: str = Field(default="", pattern=r"^[\w.{}]*$")
    delay: PositiveDuration = timedelta(seconds=60)

    @property
    def address(self) -> str:
        """What stands before `/api`."""
        return self.url or f"https://api.{self.site}"


class NewRelicEntry(Part):
    """New Relic. `account` is the number of the account that has the data, `api_key_file` holds a user key that may see
    it; `url`, of a proxy before NerdGraph, wins over the region. `delay`: how long after an interval its counts are
    whole."""

    account: int = Field(gt=0, strict=True)
    api_key_file: str
    region: Literal["us", "eu"] = "us"
    url: Address | None = None
    delay: PositiveDuration = timedelta(seconds=90)

    @property
    def address(self) -> str:
        """Where NerdGraph is."""
        return self.url or NERDGRAPH[self.region]


def usual_interval(entry: Mapping[str, object]) -> timedelta:
    """How often a server of this kind has something new."""
    return USUAL_COUNTED if entry.get("datadog") or entry.get("newrelic") else USUAL_INTERVAL


class ProviderEntry(Part):
    """One metrics server, of exactly one kind. `interval` is how often it scrapes or, for a server that keeps counts,
    their interval; services that name no provider use the only one, or the `default`."""

    prometheus: PrometheusEntry | None = None
    grafana: GrafanaEntry | None = None
    datadog: DatadogEntry | None = None
    newrelic: NewRelicEntry | None = None
    interval: PositiveDuration = Field(default_factory=usual_interval)
    default: bool = False

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError("a metrics provider is exactly one of 'prometheus', 'grafana', 'datadog' and 'newrelic'")
        return self
