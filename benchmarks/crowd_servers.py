"""What many canaries need around them, in a process of its own: an API server and a metrics server in memory.

`python -m benchmarks.crowd_servers FOLDER PORT SERVICES`. Each service has a namespace, five stable pods behind a
gateway, and the traffic that makes a judge look on: no harm, and none that could be ruled out soon. `GET /looks` tells
when each service was looked at.
"""

import asyncio
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from tests.adapters.kube_api import KubeApi, kubeconfig
from tests.contracts.route_worlds import control
from tests.real import servers

STABLE_PODS, RATE = 5, 10.0
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
BELOW = (0.0, 0.01, 0.1, 0.3, 0.6, 0.9, 0.96, 0.99, 0.997, 0.999, 0.9999, 1.0)
CONTROL_S = 1.0


def service(number: int) -> str:
    """The name of a service, and of its namespace and workload."""
    return f"svc{number}"


def furnished(api: KubeApi, image: str, count: int) -> None:
    """Deployments, Services and HTTPRoutes of all services, as they would stand in a cluster."""
    for number in range(count):
        name = service(number)
        body = servers.workload(image, replicas=STABLE_PODS)
        body["metadata"] |= {"name": name, "uid": f"uid-{name}", "generation": 1}
        body["spec"]["selector"] = {"matchLabels": {"app": name}}
        body["spec"]["template"]["metadata"] = {"labels": {"app": name}}
        api.put(f"apis/apps/v1/namespaces/{name}/deployments", body)
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        spec = {"selector": {"app": name}, "ports": ports}
        api.put(f"api/v1/namespaces/{name}/services", {"metadata": {"name": name}, "spec": spec})
        rules = [{"backendRefs": [{"name": name, "port": 80}]}]
        route = {"metadata": {"name": name}, "spec": {"rules": rules}}
        api.put(f"apis/gateway.networking.k8s.io/v1/namespaces/{name}/httproutes", route)


class MetricsServer:
    """The query API over counters that are functions of time; keeps when each service was asked about."""

    def __init__(self) -> None:
        self.looks: dict[str, list[float]] = defaultdict(list)

    async def answer(self, request: web.Request) -> web.Response:
        """One range query. Anything else has no data."""
        form = {key: values[0] for key, values in parse_qs((await request.read()).decode()).items()}
        if "start" not in form:
            data: dict[str, Any] = {"resultType": "vector", "result": []}
            return web.json_response({"status": "success", "data": data})
        query, first, last, step = form["query"], float(form["start"]), float(form["end"]), float(form["step"])
        name = query.partition('namespace="')[2].partition('"')[0]
        if "http_requests_total" in query:
            self.looks[name].append(time.time())
        moments = [first + step * number for number in range(int((last - first) / step + 1.5))]
        result = [
            {"metric": labels, "values": [[at, f"{value(at):.9g}"] for at in moments]}
            for labels, value in _series(query, name)
        ]
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})

    async def told(self, _request: web.Request) -> web.Response:
        """When each service was looked at, in seconds since the epoch."""
        return web.json_response(self.looks)


def _series(query: str, name: str) -> list[tuple[dict[str, str], Any]]:
    pods = [f"{name}-7d9f8b6c5-{letter * 5}" for letter in "bcdfg"] + [f"{name}-canary-7d9f8b6c5-bbbbb"]
    found: list[tuple[dict[str, str], Any]] = []
    for pod in pods:
        if "_bucket" in query:
            for bound, share in zip(BOUNDS, BELOW, strict=True):
                found.append(({"pod": pod, "le": bound}, lambda at, share=share: int(at % 1e6 * RATE * share)))
        elif "cpu" in query:
            found.append(({"pod": pod}, lambda at: 0.1 + 0.01 * (at % 7)))
        else:
            found.append(({"pod": pod, "code": "200"}, lambda at: int(at % 1e6 * RATE)))
            found.append(({"pod": pod, "code": "500"}, lambda at: int(at % 1e6 * RATE / 400)))
            found.append(({"pod": pod, "sluice": "newest"}, lambda at: at))
    return found


async def main(folder: Path, port: int, count: int) -> None:
    """Serve both until the process is ended."""
    api, metrics = KubeApi(), MetricsServer()
    furnished(api, (folder / "image").read_text(), count)
    control(api)
    (folder / "kubeconfig").write_text(kubeconfig(f"http://127.0.0.1:{port}"))
    app = web.Application()
    app.router.add_post("/prometheus/api/v1/{what}", metrics.answer)
    app.router.add_get("/looks", metrics.told)
    app.router.add_route("*", "/{path:.*}", api.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    while True:
        await asyncio.sleep(CONTROL_S)
        control(api)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
