"""A Prometheus in memory that speaks the query API, as an httpx transport: no socket, no waiting."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qs

import httpx

from tests.adapters.promql_reader import Labels, PromqlError, Query, Samples
from tests.fakes.streams import Streams


class PrometheusServer(httpx.AsyncBaseTransport):
    """`scrape` takes what the streams show into the store. `token` or `user`: without them nobody is let in. `faults`
    are answers given once each before anything else; `warnings` come with every answer; `rewrite` changes any answer;
    `prefix` is what stands before `/api/v1`."""

    def __init__(self, streams: Streams | None = None, *, labels: Mapping[str, str] | None = None) -> None:
        self.streams = streams or Streams()
        self.labels = dict(labels or {})
        self.authorization = ""
        self.prefix = ""
        self.warnings: list[str] = []
        self.faults: list[httpx.Response | Exception] = []
        self.rewrite: Callable[[httpx.Response], httpx.Response] | None = None
        self.requests: list[httpx.Request] = []
        self.store: dict[Labels, Samples] = {}

    def scrape(self, at: datetime) -> None:
        """One scrape of all pods. A series that is not there any more ends."""
        if self.streams.stopped and at > self.streams.stopped:
            return
        moment = round(at.timestamp() * 1000)
        shown = {self._key(metric, labels): value for metric, labels, value in self.streams.shown(at)}
        for key in self.store.keys() | shown.keys():
            self.store.setdefault(key, []).append((moment, shown.get(key, math.nan)))

    def add(self, metric: str, at: datetime, value: float, **labels: str) -> None:
        """One sample of any series."""
        key = tuple(sorted({"__name__": metric, **labels}.items()))
        self.store.setdefault(key, []).append((round(at.timestamp() * 1000), value))

    def _key(self, metric: str, labels: Mapping[str, str]) -> Labels:
        return tuple(sorted({"__name__": metric, **self.labels, **labels}.items()))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answer(request)
        return self.rewrite(answer) if self.rewrite else answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.authorization and request.headers.get("Authorization") != self.authorization:
            return httpx.Response(401, text="Unauthorized\n")
        form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
        match request.method, request.url.path.removeprefix(self.prefix):
            case "POST", "/api/v1/query_range":
                return self._asked(form, float(form["start"]), float(form["end"]), float(form["step"]))
            case "POST", "/api/v1/query":
                return self._asked(form, float(form["time"]), float(form["time"]), 1)
            case "GET", "/api/v1/label/__name__/values":
                names = sorted({dict(labels)["__name__"] for labels in self.store})
                return httpx.Response(200, json={"status": "success", "data": names})
        return httpx.Response(404, text="404 page not found\n")

    def _asked(self, form: Mapping[str, str], start: float, end: float, step: float) -> httpx.Response:
        try:
            query = Query(form["query"], self.store)
            moments = range(round(start * 1000), round(end * 1000) + 1, round(step * 1000))
            worked_out = {moment: query.at(moment) for moment in moments}
        except PromqlError as exc:
            said = {"status": "error", "errorType": "bad_data", "error": f'invalid parameter "query": {exc}'}
            return httpx.Response(400, json=said)
        series: dict[Labels, list[list[object]]] = {}
        for moment, vector in worked_out.items():
            for labels, value in vector.items():
                series.setdefault(labels, []).append([moment / 1000, f"{value:.17g}"])
        instant = "time" in form
        result = [
            {"metric": dict(labels), **({"value": points[0]} if instant else {"values": points})}
            for labels, points in series.items()
        ]
        data = {"resultType": "vector" if instant else "matrix", "result": result}
        more = {"warnings": self.warnings} if self.warnings else {}
        return httpx.Response(200, json={"status": "success", "data": data, **more})
