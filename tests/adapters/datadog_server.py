"""A Datadog in memory that speaks its API, as an httpx transport: the few queries that Sluice writes."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase

import httpx

from tests.adapters.counting_agent import CountingAgent, Grown
from tests.fakes import streams
from tests.fakes.streams import Streams

Tags = tuple[tuple[str, str], ...]
PART = re.compile(
    r"sum:(?P<metric>[\w.]+)\{(?P<scope>[^}]*)\} by \{(?P<by>[^}]*)\}(?:\.as_count\(\))?"
    r"\.rollup\((?P<method>sum|avg)(?:, (?P<interval>\d+))?\)(?: / (?P<divisor>\d+))?"
)
UNASKED_INTERVAL_S = 20
KEYS = {"DD-API-KEY": "api", "DD-APPLICATION-KEY": "app"}


class DatadogServer(httpx.AsyncBaseTransport):
    """`scrape` lets an agent send what the streams show. `faults` are answers given once each before anything else;
    `says` comes with every answer; `rolls_up_to` is the shortest interval it gives, in seconds; `hides_tags`: the key
    may not see them."""

    def __init__(self, shown: Streams | None = None) -> None:
        self.streams = shown or Streams()
        self.says = ""
        self.rolls_up_to = 1
        self.hides_tags = False
        self.faults: list[httpx.Response | Exception] = []
        self.rewrite: Callable[[httpx.Response], httpx.Response] | None = None
        self.requests: list[httpx.Request] = []
        self.store: dict[tuple[str, Tags], dict[int, float]] = defaultdict(dict)
        self._agent = CountingAgent(self.streams)

    def scrape(self, at: datetime) -> None:
        """One scrape of all pods."""
        for grown in self._agent.scrape(at):
            metric, tags, value = _translated(grown)
            self.store[metric, tuple(sorted(tags.items()))][grown.begin_ms] = value

    def add(self, metric: str, at: datetime, value: float, **tags: str) -> None:
        """One point of any series."""
        self.store[metric, tuple(sorted(tags.items()))][round(at.timestamp() * 1000)] = value

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answer(request)
        return self.rewrite(answer) if self.rewrite else answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if any(request.headers.get(header) != key for header, key in KEYS.items()):
            return httpx.Response(403, json={"errors": ["Forbidden"]})
        match request.url.path.split("/"):
            case ["", "api", "v1", "query"]:
                asked = request.url.params
                return self._queried(asked["query"], int(asked["from"]), int(asked["to"]))
            case ["", "api", "v1", "metrics"]:
                return httpx.Response(200, json={"from": "1", "metrics": sorted({metric for metric, _ in self.store})})
            case ["", "api", "v2", "metrics", metric, "all-tags"] if not self.hides_tags:
                tags = sorted(
                    {f"{key}:{value}" for name, found in self.store for key, value in found if name == metric}
                )
                return httpx.Response(
                    200, json={"data": {"type": "metrics", "id": metric, "attributes": {"tags": tags}}}
                )
        return httpx.Response(403 if self.hides_tags else 404, json={"errors": ["Not found"]})

    def _queried(self, query: str, first_s: int, last_s: int) -> httpx.Response:
        series = []
        for number, text in enumerate(query.split(", sum:")):
            part = PART.fullmatch(text if number == 0 else f"sum:{text}")
            if part is None:
                return httpx.Response(400, json={"errors": [f"Error parsing query: unable to parse {text}"]})
            series += [{**one, "query_index": number} for one in self._series(part, first_s * 1000, last_s * 1000)]
        more = {"error": self.says} if self.says else {}
        return httpx.Response(200, json={"status": "ok", "res_type": "time_series", "series": series, **more})

    def _series(self, part: re.Match[str], first: int, last: int) -> Iterator[dict[str, object]]:
        interval = max(int(part["interval"] or UNASKED_INTERVAL_S), self.rolls_up_to) * 1000
        groups: dict[Tags, dict[int, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
        for (metric, tags), points in self.store.items():
            if metric != part["metric"] or not _fits(dict(tags), part["scope"]):
                continue
            group = tuple((key, dict(tags).get(key, "N/A")) for key in part["by"].split(","))
            own: dict[int, list[float]] = defaultdict(list)
            for at, value in points.items():
                if first <= at <= last:
                    own[at // interval * interval].append(value)
            for begin, values in own.items():
                groups[group][begin].append(values)
        for group, found in groups.items():
            pointlist = [[begin, _rolled(values, part)] for begin, values in sorted(found.items())]
            tag_set = [f"{key}:{value}" for key, value in group]
            yield {"metric": part["metric"], "tag_set": tag_set, "interval": interval // 1000, "pointlist": pointlist}


def _rolled(values: list[list[float]], part: re.Match[str]) -> float:
    """In time by the method of the query, then summed over the series."""
    mean = part["method"] == "avg"
    return sum(sum(own) / len(own) if mean else sum(own) for own in values) / float(part["divisor"] or 1)


def _fits(tags: dict[str, str], scope: str) -> bool:
    for piece in scope.split(" AND ") if scope != "*" else ():
        tag, _, wanted = piece.removeprefix("NOT ").partition(":")
        if fnmatchcase(tags.get(tag, ""), wanted) == piece.startswith("NOT "):
            return False
    return True


def _translated(grown: Grown) -> tuple[str, dict[str, str], float]:
    """The metric, tags and value that the Agent sends; it sends no infinite edge, but the count of all."""
    tags = {"pod_name": grown.labels["pod"], "kube_namespace": "prod"}
    if grown.of_cpu:
        return "kubernetes.cpu.usage.total", {**tags, "container": "app"}, grown.value * 1e9
    if grown.metric == streams.REQUESTS:
        return "http_requests.count", {**tags, "code": grown.labels["code"]}, grown.value
    if grown.labels["le"] == "+Inf":
        return "http_request_duration_seconds.count", tags, grown.value
    edge = str(float(grown.labels["le"]))
    return "http_request_duration_seconds.bucket", {**tags, "upper_bound": edge}, grown.value
