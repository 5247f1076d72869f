"""The catalogue's sections `metrics` and `signals`: what they mean, and every fault with its place."""

from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.domain.errors import UsageError
from runbooks.catalogue import Catalogue
from runbooks.configuration import load
from runbooks.source import Faults
from tests.runbooks.catalogues import CATALOGUE, a_catalogue, written

METRICS = """\
metrics:
  main:
    prometheus: {url: http://prometheus.monitoring:9090/, token_file: /run/secrets/token}
    default: true
  hosted:
    grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}
    interval: 30s
"""
SIGNALS = """\
    signals:
      margins: {error_ni: 3}
      guards: ["error_rate < 1%", "p95 < 300ms"]
"""
JUDGED = METRICS + CATALOGUE.replace(
    "    runbooks: {prod: hotfix}\n", f"    runbooks: {{prod: hotfix}}\n{SIGNALS}"
).replace("    channel: C0DEPLOYS\n", "    channel: C0DEPLOYS\n    signals: {preset: grpc, provider: hosted}\n")


def said_of(text: str, folder: Path) -> str:
    """All faults of a file, without the folder it stands in."""
    with pytest.raises(Faults) as caught:
        load(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def judged(**changes: str) -> Catalogue:
    """The catalogue above with parts replaced."""
    text = JUDGED
    for old, new in changes.items():
        text = text.replace(old, new)
    return a_catalogue(text)


def test_a_service_is_measured_by_the_default_provider(tmp_path: Path) -> None:
    """Or by the one it names; how often is scraped comes with it."""
    catalogue = load(written(tmp_path, JUDGED)).catalogue
    api, web = catalogue.queries("api", "staging"), catalogue.queries("web", "prod")
    assert (api.provider, api.interval) == ("main", timedelta(seconds=15))
    assert (web.provider, web.interval) == ("hosted", timedelta(seconds=30))
    assert 'namespace="staging"' in api.requests.text
    assert catalogue.provider("api")[1].prometheus


def test_the_only_provider_is_the_default() -> None:
    """It need not say so."""
    text = JUDGED.replace("    default: true\n", "").replace(METRICS[METRICS.index("  hosted") :], "")
    assert a_catalogue(text).queries("api", "staging").provider == "main"


def test_addresses_lose_their_last_slash() -> None:
    """So that paths can be added."""
    entry = a_catalogue(JUDGED).metrics["main"].prometheus
    assert entry
    assert entry.url == "http://prometheus.monitoring:9090"


def test_what_cannot_be_resolved_is_a_slip() -> None:
    """Said to whoever asks for a canary."""
    with pytest.raises(UsageError, match=r"api has no 'signals' .* 'signals: http' is enough"):
        a_catalogue().queries("api", "staging")
    with pytest.raises(UsageError, match="There is no metrics provider 'hosted'; did you mean 'hosts'"):
        a_catalogue(JUDGED.replace("  hosted:", "  hosts:")).queries("web", "prod")
    with pytest.raises(UsageError, match="api has no metrics provider; name one with 'provider', or a 'default' one"):
        a_catalogue(JUDGED.replace("    default: true\n", "")).queries("api", "prod")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("prometheus: {url", "promtheus: {url", "metrics.main has no key 'promtheus'; did you mean 'prometheus'?"),
        (
            "    grafana: {",
            "    prometheus: {url: http://x}\n    grafana: {",
            "exactly one of 'prometheus', 'grafana', 'datadog' and 'newrelic'",
        ),
        (
            "url: http://prometheus",
            "url: prometheus",
            "metrics.main.prometheus.url: 'prometheus.monitoring:9090/' is not",
        ),
        (
            "http://prom",
            "http://ann:pw@prom",
            "an address must not hold a password; use 'username' and 'password_file'",
        ),
        ("9090/,", "9090/?x=1,", "must end with its path; leave out what follows it"),
        ("token_file: /run/secrets/token", "username: ann", "'username' and 'password_file' belong together"),
        (
            "/run/secrets/token}",
            "t, username: ann, password_file: p}",
            "log in either with 'token_file' or with 'username' and 'password_file'",
        ),
        (", token_file: /run/secrets/grafana", "", "metrics.hosted.grafana lacks the key 'token_file'"),
        ("uid: prom-1", 'uid: "../admin"', "metrics.hosted.grafana.uid: string should match pattern"),
        (
            "grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}",
            "datadog: {site: datadog.eu, api_key_file: a, application_key_file: b}",
            "metrics.hosted.datadog.site cannot be 'datadog.eu'; did you mean 'datadoghq.eu'?",
        ),
        (
            "grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}",
            "datadog: {api_key_file: a}",
            "metrics.hosted.datadog lacks the key 'application_key_file'",
        ),
        (
            "grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}",
            "newrelic: {account: '12', api_key_file: a}",
            "metrics.hosted.newrelic.account must be a whole number",
        ),
        (
            "grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}",
            "newrelic: {account: 12, api_key: NRAK-1}",
            "metrics.hosted.newrelic has no key 'api_key'; did you mean 'api_key_file'?",
        ),
        (
            "grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}",
            "newrelic: {account: 12, api_key_file: a, region: eu1}",
            "metrics.hosted.newrelic.region cannot be 'eu1'; did you mean 'eu'?",
        ),
        ("preset: grpc", "preset: transactions", "services.web.signals: Prometheus has no preset 'transactions'"),
        ("margins: {error_ni: 3}", "cpu: kubernets", "services.api.signals.cpu cannot be 'kubernets'; did you mean"),
        (
            "margins: {error_ni: 3}",
            "cpu: kubernetes\n      metrics: {cpu: x}",
            "'cpu: kubernetes' and 'metrics: {cpu: …}' exclude each other; leave one out",
        ),
        (
            "preset: grpc",
            "preset: gateway, cpu: kubernetes",
            "counted elsewhere, at the gateway; leave out 'cpu: kubernetes'",
        ),
        (
            "margins: {error_ni: 3}",
            "metrics: {requests: http.requests}",
            "services.api.signals: 'http.requests' is not the name of a metric of Prometheus; write it with _",
        ),
        (
            "margins: {error_ni: 3}",
            "labels: {pod: k8s.pod}",
            "'k8s.pod' is not the name of a label of Prometheus; write it with _",
        ),
        ("interval: 30s", "interval: 30", "metrics.hosted.interval: 30 has no unit; write 30s for seconds"),
        ("interval: 30s", "interval: 0s", "metrics.hosted.interval: input should be greater than"),
        ("preset: grpc", "preset: grp", "services.web.signals.preset cannot be 'grp'; did you mean 'grpc'?"),
        ("{preset: grpc, provider: hosted}", "htp", "services.web.signals cannot be 'htp'; did you mean 'http'?"),
        ("{preset: grpc, provider: hosted}", "[http]", "services.web.signals must be a mapping"),
        ("preset: grpc", "pre: grpc", "services.web.signals has no key 'pre'; did you mean 'preset'?"),
        ("error_ni: 3", "error_in: 3", "services.api.signals.margins has no key 'error_in'; did you mean 'error_ni'?"),
        ("error_ni: 3", "error_ni: 1", "'error_tolerance' (1.1) must be below 'error_ni' (1)"),
        ("error_ni: 3", "error_ni: 0.5", "margins.error_ni: input should be greater than or equal to 1"),
        ("error_ni: 3", "latency_tolerance: 2", "'latency_tolerance' (2) must be below 'latency_ni' (1.25)"),
        ("error_ni: 3", "error_floor: 1%", "'error_floor' (0.01) must be below 'error_ni_floor' (0.005)"),
        ("error_ni: 3", "error_floor: x%", "margins.error_floor: 'x%' is not a share; write it like 0.5% or 0.005"),
        ("error_ni: 3", "quantile: 95", "margins.quantile: input should be less than or equal to 0.999"),
        ("error_ni: 3", "alpha: 0.5", "margins.alpha: input should be less than or equal to 0.2"),
        ("p95 < 300ms", "p95 < 300", "services.api.signals.guards[1]: 'p95 < 300' needs a time, such as 300ms or 1.5s"),
        ("margins: {error_ni: 3}", "metrics: {requests: 5xx}", "metrics.requests: '5xx' is not the name of a metric"),
        ("margins: {error_ni: 3}", "metrics: {requests: null}", "signals.metrics.requests must be text"),
        ("margins: {error_ni: 3}", "labels: {code: a-b}", "signals.labels.code: 'a-b' is not the name of a label"),
        ("margins: {error_ni: 3}", "labels: {pod: null}", "without a pod label the arms must be told apart by 'arms'"),
        ("margins: {error_ni: 3}", 'errors: "5(.."', "signals.errors: '5(..' is not a regular expression: missing )"),
        ("margins: {error_ni: 3}", "bounds: [0.5, 0.1]", "signals.bounds: the bounds must rise"),
        ("margins: {error_ni: 3}", "bounds: [0.5]", "signals.bounds: one bound says next to nothing about latency"),
        ("margins: {error_ni: 3}", "bounds: [-1, 2]", "signals.bounds[0]: input should be greater than 0"),
        ("margins: {error_ni: 3}", "match: {a-b: c}", "'a-b' is not the name of a label"),
        ("margins: {error_ni: 3}", "arms: {label: x}", "services.api.signals.arms lacks the key 'canary'"),
        ("provider: hosted", "provider: hostd", "there is no metrics provider 'hostd'; did you mean 'hosted'?"),
        (
            "    default: true\n",
            "",
            "which of the metrics providers measures these signals is not said; add 'provider'",
        ),
        ("    interval: 30s", "    default: true", "'main' is the default metrics provider already"),
        (METRICS, "", "there is no metrics provider to measure signals with; add 'metrics: {main: {prometheus: {url:"),
    ],
)
def test_every_fault_says_what_to_write(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The place in words, what is wrong with it, and the near word or the fix."""
    assert old in JUDGED
    assert said in said_of(JUDGED.replace(old, new, 1), tmp_path)


DATADOG = "datadog: {site: datadoghq.eu, api_key_file: a, application_key_file: b}"
NEW_RELIC = "newrelic: {account: 12, api_key_file: a, region: eu}"


def elsewhere(provider: str, signals: str) -> str:
    """The catalogue where one service has these signals, measured by that provider."""
    grafana = "grafana: {url: https://grafana.test/sub, uid: prom-1, token_file: /run/secrets/grafana}"
    text = JUDGED.replace(grafana, provider).replace("    interval: 30s\n", "")
    return text.replace("{preset: grpc, provider: hosted}", f"{{provider: hosted, {signals}}}")


@pytest.mark.parametrize(
    ("provider", "signals", "said"),
    [
        (DATADOG, "preset: gateway", "Datadog has no preset 'gateway'; known: grpc, http, istio"),
        (DATADOG, "match: {path: =~/v1/.*}", "Datadog knows no regular expressions: write 'path: /v1/.*' with * for"),
        (DATADOG, "metrics: {cpu: shop.cpu.count}", "CPU must be a gauge in cores, and 'shop.cpu.count' is a count"),
        (NEW_RELIC, "preset: ingress-nginx", "New Relic has no preset 'ingress-nginx'"),
        (NEW_RELIC, "preset: transactions", "cannot tell environments apart by itself; add 'match: {appName: …}'"),
        (NEW_RELIC, "metrics: {cpu: Transaction}", "'Transaction' is no level of CPU; leave it out for K8sContainer"),
        (
            NEW_RELIC,
            "arms: {label: version, canary: b, stable: a}",
            "The samples of containers have no label 'version'; name a metric, or cpu: null",
        ),
    ],
)
def test_signals_must_fit_their_server(tmp_path: Path, provider: str, signals: str, said: str) -> None:
    """What a language cannot say is told with the line of the service, before any canary."""
    told = said_of(elsewhere(provider, signals), tmp_path)
    assert said in told
    assert told.startswith("sluice.yaml:4")


def test_other_servers_count_in_intervals_of_their_own() -> None:
    """Unless their entry says otherwise."""
    catalogue = a_catalogue(elsewhere(DATADOG, "preset: http"))
    assert catalogue.queries("web", "prod").interval == timedelta(seconds=30)
    datadog = catalogue.metrics["hosted"].datadog
    assert datadog
    assert datadog.address == "https://api.datadoghq.eu"
    newrelic = a_catalogue(elsewhere(NEW_RELIC, "preset: http")).metrics["hosted"].newrelic
    assert newrelic
    assert newrelic.address == "https://api.eu.newrelic.com/graphql"


def test_a_fault_is_told_without_what_only_follows_from_it(tmp_path: Path) -> None:
    """The interval's default depends on which server it is: no fault of the author's."""
    said = said_of(JUDGED.replace("https://grafana.test/sub", "nonsense"), tmp_path)
    assert said.splitlines() == [said]
    assert "metrics.hosted.grafana.url: 'nonsense' is not an http or https address" in said


def test_all_faults_come_at_once_with_their_places(tmp_path: Path) -> None:
    """One look at the output is enough to mend the file."""
    broken = (
        JUDGED.replace("error_ni: 3", "error_ni: 0")
        .replace("p95 <", "p95 >")
        .replace("provider: hosted", "provider: x")
    )
    assert said_of(broken, tmp_path) == snapshot("""\
sluice.yaml:31:27: services.api.signals.margins.error_ni: input should be greater than or equal to 1
sluice.yaml:32:35: services.api.signals.guards[1]: 'p95 > 300ms' is not a guard rail; \
write it like "error_rate < 1%", "p95 < 300ms" or "cpu < 80%"
sluice.yaml:44:39: there is no metrics provider 'x'; known: hosted, main\
""")
