"""What usual servers, meshes and gateways call their metrics: the presets that `signals:` names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

CPU = "process_cpu_seconds_total"
"""Of every Prometheus client library that has the standard process collector."""

FAILED = "5.."
"""Fits a status such as 503 and a class such as 5xx."""

GRPC_FAILED = "(?i:unknown|deadline_?exceeded|unimplemented|internal|unavailable|data_?loss)"
"""The server's own failures: those that google/rpc/code.proto maps to HTTP 5xx, as Go and as Java spell them."""

MILLISECOND = 0.001
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ArmLabel:
    """A label that names an arm as a whole, and regular expressions of its values. In them `{name}`, `{namespace}`,
    `{service}` and `{route}` stand for the target's. An empty `baseline`: fresh baseline pods cannot be told."""

    label: str
    canary: str
    stable: str
    baseline: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """Names of metrics and labels. `arms` is `None` where the name of the pod tells the arm. `pod` is the label of the
    process that counts: the service's own pod or, unless `own_pods`, that of a proxy far from it. `match` holds labels
    that every series must have, `must_match` those of them that only the service can say."""

    requests: str
    latency: str
    codes: tuple[str, ...]
    cpu: str | None = None
    errors: str = FAILED
    pod: str = "pod"
    namespace: str | None = "namespace"
    unit_s: float = 1.0
    arms: ArmLabel | None = None
    match: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    own_pods: bool = True
    must_match: tuple[str, ...] = ()


HTTP = Preset(
    requests="http_requests_total",
    latency="http_request_duration_seconds_bucket",
    codes=("code", "status"),
    cpu=CPU,
)

GRPC = Preset(
    requests="grpc_server_handled_total",
    latency="grpc_server_handling_seconds_bucket",
    codes=("grpc_code",),
    cpu=CPU,
    errors=GRPC_FAILED,
)
"""As go-grpc-middleware's Prometheus interceptors name them."""

ISTIO = Preset(
    requests="istio_requests_total",
    latency="istio_request_duration_milliseconds_bucket",
    codes=("response_code",),
    namespace="destination_workload_namespace",
    unit_s=MILLISECOND,
    arms=ArmLabel("destination_workload", canary="{name}-canary", stable="{name}", baseline="{name}-baseline"),
    match={"reporter": "destination"},
)
"""Istio's standard metrics, as the sidecars of the service's own pods count them."""

INGRESS_NGINX = Preset(
    requests="nginx_ingress_controller_requests",
    latency="nginx_ingress_controller_request_duration_seconds_bucket",
    codes=("status",),
    pod="controller_pod",
    arms=ArmLabel(
        "canary",
        canary="{namespace}-{service}-canary-.+",
        stable="",
        hint="is there a canary Ingress, and does the label 'service' name the stable Service?",
    ),
    match={"service": "{service}"},
    own_pods=False,
)
"""The label `service` stays that of the stable Ingress; a request that went to the canary carries the upstream
`<namespace>-<service>-<port>` in `canary` (ingress-nginx, rootfs/etc/nginx/lua/monitor.lua and balancer.lua)."""

GATEWAY = Preset(
    requests="envoy_cluster_upstream_rq",
    latency="envoy_cluster_upstream_rq_time_bucket",
    codes=("envoy_response_code",),
    namespace=None,
    unit_s=MILLISECOND,
    arms=ArmLabel(
        "envoy_cluster_name",
        canary="httproute/{namespace}/{route}/rule/[0-9]+/backend/1",
        stable="httproute/{namespace}/{route}/rule/[0-9]+/backend/0",
        hint="Envoy Gateway counts the backends of a rule apart only when one of its backendRefs has a filter",
    ),
    own_pods=False,
)
"""Envoy Gateway (envoyproxy/gateway issue 7008): one Envoy cluster for each rule or, where a backendRef has a filter,
for each backend in the order of the rule: stable first, canary second."""

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {"http": HTTP, "grpc": GRPC, "istio": ISTIO, "ingress-nginx": INGRESS_NGINX, "gateway": GATEWAY}
)
