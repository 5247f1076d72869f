"""`signatures` and `vulnerabilities` in the catalogue, and what of them a plan seals."""

from datetime import date
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.domain.errors import UsageError
from bot.domain.plan import PlannedStep
from runbooks.configuration import load
from runbooks.planner import make_plan
from runbooks.source import Faults
from runbooks.supply_chain import SupplyChain
from tests.builders import a_request
from tests.runbooks.catalogues import CATALOGUE, a_catalogue, written
from tests.runbooks.runbook_files import a_runbook
from tests.runbooks.test_planner import the_facts

TOP = """\
signatures: {key_file: /etc/sluice/cosign.pub, provenance: {required: true, builder: "https://ci.test/*"}}
vulnerabilities:
  exceptions:
  - {id: CVE-2026-1, reason: not reachable, author: "@ann", until: 2026-12-31}
"""
OWN = """\
    signatures: {issuer: https://i.test, subject: ci@acme.test, trusted_root_file: /etc/sluice/root.json}
    vulnerabilities: {exceptions: [{id: CVE-2026-2, reason: a test only, author: "@bob", until: 2026-06-30}]}
"""
WITH_BOTH = TOP + CATALOGUE.replace("    runbooks: {prod: hotfix}\n", f"    runbooks: {{prod: hotfix}}\n{OWN}")
GATED = "name: gated\nabout: Gated.\ngates: [{gates}]\nsteps:\n  - set_image\n"


def said_of(text: str, folder: Path) -> str:
    """All faults of a file, without the folder it stands in."""
    with pytest.raises(Faults) as caught:
        load(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def planned(gates: str, supply_chain: SupplyChain) -> PlannedStep:
    """The gate of a plan."""
    runbook = a_runbook(GATED.replace("{gates}", gates))
    return make_plan(a_request(), runbook, the_facts(protected=False, supply_chain=supply_chain)).gates[0]


def test_a_services_own_signatures_win() -> None:
    """Its exceptions are added to those of all."""
    catalogue = a_catalogue(WITH_BOTH)
    api, web = catalogue.supply_chain("api"), catalogue.supply_chain("web")
    assert api.signatures
    assert web.signatures
    assert str(api.signatures.signer) == "ci@acme.test (by https://i.test)"
    assert str(web.signatures.signer) == "the key in /etc/sluice/cosign.pub"
    assert [each.id for each in api.exceptions] == ["CVE-2026-2", "CVE-2026-1"]
    assert web.exceptions[0].until == date(2026, 12, 31)


def test_a_plan_seals_whose_signature_and_which_source() -> None:
    """The service's repository is the source of its builds where nothing else is said; a runbook cannot loosen it."""
    catalogue = a_catalogue(TOP + CATALOGUE)
    gate = planned("{signature: {signatures: {key_file: /tmp/mine.pub}}}", catalogue.supply_chain("api"))
    assert gate.params == snapshot(
        {
            "signatures": {
                "key_file": "/etc/sluice/cosign.pub",
                "issuer": None,
                "subject": None,
                "trusted_root_file": None,
                "provenance": {"required": True, "builder": "https://ci.test/*", "source": "github.com/acme/api"},
            }
        }
    )


def test_a_plan_seals_the_exceptions_of_its_time() -> None:
    """A runbook cannot add its own."""
    mine = "{id: CVE-1, reason: x, author: me, until: 2030-01-01}"
    gate = planned(
        f"{{vulnerabilities: {{threshold: CRITICAL, exceptions: [{mine}]}}}}",
        a_catalogue(TOP + CATALOGUE).supply_chain("api"),
    )
    assert gate.params == snapshot(
        {
            "threshold": "CRITICAL",
            "fixable_only": False,
            "unknown_counts": True,
            "max_age": "7d",
            "source": "image",
            "signed": False,
            "exceptions": [{"id": "CVE-2026-1", "reason": "not reachable", "author": "@ann", "until": "2026-12-31"}],
            "signatures": None,
        }
    )


@pytest.mark.parametrize("gates", ["signature", "{vulnerabilities: {signed: true}}"])
def test_nothing_is_planned_where_nobody_says_whose_signature(gates: str) -> None:
    """With the line to write."""
    with pytest.raises(UsageError) as caught:
        planned(gates, a_catalogue().supply_chain("api"))
    assert "cannot tell whose signature api must have" in str(caught.value)
    assert "Write 'signatures: {key_file: /etc/sluice/cosign.pub}'" in str(caught.value)


def test_a_runbook_alone_gives_no_signed_report_a_signer() -> None:
    """Without the catalogue's word there is none, whatever stands in the runbook."""
    gate = planned("{vulnerabilities: {threshold: LOW}}", SupplyChain("api"))
    assert (gate.params["signatures"], gate.params["exceptions"]) == (None, [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("signatures: {}", "sluice.yaml:1:13: signatures: name either 'key_file', or 'issuer' and 'subject'"),
        (
            "signatures: {key_file: a, issuer: b, subject: c}",
            "sluice.yaml:1:13: signatures: name either 'key_file', or 'issuer' and 'subject'",
        ),
        (
            "signatures: {subject: ci}",
            "sluice.yaml:1:13: signatures: 'issuer' and 'subject' belong together: everybody could have the same "
            "subject elsewhere",
        ),
        (
            'signatures: {issuer: i, subject: "**"}',
            "sluice.yaml:1:13: signatures: the subject '**' is everybody; write whose signature it must be",
        ),
        (
            "signatures: {key_file: a, trusted_root_file: b}",
            "sluice.yaml:1:13: signatures: 'trusted_root_file' is for identities; a key needs nobody to vouch for it",
        ),
        (
            "signatures: {keyfile: a}",
            "sluice.yaml:1:14: signatures has no key 'keyfile'; did you mean 'key_file'?",
        ),
        (
            "vulnerabilities: {exceptions: [{id: C, reason: r, author: a}]}",
            "sluice.yaml:1:32: vulnerabilities.exceptions[0] lacks the key 'until'",
        ),
        (
            "vulnerabilities: {exceptions: [{id: C, reason: r, author: a, until: soon}]}",
            "vulnerabilities.exceptions[0].until: 'soon' is not a day; write it like 2026-12-31",
        ),
        (
            "vulnerabilities: {exceptions: [{id: C, reason: r, author: a, until: 2026}]}",
            "vulnerabilities.exceptions[0].until: '2026' is not a day; write it like 2026-12-31",
        ),
        (
            "vulnerabilities: {exeptions: []}",
            "sluice.yaml:1:19: vulnerabilities has no key 'exeptions'; did you mean 'exceptions'?",
        ),
    ],
)
def test_slips_are_named_with_their_place(line: str, said: str, tmp_path: Path) -> None:
    """And with what would have been right."""
    assert said in said_of(f"{line}\n{CATALOGUE}", tmp_path)
