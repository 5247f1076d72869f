"""Gates that ask servers, rehearsed: good evidence passes whatever servers a catalogue names, bad evidence does not."""

from pathlib import Path

import pytest

from bot.sandbox.scenarios import Ending, Scenario
from bot.sandbox.transcript import Rehearsed, verdict
from tests.sandbox.rehearsing import rehearsed

PLAIN = """
steps: [approval, set_image, rollout, smoke]
on_failure: [restore, smoke]
"""
GITHUB = """
environments: {prod: {gates: [ci, vulnerabilities, signature]}}
services: {api: {repository: github.com/acme/api, ci: [build, "test *", "e2e [3.11]"]}}
ci: {main: {github: {token_file: /nowhere}}}
signatures: {key_file: /nowhere/cosign.pub}
"""
GITLAB = """
environments: {prod: {gates: [{ci: [pipeline]}, {vulnerabilities: {signed: true, max_age: 5m}}, signature]}}
services: {api: {repository: gitlab.example/acme/teams/api}}
ci: {lab: {gitlab: {url: "https://gitlab.example", token_file: /nowhere}}}
vulnerabilities: {exceptions: [{id: CVE-2026-9001, reason: not reached, author: ann, until: 2030-01-01}]}
signatures:
  issuer: https://gitlab.example
  subject: "https://gitlab.example/acme/**@refs/heads/main"
  trusted_root_file: /nowhere/root.json
  provenance: {required: true, builder: "https://gitlab.example/**"}
"""
JENKINS = """
environments: {prod: {gates: [ci, {vulnerabilities: {source: cluster}}, signature]}}
services: {api: {ci: {server: old, project: backend/api builds}}}
ci: {old: {jenkins: {url: "https://ci.example.com", username: sluice, token_file: /nowhere}}}
signatures: {key_file: /nowhere/cosign.pub}
"""
CATALOGUES = {"github": GITHUB, "gitlab": GITLAB, "jenkins": JENKINS}
WORKING_TOGETHER = """
services:
  api:
    repository: github.com/acme/api
    needs: {{stock: "{stock}"}}
    slo: {{availability: 99.9%}}
    openapi: {openapi}
  stock: {{image: registry.example/acme/stock, workload: deployment/stock, channel: "#deploys"}}
environments: {{prod: {{gates: [order, compatibility, {{budget: {budget}}}]}}}}
ci: {{main: {{github: {{token_file: /nowhere}}}}}}
"""


def together(stock: str = ">=1.4,<2", openapi: str = "{attached: true}", budget: str = "{least: 10%}") -> str:
    """A service that needs another one, promises something and has a document of its API."""
    return WORKING_TOGETHER.format(stock=stock, openapi=openapi, budget=budget)


def said(found: Rehearsed) -> str:
    """Everything that was said."""
    return "\n".join(line.text for line in found.lines)


@pytest.mark.parametrize("name", CATALOGUES)
async def test_good_evidence_passes(tmp_path: Path, name: str) -> None:
    """Of whatever server, by whomever it is signed, wherever the scan is looked for: and nothing is left out."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=CATALOGUES[name])
    assert (found.left_out, found.is_good) == ((), True), verdict(found)
    assert all(part in said(found) for part in ("✓ ci ", "✓ vulnerabilities no HIGH", "✓ signature signed"))


REFUSED = {
    Scenario.CI_RED: "✗ ci failed: ",
    Scenario.VULNERABLE: "✗ vulnerabilities failed: 1 CRITICAL",
    Scenario.UNSIGNED: "✗ signature failed: the image is not signed by ",
}


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("github", Scenario.VULNERABLE),
        ("github", Scenario.UNSIGNED),
        ("gitlab", Scenario.CI_RED),
        ("gitlab", Scenario.VULNERABLE),
        ("jenkins", Scenario.CI_RED),
        ("jenkins", Scenario.VULNERABLE),
    ],
)
async def test_bad_evidence_is_refused_by_its_gate_alone(tmp_path: Path, name: str, scenario: Scenario) -> None:
    """Though the catalogue asks for it and not the runbook; all else that speaks for the version stays good."""
    found = await rehearsed(tmp_path, PLAIN, scenario, catalogue=CATALOGUES[name])
    assert (found.seen, found.is_good) == (Ending.REFUSED, True), verdict(found)
    assert REFUSED[scenario] in said(found)
    assert "1 of 6 gates did not pass" in said(found)


async def test_checks_have_the_names_that_the_catalogue_asks_for(tmp_path: Path) -> None:
    """A pattern means some check of that sort; what looks like a pattern may be a name as it is written."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.CI_RED, catalogue=GITHUB)
    assert "✗ ci failed: 2/3: `e2e [3.11]` failure" in said(found)


async def test_people_read_the_names_of_their_own_catalogue(tmp_path: Path) -> None:
    """Who should have signed is who the catalogue names, though a key of the stand-ins signs in their place."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.UNSIGNED, catalogue=GITLAB)
    assert "not signed by https://gitlab.example/acme/**@refs/heads/main (by https://gitlab.example)" in said(found)
    assert "127.0.0.1" not in said(found)


@pytest.mark.parametrize(
    ("scenario", "about"),
    [(Scenario.CI_RED, "the CI"), (Scenario.VULNERABLE, "vulnerabilities"), (Scenario.UNSIGNED, "signatures")],
)
async def test_a_runbook_that_does_not_look_is_told_so(tmp_path: Path, scenario: Scenario, about: str) -> None:
    """The bad version is released, which is right by this catalogue and worth knowing."""
    found = await rehearsed(tmp_path, PLAIN, scenario)
    assert (found.seen, found.is_good) == (Ending.SUCCEEDED, True), verdict(found)
    assert found.why == f"nothing of this runbook or of its target looks at {about}"


async def test_an_environment_before_may_be_the_one_that_looks(tmp_path: Path) -> None:
    """What turned red since is let in, because nobody looks again."""
    before = GITHUB.replace(
        "{prod: {gates: [ci, vulnerabilities, signature]}}", "{staging: {gates: [ci]}, prod: {gates: [soak]}}"
    )
    found = await rehearsed(tmp_path, PLAIN, Scenario.CI_RED, catalogue=before)
    assert (found.seen, found.is_good) == (Ending.SUCCEEDED, True), verdict(found)
    assert found.why == "only an environment before looks at the CI"


async def test_a_refusal_for_another_reason_proves_nothing(tmp_path: Path) -> None:
    """Nobody says whose signature counts, so there is not even a plan: the red CI has not stopped it."""
    nobody = GITHUB.replace("signatures: {key_file: /nowhere/cosign.pub}", "")
    found = await rehearsed(tmp_path, PLAIN, Scenario.CI_RED, catalogue=nobody)
    assert (found.seen, found.is_good) == (Ending.REFUSED, False)
    assert "it was refused, and not by its gate ci: " in verdict(found)


@pytest.mark.parametrize(
    "openapi", ["{attached: true}", "{file: docs/openapi.yaml}", "{label: com.acme.openapi}"], ids=lambda one: one[1:6]
)
async def test_services_that_need_each_other_have_a_past(tmp_path: Path, openapi: str) -> None:
    """Versions by number, documents that break nothing, a budget that is not spent, commits on top of each other."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=together(openapi=openapi))
    assert (found.left_out, found.is_good) == ((), True), verdict(found)
    passed = ("✓ order 1 commit ahead of what runs", "✓ compatibility breaks nothing", "✓ pairing goes with stock v1")
    assert all(part in said(found) for part in (*passed, "✓ budget 80 % of the budget left"))


async def test_a_gate_that_would_refuse_refuses(tmp_path: Path) -> None:
    """A rehearsal gives no more than a good service has: whoever wants all of the budget left never releases."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=together(budget="{least: 99%}"))
    assert (found.seen, found.is_good) == (Ending.REFUSED, False)
    assert "✗ budget failed: 80 % of the budget left" in said(found)


@pytest.mark.parametrize(
    ("catalogue", "kind"),
    [
        (together(stock="proven"), "pairing"),
        (together(stock=">2,<1"), "pairing"),
        (together(budget="{history: 6h}"), "budget"),
        (GITHUB.replace("[ci,", '[{ci: {commit: "${artifact.ref}"}},'), "ci"),
    ],
    ids=["proven", "impossible", "history", "commit"],
)
async def test_what_has_no_answer_here_is_left_out_by_name(tmp_path: Path, catalogue: str, kind: str) -> None:
    """It would be refused for want of a past, which says nothing of the runbook."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=catalogue)
    assert (found.left_out, found.is_good) == ((kind,), True), verdict(found)


async def test_a_gate_that_is_left_out_promises_nothing(tmp_path: Path) -> None:
    """A red CI is let in by a rehearsal that could not ask, and its reason says so."""
    own = GITHUB.replace("[ci,", '[{ci: {commit: "${artifact.ref}"}},')
    found = await rehearsed(tmp_path, PLAIN, Scenario.CI_RED, catalogue=own)
    assert (found.seen, found.why) == (
        Ending.SUCCEEDED,
        "its gate ci is left out of the rehearsal, so this tells nothing of it",
    )


WEEKEND = """
environments: {prod: {freeze: [{cron: "0 16 * * FRI", for: 64h, reason: weekend, timezone: Europe/Berlin}]}}
"""


async def test_the_calendar_of_the_catalogue_holds_a_release_up(tmp_path: Path) -> None:
    """It is asked for on a Friday evening, and begins nothing; what is answered says when it may."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.FROZEN, catalogue=WEEKEND)
    assert (found.seen, found.is_good, found.left_out) == (Ending.REFUSED, True, ()), verdict(found)
    assert "prod is frozen until 2026-03-09 07:00 UTC: weekend. Ask again with `--at 2026-03-09T07:00Z`" in said(found)


async def test_without_a_calendar_somebody_freezes_it(tmp_path: Path) -> None:
    """The gate is part of every plan, so there is always something to see."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.FROZEN)
    assert (found.seen, found.is_good) == (Ending.REFUSED, True), verdict(found)
    assert "/release freeze prod 2h" in said(found)


async def test_the_calendar_is_left_out_where_it_is_not_the_scenario(tmp_path: Path) -> None:
    """Whether a rehearsal succeeds must not depend on the time of its day."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=WEEKEND)
    assert (found.left_out, found.is_good) == (("freeze windows",), True), verdict(found)


@pytest.mark.parametrize("catalogue", [WEEKEND, "{}"], ids=["calendar", "somebody"])
async def test_the_way_back_is_open_in_a_freeze(tmp_path: Path, catalogue: str) -> None:
    """What is to be taken back was released before the freeze began."""
    found = await rehearsed(tmp_path, "rollback", Scenario.FROZEN, catalogue=catalogue)
    assert (found.seen, found.is_good) == (Ending.SUCCEEDED, True), verdict(found)
    assert "frozen, but the way back is open" in said(found)


async def test_the_way_back_is_rehearsed_where_the_calendar_never_opens(tmp_path: Path) -> None:
    """What is to be taken back could not be released by that calendar: so somebody freezes afterwards."""
    closed = "environments: {prod: {freeze: [{cron: '0 0 * * *', for: 24h, reason: closed}]}}"
    found = await rehearsed(tmp_path, "rollback", Scenario.FROZEN, catalogue=closed)
    assert (found.seen, found.is_good, found.left_out) == (Ending.SUCCEEDED, True, ("freeze windows",)), verdict(found)


SHARED = """
environments: {prod: {gates: [signature]}}
signatures: {key_file: /nowhere/cosign.pub, provenance: {required: true, builder: "https://github.com/**"}}
services:
  worker:
    image: registry.example/acme/api
    workload: deployment/worker
    channel: "#deploys"
    signatures: {key_file: /nowhere/cosign.pub, provenance: {builder: "https://github.com/acme/*/ci.yml"}}
  api: {repository: github.com/acme/api}
"""
NUMBERED = """
services:
  admin: {image: registry.example/acme/api, workload: deployment/admin, channel: "#deploys"}
  web:
    image: registry.example/acme/web
    workload: deployment/web
    channel: "#deploys"
    needs: {api: ">=2,<3", admin: ">=1"}
"""


@pytest.mark.parametrize(
    ("catalogue", "service"), [(SHARED, "api"), (SHARED, "worker"), (NUMBERED, "api"), (NUMBERED, "admin")]
)
async def test_services_of_one_image_are_all_content_with_it(tmp_path: Path, catalogue: str, service: str) -> None:
    """It was built once, has one version, and each of them asks something else of it."""
    found = await rehearsed(tmp_path, PLAIN, Scenario.HEALTHY, catalogue=catalogue, service=service)
    assert found.is_good, verdict(found)


@pytest.mark.parametrize("image", ["registry.example/acme/api0", "registry.example/acme/api4"])
async def test_a_canary_is_good_whatever_its_image_is_called(tmp_path: Path, image: str) -> None:
    """Names decide how pods are called, and so would decide what chance does to a good version."""
    held = "steps: [approval, {canary: {weight: 20%, judge: {for: 10m}}}, promote]\non_failure: [restore]\n"
    found = await rehearsed(tmp_path, held, Scenario.HEALTHY, catalogue=f"services: {{api: {{image: {image}}}}}")
    assert found.is_good, verdict(found)
