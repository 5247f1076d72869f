"""What stands in the sandbox before anybody types: versions, manifests, the catalogue and the runbooks."""

from collections.abc import Mapping
from typing import Any

Manifest = dict[str, Any]

RUNNING, GOOD = "sha100", "sha123"

VERSIONS: Mapping[str, str] = {
    "sha100": "runs everywhere now",
    "sha123": "a good version",
    "sha124": "another good version",
    "sha130-errors": "a third of its answers are errors",
    "sha131-latency": "twenty times slower",
    "sha132-crash": "crashes when it starts",
    "sha133-badpull": "its image cannot be pulled",
    "sha140": "its tests failed: prod does not take it",
    "sha141": "has a critical vulnerability: prod does not take it",
    "sha142": "nobody signed it: prod does not take it",
}
"""Tags in the registry; a word behind the number says how such a version behaves."""

SERVICES = ("api", "web")
NAMESPACES: Mapping[str, int] = {"staging": 2, "prod": 4}
"""Namespaces, and how many pods each service has there."""

TRIES = (
    ("/deploy api sha123 staging", "to staging: no vote is needed there"),
    ("/canary api sha123 prod", "to production: then vote ✅ as bob and as carol"),
    ("/canary api sha124 prod", "once more, with “canary throws errors” switched on while it is judged"),
    ("/rollback api prod", "back to the version before"),
    ("/deploy api sha141 prod", "a gate refuses it"),
    ("/release matrix", "what runs where"),
)

CANARY = """\
name: canary
about: >
  Release to production behind growing traffic, with metrics deciding. The library's runbook at the pace of a sandbox:
  the shares are larger and the times shorter, because nobody wants to watch for half an hour.
gates: [image]
steps:
  - approval
  - canary: {weight: 20%, judge: {for: 3m, least: 15s}}
  - canary: {weight: 50%, judge: {for: 3m, least: 10s}}
  - promote
  - smoke
  - watch: 20s
on_failure:
  - restore
  - smoke
  - recovery: 20s
"""

CATALOGUE = """\
# Written by `sluice sandbox`. Change it if you like: the bot reads it again when it is started again.
clusters:
  main: {{kubeconfig: "{kubeconfig}"}}
environments:
  staging: {{cluster: main, namespace: staging}}
  prod:
    cluster: main
    namespace: prod
    protected: true
    gates: [ci, vulnerabilities, signature]
    approval:
      from: "@release-approvers"
      count: 2
      within: 30m
      use_within: 30m
      on_call: "@on-call"
      break_glass: "@on-call"
services:
{services}registries:
  "{registry}": {{insecure: true}}
metrics:
  main: {{prometheus: {{url: "{prometheus}"}}}}
ci:
  main: {{github: {{url: "http://{github}", token_file: "{folder}/github-token"}}}}
signatures: {{key_file: "{folder}/cosign.pub"}}
people: {{ann: U0ANN, bob: U0BOB, dave: U0DAVE}}
runbooks_dir: runbooks
"""

SERVICE = """\
  {name}:
    image: {registry}/acme/{name}
    repository: {github}/acme/{name}
    workload: deployment/{name}
    channel: "#deploys"
    smoke: [{{get: "{door}/{{environment}}/{{service}}/healthz"}}]
    traffic: {{router: gateway-api}}
    signals: {{preset: http, interval: 1s, guards: ["error_rate < 20%"], margins: {{min_bake: 10s}}}}
"""


def catalogue(*, kubeconfig: str, registry: str, prometheus: str, door: str, github: str, folder: str) -> str:
    """The text of `sluice.yaml`. `registry` and `github` are hosts with their ports, `kubeconfig` and `folder` paths;
    the others are URLs."""
    services = "".join(SERVICE.format(name=name, registry=registry, door=door, github=github) for name in SERVICES)
    return CATALOGUE.format(
        kubeconfig=kubeconfig,
        registry=registry,
        prometheus=prometheus,
        services=services,
        github=github,
        folder=folder,
    )


def manifests(registry: str) -> list[tuple[str, Manifest]]:
    """Namespace and object: what `kubectl apply` would put there."""
    return [
        (namespace, made)
        for namespace, pods in NAMESPACES.items()
        for service in SERVICES
        for made in (
            deployment(service, f"{registry}/acme/{service}:{RUNNING}", pods),
            kubernetes_service(service),
            route(service),
        )
    ]


def deployment(name: str, image: str, pods: int) -> Manifest:
    """A Deployment that never has fewer ready pods than wanted while it is updated."""
    labels = {"app": name}
    container = {
        "name": "app",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": pods,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def kubernetes_service(name: str) -> Manifest:
    """The Service in front of it."""
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def route(name: str) -> Manifest:
    """The HTTPRoute that leads to it; a canary's share is written here."""
    rules = [{"backendRefs": [{"name": name, "port": 80}]}]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"hostnames": [f"{name}.example"], "rules": rules},
    }
