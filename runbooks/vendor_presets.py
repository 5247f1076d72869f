"""The presets of signals where Datadog or New Relic measures: the same services, under the names they have there."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from runbooks import signal_presets
from runbooks.signal_presets import FAILED, Preset

POD, NAMESPACE = "pod_name", "kube_namespace"
"""Tags that the Datadog Agent gives to what it reads from pods."""

KUBELET_CPU = "kubernetes.cpu.usage.total"

DATADOG: Mapping[str, Preset] = MappingProxyType(
    {
        "http": Preset(
            requests="{prefix}http_requests.count",
            latency="{prefix}http_request_duration_seconds.bucket",
            codes=("code", "status"),
            cpu=KUBELET_CPU,
            pod=POD,
            namespace=NAMESPACE,
        ),
        "grpc": replace(
            signal_presets.GRPC,
            requests="{prefix}grpc_server_handled.count",
            latency="{prefix}grpc_server_handling_seconds.bucket",
            cpu=KUBELET_CPU,
            pod=POD,
            namespace=NAMESPACE,
        ),
        "istio": replace(
            signal_presets.ISTIO,
            requests="istio.mesh.request.count",
            latency="istio.mesh.request.duration.milliseconds.bucket",
            pod=POD,
        ),
    }
)
"""Counters and histograms as the OpenMetrics check (version 2) names them: without `_total`, and with `.count` and
`.bucket`; `{prefix}` is what it puts before them. Istio's are those of the Agent's own integration."""

SAMPLE_CPU = "K8sContainerSample.cpuUsedCores"

TRANSACTIONS = Preset(
    requests="Transaction",
    latency="Transaction",
    codes=("httpResponseCode", "response.status"),
    cpu=SAMPLE_CPU,
    errors=FAILED,
    pod="host",
    namespace=None,
    must_match=("appName",),
)
"""The events of New Relic's APM agents. `host` is the pod's name, unless it uses its node's network. They say no
namespace, so the name of the application must tell environments apart. What an agent notes as an error has failed."""

NEW_RELIC: Mapping[str, Preset] = MappingProxyType(
    {
        "http": replace(signal_presets.HTTP, cpu=SAMPLE_CPU),
        "grpc": replace(signal_presets.GRPC, cpu=SAMPLE_CPU),
        "istio": signal_presets.ISTIO,
        "transactions": TRANSACTIONS,
    }
)
"""Metrics of Prometheus keep their names and labels on their way to New Relic."""
