"""A New Relic in memory that speaks NerdGraph, as an httpx transport: NRQL inside GraphQL, errors inside HTTP 200."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from tests.adapters.counting_agent import CountingAgent
from tests.adapters.nrql_reader import NrqlError, Point, Query
from tests.fakes.streams import Streams

ACCOUNT, KEY = 1234567, "NRAK-1"


class NewRelicServer(httpx.AsyncBaseTransport):
    """`scrape` lets an agent send what the streams show. `faults` are answers given once each before anything else;
    `messages` come with every answer; `rewrite` changes any."""

    def __init__(self, shown: Streams | None = None) -> None:
        self.streams = shown or Streams()
        self.messages: list[str] = []
        self.faults: list[httpx.Response | Exception] = []
        self.rewrite: Callable[[httpx.Response], httpx.Response] | None = None
        self.asked: list[dict[str, Any]] = []
        self.store: dict[str, list[Point]] = defaultdict(list)
        self._agent = CountingAgent(self.streams)

    def scrape(self, at: datetime) -> None:
        """One scrape of all pods."""
        for grown in self._agent.scrape(at):
            if grown.of_cpu:
                names = {"podName": grown.labels["pod"], "namespaceName": "prod", "containerName": "app"}
                sample = {"timestamp": grown.begin_ms, **names, "cpuUsedCores": grown.value}
                self.store["K8sContainerSample"].append(sample)
            else:
                named = {"metricName": grown.metric, grown.metric: grown.value, **grown.labels}
                self.store["Metric"].append({"timestamp": grown.begin_ms, **named})

    def add(self, source: str, at: datetime, **attributes: Any) -> None:
        """One data point, or one event."""
        self.store[source].append({"timestamp": round(at.timestamp() * 1000), **attributes})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        self.asked.append(json.loads(request.content))
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        if request.headers.get("API-Key") != KEY:
            return httpx.Response(401, json={"errors": [{"message": "Invalid API key"}]})
        answer = self._answer(self.asked[-1]["variables"])
        return self.rewrite(answer) if self.rewrite else answer

    def _answer(self, variables: dict[str, Any]) -> httpx.Response:
        if variables["account"] != ACCOUNT:
            return failed("Access denied", "FORBIDDEN")
        try:
            query = Query.read(variables["nrql"])
            rows = query.rows(self.store[query.source])
        except NrqlError as exc:
            return failed(str(exc), "BAD_USER_INPUT")
        return found(rows, self.messages)


def found(rows: list[dict[str, Any]], messages: list[str] | None = None) -> httpx.Response:
    """An answer with these rows."""
    nrql = {"results": rows, "metadata": {"messages": messages or []}}
    return httpx.Response(200, json={"data": {"actor": {"account": {"nrql": nrql}}}})


def failed(message: str, error_class: str) -> httpx.Response:
    """An error as NerdGraph writes it: HTTP 200 all the same."""
    error = {"message": message, "extensions": {"errorClass": error_class}, "path": ["actor", "account", "nrql"]}
    return httpx.Response(200, json={"data": {"actor": {"account": {"nrql": None}}}, "errors": [error]})
