"""Rehearsing what somebody has written: another's catalogue, a bad runbook, a slip of the pen."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.errors import UsageError
from bot.sandbox import cli
from bot.sandbox.scenarios import Ending, Scenario
from bot.sandbox.simulate import USUAL, Asked, simulate, usual
from runbooks.configuration import Configuration, load

CATALOGUE = """
clusters:
  east: {context: prod-east}
  west: {context: prod-west}
environments:
  test: {cluster: west, namespace: shop}
  live:
    cluster: east
    namespace: shop
    protected: true
    approval: {from: "@captains", count: 4, within: 10m, use_within: 10m}
    gates: [ci, signature]
services:
  shop:
    image: ghcr.io/acme/shop
    workload: deployment/shop-web
    container: web
    channel: "#shop-releases"
    repository: gitlab.example/acme/shop
    smoke: [{get: "https://{environment}.shop.example/api/health", expect: {json: {database: up}}}]
    traffic: {router: istio, service: shop-service}
    signals: {provider: dd, interval: 30s, metrics: {requests: shop.requests}, guards: ["error_rate < 3%"]}
    signatures: {key_file: cosign.pub}
metrics:
  dd: {datadog: {api_key_file: a, application_key_file: b}}
ci:
  lab: {gitlab: {url: "https://gitlab.example", token_file: t}}
runbooks_dir: own
"""
CAREFUL = """
name: careful
about: A canary with a question at its end.
gates: [image, vulnerabilities]
steps:
  - approval
  - canary: {weight: 10%, judge: {for: 10m}}
  - promote
  - smoke
on_failure: [restore, smoke]
"""
HASTY = """
name: hasty
about: Looks before it leaps, and not after.
gates: [image]
steps: [approval, smoke, set_image, rollout]
on_failure: [restore, smoke]
"""


@pytest.fixture
def written(tmp_path: Path) -> Configuration:
    """A catalogue that names servers which nobody here has."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "careful.yaml").write_text(CAREFUL)
    (tmp_path / "sluice.yaml").write_text(CATALOGUE)
    return load(tmp_path / "sluice.yaml")


def hasty(folder: Path) -> Path:
    """A catalogue with a runbook that checks at the wrong time."""
    (folder / "own").mkdir()
    (folder / "own" / "hasty.yaml").write_text(HASTY)
    (folder / "sluice.yaml").write_text(f"{USUAL}runbooks_dir: own\n")
    return folder / "sluice.yaml"


async def test_a_catalogue_of_other_servers_is_rehearsed_with_its_own_names(written: Configuration) -> None:
    """Istio, Datadog, GitLab and four votes: the stand-ins take their places, and nothing keeps its address."""
    (found,) = await simulate(written, Asked("careful", (Scenario.ERROR_SPIKE,)))
    assert (found.seen, found.faults) == (Ending.RESTORED, ())
    assert found.command == "/canary shop v2 live --runbook careful"
    assert found.left_out == ()
    said = "\n".join(line.text for line in found.lines)
    assert "4 votes needed for shop `v2` → live" in said
    assert "127.0.0.1" not in said


async def test_a_runbook_that_lets_a_bad_version_stay_does_not_pass(tmp_path: Path) -> None:
    """It has smoke checks, but before the change: errors stay, and the rehearsal says so."""
    (found,) = await simulate(load(hasty(tmp_path)), Asked("hasty", (Scenario.ERROR_SPIKE,)))
    assert (found.seen, found.wanted, found.is_good) == (Ending.SUCCEEDED, (Ending.RESTORED,), False)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked("canari", ()), "There is no runbook 'canari'; did you mean 'canary'?"),
        (Asked("canary", (), service="ap"), "There is no service 'ap'; did you mean 'api'?"),
        (Asked("canary", (), environment="prd"), "There is no environment 'prd'; did you mean 'prod'?"),
    ],
)
async def test_a_slip_is_answered_with_its_fix(asked: Asked, said: str) -> None:
    """Before anything is started."""
    with pytest.raises(UsageError) as slip:
        await simulate(usual(), asked)
    assert said in str(slip.value)


async def test_without_traffic_people_are_asked_and_an_abort_brings_everything_back() -> None:
    """Nobody answers, somebody aborts, and the world at the end is the one from before."""
    (found,) = await simulate(usual(), Asked("canary", (Scenario.NO_TRAFFIC,)))
    assert (found.seen, found.faults) == (Ending.ASKED, ())
    said = [line.text for line in found.lines]
    assert any("People decide" in text for text in said)
    assert any(text.startswith("/release abort api-prod-1") for text in said)


def test_the_command_line_tells_by_its_exit_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON for machines, one line a rehearsal for people, status 1 where one did not end as it must."""
    cli.add(app)
    monkeypatch.setenv("SLUICE_CONFIG", str(hasty(tmp_path)))
    asked = ["simulate", "hasty", "--scenario", "error-spike", "--scenario", "approval-timeout"]
    done = CliRunner().invoke(app, [*asked, "--format", "json"])
    assert done.exit_code == 1
    assert [(each["scenario"], each["is_good"]) for each in json.loads(done.stdout)] == [
        ("error-spike", False),
        ("approval-timeout", True),
    ]
    quiet = CliRunner().invoke(app, ["simulate", "hasty", "--scenario", "approval-timeout", "--quiet"])
    assert (quiet.exit_code, quiet.stdout.strip()) == (
        0,
        "✅ hasty · approval-timeout: expired after 0:30:20 (without votes nothing changes)",
    )


def test_json_is_json_though_only_verdicts_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its lines then."""
    cli.add(app)
    monkeypatch.setenv("SLUICE_CONFIG", str(hasty(tmp_path)))
    asked = ["simulate", "hasty", "--scenario", "approval-timeout", "--quiet", "--format", "json"]
    (read,) = json.loads(CliRunner().invoke(app, asked).stdout)
    assert (read["is_good"], read["lines"]) == (True, [])


def test_a_catalogue_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own service would be rehearsed in its place, and nobody would notice the slip."""
    cli.add(app)
    monkeypatch.setenv("SLUICE_CONFIG", str(tmp_path / "slice.yaml"))
    done = CliRunner().invoke(app, ["simulate", "deploy", "--scenario", "healthy"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "slice.yaml" in done.stderr


def test_all_leaves_out_what_no_service_of_this_sort_can_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary without a share of the traffic is nobody's fault in a pull request; it is told beside the output."""
    cli.add(app)
    monkeypatch.setenv("SLUICE_CONFIG", str(tmp_path / "sluice.yaml"))
    (tmp_path / "sluice.yaml").write_text(USUAL.replace("    traffic: {router: gateway-api}\n", ""))
    done = CliRunner().invoke(app, ["simulate", "all", "--scenario", "approval-timeout", "--format", "json"])
    assert (done.exit_code, [each["runbook"] for each in json.loads(done.stdout)]) == (
        0,
        ["deploy", "hotfix", "promote", "rollback"],
    )
    assert "canary is left out: api has no 'traffic'" in done.stderr
