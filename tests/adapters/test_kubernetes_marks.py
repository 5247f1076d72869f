"""The fence and the owner, as annotations and labels tell them."""

import json

import pytest

from bot.adapters import kubernetes_marks as marks
from bot.adapters.kubernetes_objects import Metadata, read
from bot.domain.errors import FencedError, RefusedError, UnreadableError
from bot.domain.ids import RunId, StepKey
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.cluster import Fence, ImageChange

REF = WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "api")


def fence(run: str = "api-prod-42", token: int = 5) -> Fence:
    """A right to write, planned on the mark of run 41."""
    return Fence(RunId(run), StepKey("steps.set_image"), token, after="api-prod-41")


@pytest.mark.parametrize(
    ("run", "token"),
    [("", ""), ("api-prod-41", "9"), ("api-prod-42", "5"), ("api-prod-42", "4"), ("web-prod-99", "9"), ("odd", "9")],
)
def test_a_mark_that_was_planned_on_or_is_foreign_lets_pass(run: str, token: str) -> None:
    """Nothing, the run planned on, the same owner, a former owner, another target, something that is no run."""
    marks.admit(REF, {marks.RUN_MARK: run, marks.FENCE: token}, fence())


@pytest.mark.parametrize(("run", "token"), [("api-prod-43", "1"), ("api-prod-40", "1"), ("api-prod-42", "6")])
def test_a_newer_mark_stops(run: str, token: str) -> None:
    """A run that came in between, whatever its number, or the same run with a higher token."""
    with pytest.raises(FencedError, match=run):
        marks.admit(REF, {marks.RUN_MARK: run, marks.FENCE: token}, fence())


@pytest.mark.parametrize("token", ["", "six", "-1"])
def test_a_mark_that_was_edited_is_not_guessed_at(token: str) -> None:
    """Unknown means stop; the text holds the command that helps."""
    with pytest.raises(UnreadableError, match=r"kubectl annotate -n prod deployment api sluice\.dev/fence-"):
        marks.admit(REF, {marks.RUN_MARK: "api-prod-42", marks.FENCE: token}, fence())


def test_a_change_writes_exactly_five_annotations() -> None:
    """The mark, the cause, and at most ten images."""
    images = tuple(f"api:v{number}" for number in range(12))
    written = marks.change(ImageChange("api:v13", "because", images), fence())
    assert json.loads(written.pop("sluice.dev/history")) == list(images[:10])
    assert written == {
        "sluice.dev/run": "api-prod-42",
        "sluice.dev/step": "steps.set_image",
        "sluice.dev/fence": "5",
        "kubernetes.io/change-cause": "because",
    }


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({}, ""),
        ({"labels": {"app.kubernetes.io/instance": "api"}}, ""),
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "acme:apps/Deployment:prod/api"}},
            "Argo CD (application acme)",
        ),
        ({"labels": {"argocd.argoproj.io/instance": "acme"}}, "Argo CD (application acme)"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (kustomization apps)"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "api"}}, "Flux (Helm release api)"),
        ({"ownerReferences": [{"kind": "Rollout", "name": "api", "uid": "1", "controller": True}]}, "Rollout api"),
        ({"ownerReferences": [{"kind": "Application", "name": "api", "uid": "1"}]}, ""),
        ({"labels": {"argocd.argoproj.io/instance": "a"}, "annotations": {"sluice.dev/allow": "true"}}, ""),
        (
            {"labels": {"argocd.argoproj.io/instance": "a"}, "annotations": {"sluice.dev/allow": "no"}},
            "Argo CD (application a)",
        ),
    ],
)
def test_the_controller_in_charge_is_recognised(metadata: dict[str, object], owner: str) -> None:
    """By its own marks only: Helm's `app.kubernetes.io/instance` says nothing about who reconciles."""
    assert marks.owner(read(Metadata, metadata)) == owner


def test_an_owned_workload_is_refused_with_both_ways_out() -> None:
    """Change it in Git, or let Sluice act."""
    with pytest.raises(RefusedError, match=r"managed by Flux.*in Git.*kubectl annotate -n prod deployment api sluice"):
        marks.refuse_owned(REF, "Flux (kustomization apps)")


def test_an_unowned_workload_passes() -> None:
    """Nobody to fight with."""
    marks.refuse_owned(REF, "")
