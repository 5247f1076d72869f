"""The door of the sandbox's services: what smoke checks ask, answered as a pod of the present version would."""

from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from bot.sandbox.behaviour import arm_of
from bot.sandbox.endpoint import Endpoint
from bot.sandbox.loopback import Outage
from bot.sandbox.traffic import Traffic

WHOLE = 1 - 1e-9
"""Shares that add up to it have added up to one."""


class ServiceDoor:
    """Serves `GET /{namespace}/{service}/…`, whatever stands there. Who answers goes around by the pods' shares, and
    which answers of a pod fail by its error rate, both without chance. What is asked here does not count as traffic.
    `outage` closes the door."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._turns: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        self._failing: dict[str, float] = defaultdict(float)
        self.outage = Outage("service door")

    def application(self) -> web.Application:
        """The door, to be served."""
        made = web.Application(middlewares=[self.outage()])
        made.router.add_get("/{namespace}/{service}/{path:.*}", self._answered)
        return made

    async def _answered(self, request: web.Request) -> web.Response:
        namespace, service = request.match_info["namespace"], request.match_info["service"]
        there = [one for one in self._traffic.endpoints(service=service, namespace=namespace) if one.share > 0]
        if not there:
            return web.json_response({"error": "no endpoint"}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        chosen = self._next((namespace, service), there)
        behaviour = self._traffic.behaviour(chosen)
        took = {"Server-Timing": f"app;dur={behaviour.latency_s * 1000:.0f}"}
        if self._fails(chosen.pod, behaviour.error_rate):
            broken = {"error": "internal server error", "pod": chosen.pod}
            return web.json_response(broken, status=HTTPStatus.INTERNAL_SERVER_ERROR, headers=took)
        told = {
            "status": "ok",
            "service": service,
            "version": self._traffic.version_of(chosen.image),
            "image": chosen.image,
            "pod": chosen.pod,
            "arm": arm_of(chosen.pod),
            "path": f"/{request.match_info['path']}",
        }
        return web.json_response(told, headers=took)

    def _next(self, service: tuple[str, str], there: Sequence[Endpoint]) -> Endpoint:
        """Smooth weighted round robin, as nginx does it: everybody gains their share, who has most answers and pays."""
        before = self._turns[service]
        turns = {one.pod: before.get(one.pod, 0.0) + one.share for one in there}
        chosen = max(there, key=lambda one: turns[one.pod])
        turns[chosen.pod] -= sum(one.share for one in there)
        self._turns[service] = turns
        return chosen

    def _fails(self, pod: str, error_rate: float) -> bool:
        due = self._failing[pod] + error_rate
        fails = due >= WHOLE
        self._failing[pod] = due - 1 if fails else due
        return fails
