"""Runbooks and catalogues of all sorts, rehearsed: what is good passes, what is not does not, nothing is lost."""

from pathlib import Path

import pytest

from bot.sandbox.scenarios import Ending, Scenario
from bot.sandbox.transcript import verdict
from tests.sandbox.rehearsing import rehearsed

HELD = """
steps: [approval, {canary: {weight: 20%, judge: {for: 10m}, hold: true}}, promote]
on_failure: [restore]
"""
MIGRATING = """
steps:
  - approval
  - job: {name: migrate, run: [alembic, upgrade, head]}
  - set_image
  - rollout
  - notify: "schema ${steps.migrate.outputs.revision}"
on_failure: [restore]
"""
CHECKING = """
steps:
  - approval
  - set_image
  - rollout
  - smoke: {checks: [{get: "https://a.example", expect: {status: 302, json: {a: 1}}}]}
on_failure: [restore]
"""
TALKING = """
steps: [approval, {notify: {text: "It begins.", channel: "#releases"}}]
"""
PLAIN = """
steps: [approval, set_image, rollout, smoke]
on_failure: [restore]
"""
SOAKED = """
environments:
  qa: {cluster: main, namespace: qa, gates: [{soak: {in: staging, for: 10m}}]}
  prod:
    approval: {from: "@release-approvers", count: 12}
    gates: [{soak: {in: qa, for: 20m}}, vulnerabilities]
"""
ELSEWHERE = """
services:
  api: {channel: "C0123ABCD", workload: statefulset/app, container: web, image: acme/api}
  web:
    image: registry.example:5000/acme/web
    workload: deployment/app
    channel: "#web.releases"
    environments: {prod: {namespace: web}}
"""
PIPED = """
steps: [approval, set_image, rollout, {pipeline: {name: e2e, run: e2e.yaml}}, {notify: "${steps.e2e.outputs.url}"}]
on_failure: [restore]
"""
WITH_CI = """
ci: {hub: {github: {token_file: /nowhere}}}
services: {api: {repository: github.com/acme/api}}
"""
POSTING = """
services: {api: {smoke: [{post: "https://{environment}.api.example/check?all=1", body: {deep: true}}]}}
"""
FROZEN = """
environments:
  prod: {freeze: [{cron: "0 0 * * *", for: 1d, reason: always}]}
"""


@pytest.mark.parametrize("runbook", [HELD, MIGRATING, CHECKING, TALKING])
async def test_a_good_runbook_is_good(tmp_path: Path, runbook: str) -> None:
    """One that waits for a word, that looks a Job's output up, with checks of its own, that only talks elsewhere."""
    found = await rehearsed(tmp_path, runbook, Scenario.HEALTHY)
    assert found.is_good, verdict(found)


@pytest.mark.parametrize("scenario", [Scenario.HEALTHY, Scenario.BOT_KILLED])
async def test_pipelines_run_and_end_well(tmp_path: Path, scenario: Scenario) -> None:
    """As on a server that nobody can reach here, and that does not die with the bot."""
    found = await rehearsed(tmp_path, PIPED, scenario, catalogue=WITH_CI)
    assert found.is_good, verdict(found)
    assert any("https://ci.example/acme/api/runs/1" in line.text for line in found.lines)


async def test_nobody_lets_go_on_what_slack_cannot_show(tmp_path: Path) -> None:
    """A word that is said while Slack is away would be lost, and the release would seem to hang."""
    found = await rehearsed(tmp_path, HELD, Scenario.SLACK_DOWN)
    assert found.is_good, verdict(found)


async def test_votes_come_where_only_the_environment_before_asks_for_them(tmp_path: Path) -> None:
    """What is prepared there needs them as well."""
    asks = 'environments: {staging: {approval: {from: "@release-approvers"}}, prod: {gates: [soak], protected: false}}'
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=asks, environment="prod")
    assert found.is_good, verdict(found)


async def test_people_let_a_held_canary_go_on(tmp_path: Path) -> None:
    """In the words that the documentation names, by those whose votes count."""
    found = await rehearsed(tmp_path, HELD, Scenario.HEALTHY)
    assert next((line.who, line.text) for line in found.lines if line.text.startswith("/promote")) == (
        "ann",
        "/promote api-prod-1",
    )


async def test_checks_of_its_own_find_errors(tmp_path: Path) -> None:
    """That an answer is not what the real service would say is no reason to miss that it is an error."""
    found = await rehearsed(tmp_path, CHECKING, Scenario.ERROR_SPIKE)
    assert (found.seen, found.is_good) == (Ending.RESTORED, True), verdict(found)


@pytest.mark.parametrize("catalogue", [ELSEWHERE, FROZEN, POSTING])
@pytest.mark.parametrize("scenario", [Scenario.HEALTHY, Scenario.DRIFT])
async def test_a_catalogue_does_not_make_a_good_runbook_bad(tmp_path: Path, catalogue: str, scenario: Scenario) -> None:
    """A StatefulSet with a named container, an image of Docker Hub, a channel by its id, a name that two services share
    in two namespaces; or a freeze at the very time of the rehearsal; or smoke checks that post."""
    found = await rehearsed(tmp_path, PLAIN, scenario, catalogue=catalogue)
    assert found.is_good, verdict(found)


async def test_what_a_service_is_not_judged_by_is_not_seen(tmp_path: Path) -> None:
    """Its latency tells nothing, so a slow version passes; a rehearsal must not promise otherwise."""
    blind = "services: {api: {signals: {metrics: {latency: null}}}}"
    found = await rehearsed(tmp_path, "canary", Scenario.SLOW, catalogue=blind)
    assert (found.seen, found.is_good) == (Ending.SUCCEEDED, True), verdict(found)


async def test_a_version_soaks_its_whole_way(tmp_path: Path) -> None:
    """Through staging and qa to prod, and twelve vote."""
    found = await rehearsed(tmp_path, "deploy", Scenario.HEALTHY, catalogue=SOAKED)
    assert found.is_good, verdict(found)
    typed = [line.text for line in found.lines if line.text.startswith(("/deploy", "/promote"))]
    assert typed == ["/deploy api v2 staging", "/deploy api v2 qa", "/promote api qa prod --runbook deploy"]


async def test_a_rollback_passes_no_soak_and_what_came_before_it_does(tmp_path: Path) -> None:
    """The release that is to be taken back must have come through staging and qa."""
    found = await rehearsed(tmp_path, "rollback", Scenario.HEALTHY, catalogue=SOAKED)
    assert found.is_good, verdict(found)


async def test_only_what_the_release_itself_would_pass_is_left_out(tmp_path: Path) -> None:
    """Not the gates of other environments."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=SOAKED, environment="qa")
    assert found.left_out == ()


async def test_what_cannot_be_prepared_is_told_as_a_rehearsal(tmp_path: Path) -> None:
    """Nothing of the others is lost."""
    unreachable = "environments: {staging: {gates: [{soak: {in: prod}}]}, prod: {gates: [soak]}}"
    found = await rehearsed(tmp_path, "deploy", Scenario.HEALTHY, catalogue=unreachable)
    assert (found.seen, found.is_good) == (Ending.UNPREPARED, False)
    assert "`/deploy api v2 staging`, which this rehearsal needs, did not succeed" in verdict(found)


async def test_a_verdict_says_why_it_was_refused(tmp_path: Path) -> None:
    """Whoever sees verdicts alone need not look for it."""
    first = "environments: {staging: {gates: [soak]}}"
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=first, environment="staging")
    assert found.seen == Ending.REFUSED
    assert "why: " in verdict(found)


async def test_what_was_not_even_begun_proves_nothing(tmp_path: Path) -> None:
    """A crash loop must be refused by the soak, and not because the command makes no sense."""
    nonsense = "environments: {prod: {gates: [{soak: {in: prod}}]}}"
    found = await rehearsed(tmp_path, PLAIN, Scenario.CRASHLOOP, catalogue=nonsense)
    assert (found.seen, found.is_good) == (Ending.REFUSED, False)
    assert "nothing was begun: " in verdict(found)
