"""Smoke checks of a catalogue, sent to the sandbox's services: their addresses stay as they are written."""

from collections.abc import Mapping

import httpx

from bot.sandbox.surroundings import Backend
from runbooks.catalogue import Catalogue

OF_A_BODY = frozenset({"content-length", "content-type", "transfer-encoding"})


class ToDoor(httpx.AsyncBaseTransport):
    """Sends every request to the door of the sandbox's services at `door`, as one to the service that its URL belongs
    to in the catalogue; of URLs that the catalogue does not name, as one to `otherwise`."""

    def __init__(self, door: str, known: Mapping[str, Backend], otherwise: Backend) -> None:
        self._door, self._known, self._otherwise = httpx.URL(door), known, otherwise
        self._onward = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        backend = self._known.get(str(request.url), self._otherwise)
        path = f"/{backend.namespace}/{backend.service}{request.url.path}"
        # The services answer any path to GET alone: what a check sends is thrown away, and what tells of it.
        kept = {name: value for name, value in request.headers.items() if name not in OF_A_BODY}
        headers = {**kept, "host": self._door.netloc.decode()}
        return await self._onward.handle_async_request(
            httpx.Request("GET", self._door.copy_with(path=path), headers=headers, extensions=request.extensions)
        )

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._onward.aclose()


def known(catalogue: Catalogue) -> Mapping[str, Backend]:
    """The URLs of all smoke checks, and the services that they belong to."""
    return {
        check.placed(service=service, environment=environment).url: backend(catalogue, service, environment)
        for service, entry in catalogue.services.items()
        for environment in catalogue.environments
        for check in entry.smoke
    }


def backend(catalogue: Catalogue, service: str, environment: str) -> Backend:
    """The Kubernetes Service in front of a target."""
    workload, traffic = catalogue.workload(service, environment), catalogue.service(service).traffic
    return Backend(workload.namespace, traffic.of(workload).service if traffic else workload.name)
