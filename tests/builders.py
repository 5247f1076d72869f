"""Domain values that are valid as they are; a test overrides what it is about by keyword."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.approval import ApprovalPolicy
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.image import Digest
from bot.domain.picture import Band, EvidenceLook, Look, Picture, Readings, picture_of
from bot.domain.plan import Artifact, Plan, PlannedStep, Previous, Request, RunbookPin, Verb
from bot.domain.run import Run
from bot.domain.target import Target, WorkloadKind, WorkloadRef

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DIGEST = Digest("sha256:" + "8c" * 32)
OLD_DIGEST = Digest("sha256:" + "1a" * 32)
REPOSITORY = "registry.example/acme/api"
POLICY = ApprovalPolicy("@release-approvers", count=2)


def a_step(kind: str, *, section: str = "steps", changes: bool = False, **overrides: Any) -> PlannedStep:
    """A planned step named after its kind."""
    step = PlannedStep(StepKey(f"{section}.{kind}"), kind, {}, timedelta(minutes=10), changes=changes)
    return replace(step, **overrides)


def a_request(**overrides: Any) -> Request:
    """ann wants v2 in prod."""
    return replace(Request(Verb.DEPLOY, Target("api", "prod"), "v2", UserId("U0ANN")), **overrides)


def a_picture(title: str = "api v2 in prod: rolled back", looks: int = 12) -> Picture:
    """A canary whose errors grow from the sixth look on, with a look every 15 s."""
    seen = tuple(Look(15.0 * n, 0.1 + max(0, n - 5), 0.11) for n in range(looks))
    evidence = [EvidenceLook(15.0 * n, 3.0 ** min(max(0, n - 5), 500), 1.05 ** min(n, 500)) for n in range(looks)]
    readings = [Readings("errors", "%", seen, Band(1.1, 2.0, 0.01, 0.5))]
    return picture_of(title, readings, evidence, rolls_back_at=100, promotes_at=20)


def a_plan(**overrides: Any) -> Plan:
    """The library's deploy runbook for that request."""
    plan = Plan(
        verb=Verb.DEPLOY,
        target=Target("api", "prod"),
        workload=WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "api"),
        protected=True,
        artifact=Artifact(f"{REPOSITORY}:v2@{DIGEST}", DIGEST, "v2"),
        previous=Previous(f"{REPOSITORY}:v1@{OLD_DIGEST}", "v1", NOW - timedelta(days=2), healthy=True),
        live_template="t" * 64,
        live_mark="",
        runbook=RunbookPin("deploy", "r" * 64),
        gates=(a_step("image", section="gates"),),
        steps=(a_step("approval"), a_step("set_image", changes=True), a_step("rollout"), a_step("smoke")),
        on_failure=(a_step("restore", section="on_failure", changes=True), a_step("smoke", section="on_failure")),
        approval=POLICY,
        requester=UserId("U0ANN"),
        channel="#deploys",
    )
    return replace(plan, **overrides)


def a_run(**overrides: Any) -> Run:
    """A run that was just asked for."""
    return replace(Run(RunId("api-prod-1"), a_request(), NOW), **overrides)


def a_planned_run(**overrides: Any) -> Run:
    """A run whose gates come next."""
    run, _ = a_run().turn_came(at=NOW)
    run, _ = run.planned(a_plan(), at=NOW)
    return replace(run, **overrides)


def a_running_run(**overrides: Any) -> Run:
    """A run whose first step comes next."""
    return replace(a_planned_run().gates_passed(), **overrides)
