"""Where a cluster is and how we prove who we are: a kubeconfig, or the pod's own service account."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml  # what the client library reads kubeconfigs with
from kubernetes.aio import config
from kubernetes.aio.client import Configuration

from bot.domain.errors import SetupError
from bot.ports.clock import Clock

DEFAULT = Path(config.KUBE_CONFIG_DEFAULT_LOCATION)
"""What kubectl reads, too: the environment's KUBECONFIG, or ~/.kube/config."""

LOGIN_DEADLINE = timedelta(seconds=30)
"""A kubeconfig may start a program that fetches a token (`exec`)."""

REFRESH_EVERY = timedelta(minutes=1)
"""How old a token of a file or program may be; a service account's own is refreshed by the client library."""


@dataclass(frozen=True, slots=True)
class Connection:
    """`kubeconfig` is a file's path; `None`: the default file if there is one, else the pod's service account.

    `context` is one of that file; `None`: its current one.
    """

    kubeconfig: str | None = None
    context: str | None = None


async def login(connection: Connection, clock: Clock, *, default: Path = DEFAULT) -> Configuration:
    """The address and credentials of a cluster; talks to no API server. Raises SetupError, naming the file.

    `default` is the kubeconfig that is read, if it exists, when the connection names none.
    """
    # The client library types only its generated part: hence the ignored calls below.
    configuration = Configuration()
    # A watch holds its connection for ever: with a bound, the hundredth would leave none for anything else. What asks
    # besides is bounded by how many runs are moved at once.
    configuration.connection_pool_maxsize = 0
    path = _kubeconfig(connection, default)
    try:
        if path is None:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # see above
            return _by_proxy(configuration)
        async with asyncio.timeout(LOGIN_DEADLINE.total_seconds()):
            loader = await config.load_kube_config(  # type: ignore[no-untyped-call]  # see above
                config_file=str(path),
                context=connection.context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (config.ConfigException, OSError, yaml.YAMLError) as exc:
        used = path or "the pod's service account (and there is no kubeconfig)"
        raise SetupError(f"cannot log in to Kubernetes with {used}: {exc}") from exc
    configuration.refresh_api_key_hook = _Refresh(loader, clock)  # type: ignore[assignment]  # typed as None there
    return _by_proxy(configuration)


def _by_proxy(configuration: Configuration) -> Configuration:
    """With the environment's proxy for this server, looked up once. Left to itself the library's transport would look
    at every request, and read a .netrc in another thread besides: a third of what a request costs."""
    server = urlsplit(configuration.host)
    if configuration.proxy is None and not proxy_bypass(server.netloc):
        configuration.proxy = getproxies().get(server.scheme)
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration


def _kubeconfig(connection: Connection, default: Path) -> Path | None:
    """The file to read; `None`: there is none, so this must be a pod."""
    if connection.kubeconfig is not None:
        return Path(connection.kubeconfig).expanduser()
    return default.expanduser() if default.expanduser().exists() else None


class _Refresh:
    """Asks a kubeconfig's token file or token program anew; called before each request that carries a token."""

    def __init__(self, loader: Any, clock: Clock) -> None:  # the library has no name for its loader
        self._loader, self._clock = loader, clock
        self._read_at: datetime = clock.now()

    async def __call__(self, configuration: Configuration) -> None:
        if self._clock.now() - self._read_at >= REFRESH_EVERY:
            self._read_at = self._clock.now()
            await self._loader.load_and_set(configuration)
