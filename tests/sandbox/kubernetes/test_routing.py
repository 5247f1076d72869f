"""Who gets a Service's requests."""

from datetime import datetime, timedelta

import pytest

from tests.sandbox.kubernetes.cluster import Kube, Raw, deployment, service

HEAD = {"name": "api", "namespace": "staging"}


def http_route(*refs: Raw) -> Raw:
    """A Gateway API route with one rule."""
    spec = {"rules": [{"backendRefs": list(refs)}]}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": HEAD, "spec": spec}


def virtual_service(*routes: Raw) -> Raw:
    """An Istio route with one rule."""
    spec = {"http": [{"route": list(routes)}]}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": HEAD, "spec": spec}


def ingress(name: str, to: str, **annotations: str) -> Raw:
    """An Ingress of ingress-nginx with one path."""
    backend = {"service": {"name": to, "port": {"number": 80}}}
    rules = [{"host": "api.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    said = {f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    metadata = {"name": name, "namespace": "staging", "annotations": said}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {"rules": rules}}


def standing(*routes: Raw, canary: str = "v2") -> Kube:
    """Two stable pods and a canary pod, each behind a Service of its own."""
    kube = Kube()
    for manifest in (deployment(), service(), deployment(canary, name="web", replicas=1), service("web"), *routes):
        kube.server.apply(manifest)
    kube.server.settle()
    return kube


def shares(kube: Kube) -> dict[str, float]:
    """The share of each version."""
    found: dict[str, float] = {}
    for one in kube.server.endpoints("staging", "api"):
        tag = one.image.rpartition(":")[2]
        found[tag] = round(found.get(tag, 0) + one.share, 6)
    return found


def test_without_a_router_ready_pods_share_alike() -> None:
    """Those that the Service selects."""
    found = standing().server.endpoints("staging", "api")
    assert [(one.share, one.namespace, one.labels["app"]) for one in found] == [(0.5, "staging", "api")] * 2


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([http_route({"name": "api", "weight": 95}, {"name": "web", "weight": 5})], {"v1": 0.95, "v2": 0.05}),
        ([http_route({"name": "api"}, {"name": "web"})], {"v1": 0.5, "v2": 0.5}),
        ([http_route({"name": "api", "weight": 0}, {"name": "web", "weight": 1})], {"v2": 1.0}),
        (
            [
                virtual_service(
                    {"destination": {"host": "api.staging.svc.cluster.local"}, "weight": 80},
                    {"destination": {"host": "web"}, "weight": 20},
                )
            ],
            {"v1": 0.8, "v2": 0.2},
        ),
        ([virtual_service({"destination": {"host": "api"}})], {"v1": 1.0}),
        ([ingress("api", "api"), ingress("c", "web", canary="true", canary_weight="30")], {"v1": 0.7, "v2": 0.3}),
        ([ingress("api", "api"), ingress("c", "web", canary="false", canary_weight="30")], {"v1": 1.0}),
    ],
    ids=["gateway", "gateway without weights", "all to the canary", "istio", "istio alone", "nginx", "no canary"],
)
def test_a_router_divides_by_its_weights(routes: list[Raw], expected: dict[str, float]) -> None:
    """Whatever its kind calls them; the pods of a Service share its part alike."""
    assert shares(standing(*routes)) == expected


def test_only_ready_pods_get_requests() -> None:
    """A version without any leaves its part to the other."""
    route = http_route({"name": "api", "weight": 50}, {"name": "web", "weight": 50})
    kube = standing(route)
    kube.server.behave("v2", "notready")
    assert shares(kube) == {"v1": 1.0}
    kube.server.behave("v1", "notready")
    assert shares(kube) == {}


def test_who_listens_hears_of_pods_and_routes_with_their_moment() -> None:
    """In the order in which things happen, also within one step of the clock."""
    kube, heard = standing(), list[datetime]()
    began = kube.clock.now()
    kube.server.listen(heard.append)
    kube.server.apply(deployment("v3"))
    kube.passes(60)
    done = len(heard)
    kube.server.apply(http_route({"name": "api"}))
    assert heard == sorted(heard)
    assert len(set(heard)) > 5
    assert began <= heard[0] < heard[done - 1] < began + timedelta(seconds=9)
    assert heard[done:] == [kube.clock.now()]


def test_the_panel_shows_the_weight_of_each() -> None:
    """In per cent of the rule that leads to it."""
    kube = standing(http_route({"name": "api", "weight": 95}, {"name": "web", "weight": 5}))
    assert [(one.name, one.tag, one.weight) for one in kube.server.shown()] == [("api", "v1", 95), ("web", "v2", 5)]
    assert kube.server.weights("staging", "web") == {"api": 95, "web": 5}


def test_the_next_moment_is_told() -> None:
    """Whoever lets time pass can go from one thing to the next, and misses none."""
    kube, steps = standing(), 0
    kube.server.apply(deployment("v3"))
    kube.server.changed.clear()
    while kube.tags(ready=False) != ["v2", "v3", "v3"]:
        coming = kube.server.advance()
        assert coming is not None
        kube.clock.advance_to(coming)
        steps += 1
    assert kube.server.changed.is_set()
    assert kube.clock.now() - kube.server.advance() < timedelta()  # type: ignore[operator]  # the next deadline
    assert steps < 60
