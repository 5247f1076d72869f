"""One pooled connection to one API server: raw JSON in and out, a deadline on every call, our own errors.

The client library's generated models are strict and of one API version; we use its transport and its credentials only,
so that fields it does not know, and servers older or newer than it, do no harm.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient

from bot.adapters.kubernetes_calls import Call, Raw, translated
from bot.adapters.kubernetes_login import Connection, login
from bot.domain.errors import SetupError, UnreachableError, UnreadableError
from bot.ports.clock import Clock

DEADLINE = timedelta(seconds=10)
PAGE = 500
MOST_PAGES = 20
"""Ten thousand objects: more pods than the scheduler supports for one workload by far."""

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
METADATA_EVENTS = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back: the body as text, and the headers."""

    body: str
    headers: Mapping[str, str]


class KubernetesClient:
    """Opened before its first call and closed after its last; `name` is the cluster's name in every error."""

    def __init__(self, name: str, connection: Connection, clock: Clock, *, deadline: timedelta = DEADLINE) -> None:
        self.name = name
        self._connection, self._clock = connection, clock
        self._deadline_s = deadline.total_seconds()
        self._api: ApiClient | None = None

    async def open(self) -> None:
        """Read the credentials; the server is not asked yet. Raises SetupError."""
        self._api = ApiClient(await login(self._connection, self._clock))
        self._api.user_agent = "sluice"

    async def close(self) -> None:
        """Give the connections back; safe to repeat."""
        if self._api is not None:
            api, self._api = self._api, None
            await api.close()  # type: ignore[no-untyped-call]  # the client library types only its generated part

    async def send(self, call: Call, body: Raw | None = None, *, content_type: str = "", accept: str = "") -> Raw:
        """Send it once; the object that came back. Raises what `translated` makes of it, or UnreadableError."""
        return self._object(call, await self.text(call, body, content_type=content_type, accept=accept))

    async def items(self, call: Call) -> Sequence[Raw]:
        """All objects of a list, page by page. Raises as `send`, and UnreadableError for a list beyond all bounds."""
        found: list[Raw] = []
        query = {**call.query, "limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            page = await self.send(Call(call.verb, call.resource, call.namespace, query=query))
            found += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found
            query["continue"] = token
        raise UnreadableError(f"cluster {self.name} has more than {PAGE * MOST_PAGES} objects for {call}")

    async def text(self, call: Call, body: Raw | None = None, *, content_type: str = "", accept: str = "") -> str:
        """Send it once; the body as text (for logs). Raises as `send`."""
        return (await self.answered(call, body, content_type=content_type, accept=accept)).body

    async def answered(
        self, call: Call, body: Raw | None = None, *, content_type: str = "", accept: str = ""
    ) -> Answered:
        """Send it once; the whole answer. Raises as `send`."""
        headers = _headers(content_type=content_type, accept=accept)
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await self._request(call, body, headers, aiohttp.ClientTimeout(total=self._deadline_s))
                return Answered(await self._checked(call, response), response.headers)
        except TimeoutError as exc:
            raise UnreachableError(
                f"cluster {self.name} did not answer within {self._deadline_s:g} s ({call})"
            ) from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise UnreachableError(f"cluster {self.name} cannot be reached ({call}): {exc}") from exc

    async def stream(self, call: Call, *, period: timedelta) -> AsyncGenerator[Raw, None]:
        """A watch's events until the server ends it; `period` of silence or more ends it as UnreachableError."""
        timeout = aiohttp.ClientTimeout(sock_connect=self._deadline_s, sock_read=period.total_seconds())
        try:
            response = await self._request(call, None, _headers(accept=METADATA_EVENTS), timeout)
            async with response:
                if response.status != HTTPStatus.OK:
                    await self._checked(call, response)
                async for line in response.content:
                    yield self._object(call, line.decode("utf-8", "replace"))
        except TimeoutError as exc:
            raise UnreachableError(f"cluster {self.name} fell silent ({call})") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise UnreachableError(f"cluster {self.name} cut the stream ({call}): {exc}") from exc

    async def _request(
        self, call: Call, body: Raw | None, headers: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        if self._api is None:
            raise SetupError(f"the connection to cluster {self.name} is not open")
        method, url, sent, sanitized, post = await self._api.param_serialize(
            call.method,
            call.path,
            query_params=list(call.query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = await self._api.call_api(method, url, sent, sanitized, post, _request_timeout=timeout)
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _checked(self, call: Call, response: aiohttp.ClientResponse) -> str:
        body = (await response.read()).decode("utf-8", "replace")
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise translated(call, self.name, response.status, body, wait=response.headers.get("Retry-After"))
        return body

    def _object(self, call: Call, body: str) -> Raw:
        try:
            found: Any = json.loads(body)
        except ValueError as exc:
            raise UnreadableError(f"cluster {self.name} did not answer {call} with JSON") from exc
        if not isinstance(found, dict):
            raise UnreadableError(f"cluster {self.name} did not answer {call} with an object")
        return found


def _headers(*, content_type: str = "", accept: str = "") -> dict[str, str]:
    """Without the generator's own guesses: JSON unless told otherwise."""
    headers = {"Accept": accept or "application/json"}
    return headers | ({"Content-Type": content_type} if content_type else {})
