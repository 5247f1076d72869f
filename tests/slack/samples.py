"""Runs in every state that a message can show, built by hand from the domain."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.approval import Approval, ApprovalPolicy, Ballot, IgnoredVote
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.image import Digest
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import Artifact, Plan, PlannedStep, Previous, Request, RunbookPin, Verb
from bot.domain.run import Run, StepRun
from bot.domain.target import Target, WorkloadKind, WorkloadRef

NOW = datetime(2025, 6, 11, 14, 0, tzinfo=UTC)
ANN, BOB, CID = UserId("U0ANN"), UserId("U0BOB"), UserId("U0CID")
API_PROD = Target("api", "prod")
DIGEST = Digest("sha256:" + "8c1d" * 16)
OLD_DIGEST = Digest("sha256:" + "77ab" * 16)
POLICY = ApprovalPolicy("@release-approvers", count=2, within=timedelta(minutes=30))

GATES = ("ci", "image")
STEPS = ("approval", "set_image", "rollout", "smoke")


def a_request(**changes: object) -> Request:
    """Ann asks in #deploys to deploy `9f2c1e7` to prod."""
    base = Request(Verb.DEPLOY, API_PROD, "9f2c1e7", ANN, channel="C0DEPLOYS")
    return replace(base, **changes)  # type: ignore[arg-type]  # the tests' own keyword arguments


def a_step(key: str, *, kind: str | None = None) -> PlannedStep:
    """A planned step whose kind is the last word of its key."""
    return PlannedStep(StepKey(key), kind or key.rpartition(".")[2], {}, timedelta(minutes=5))


def a_plan(**changes: object) -> Plan:
    """Release `9f2c1e7` over `77ab012`, which has run healthy for two days."""
    base = Plan(
        verb=Verb.DEPLOY,
        target=API_PROD,
        workload=WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "api"),
        protected=True,
        artifact=Artifact(f"ghcr.io/acme/api@{DIGEST}", DIGEST, "9f2c1e7"),
        previous=Previous(
            f"ghcr.io/acme/api:77ab012@{OLD_DIGEST}", "77ab012", NOW - timedelta(days=2, hours=3), healthy=True
        ),
        live_template="0" * 64,
        live_mark="api-prod-41",
        runbook=RunbookPin("deploy", "1" * 64),
        gates=tuple(a_step(f"gates.{name}") for name in GATES),
        steps=tuple(a_step(f"steps.{name}") for name in STEPS),
        on_failure=(a_step("on_failure.restore"), a_step("on_failure.smoke")),
        approval=POLICY,
        requester=ANN,
        channel="#deploys",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the tests' own keyword arguments


def a_run(**changes: object) -> Run:
    """A run that is past its gates and stands at its first step."""
    base = Run(
        RunId("api-prod-42"),
        a_request(),
        NOW,
        phase=Phase.RUNNING,
        plan=a_plan(),
        edition=1,
        steps={StepKey("gates.ci"): done("14/14"), StepKey("gates.image"): done("sha256:8c1d8c1d8c1d")},
        started_at=NOW,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the tests' own keyword arguments


def done(said: str = "") -> StepRun:
    """A step that succeeded."""
    return StepRun(StepPhase.SUCCEEDED, NOW, NOW, why=said)


def at_step(name: str, seen: StepRun, *, run: Run | None = None) -> Run:
    """The run with every step before `name` done."""
    run = run or a_run(approval=approved(), ballot=voted(), changed=True)
    earlier = STEPS[: STEPS.index(name)]
    steps = {StepKey(f"steps.{step}"): done() for step in earlier} | {StepKey(f"steps.{name}"): seen}
    return replace(run, steps={**run.steps, **steps})


def running(why: str = "", *, blocked: bool = False) -> StepRun:
    """A step that is under way."""
    return StepRun(StepPhase.RUNNING, NOW, why=why, blocked_since=NOW if blocked else None)


def failed(why: str) -> StepRun:
    """A step that ended badly."""
    return StepRun(StepPhase.FAILED, NOW, NOW, why=why)


def a_ballot(**changes: object) -> Ballot:
    """The first ballot, open."""
    return replace(Ballot(1, a_plan().seal, NOW), **changes)  # type: ignore[arg-type]  # the tests' own keywords


def voting() -> Run:
    """A run whose ballot is open, with one vote that counts and one that does not."""
    ballot = a_ballot(approved_by=(BOB,), ignored=(IgnoredVote(ANN, "asked for this release"),))
    return at_step("approval", running(), run=a_run(ballot=ballot))


def voted() -> Ballot:
    """The ballot after its decision."""
    return a_ballot(approved_by=(BOB, CID), closed="approved by <@U0BOB>, <@U0CID>", decided=True)


def approved() -> Approval:
    """Bob and Cid said yes, four minutes later."""
    at = NOW + timedelta(minutes=4)
    return Approval((BOB, CID), at, at + timedelta(minutes=30), used=True)


def ended(phase: Phase, reason: str = "", **changes: object) -> Run:
    """A run in a final phase, twelve seconds after it began; one that succeeded or changed something set the image."""
    base = a_run()
    if phase is Phase.SUCCEEDED or changes.get("changed"):
        base = at_step("rollout", done(), run=base)
    return replace(base, phase=phase, reason=reason, ended_at=NOW + timedelta(seconds=12), **changes)  # type: ignore[arg-type]  # the tests' own keyword arguments


def readable(text: str) -> str:
    """A message as a test shows it: times as their fallback, and one fixed seal for whatever the domain hashes."""
    text = re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"[\1]", text)
    return re.sub(r"`[0-9a-f]{4}-[0-9a-f]{4}`", "`3f9a-c21e`", text)
