"""What Sluice writes on a workload, and what it respects there. Pure.

The annotations are the fence (run, step, lease token) and the way back (healthy images), so that neither depends on
the database alone.
"""

import json
from collections.abc import Mapping, Sequence

from bot.adapters.kubernetes_objects import Metadata
from bot.domain.errors import FencedError, OverwriteError, RefusedError, UnreadableError
from bot.domain.release import may_be
from bot.domain.target import WorkloadRef
from bot.ports.cluster import HISTORY_MARK, RUN_MARK, Fence, ImageChange

PREFIX = "sluice.dev/"
STEP = PREFIX + "step"
FENCE = PREFIX + "fence"
ALLOW = PREFIX + "allow"
WORKLOAD = PREFIX + "workload"
CHANGE_CAUSE = "kubernetes.io/change-cause"
HISTORY_LENGTH = 10


def marks(fence: Fence) -> dict[str, str]:
    """The annotations that say whose change this is."""
    return {RUN_MARK: fence.run_id, STEP: fence.step, FENCE: str(fence.token)}


def history(images: Sequence[str]) -> dict[str, str]:
    """The annotation that remembers healthy images, newest first."""
    return {HISTORY_MARK: json.dumps(list(images)[:HISTORY_LENGTH])}


def change(wanted: ImageChange, fence: Fence) -> dict[str, str]:
    """Every annotation of an image change."""
    return {**marks(fence), **history(wanted.history), CHANGE_CAUSE: wanted.change_cause}


def refuse_foreign(ref: WorkloadRef, running: str, wanted: ImageChange) -> None:
    """Raises OverwriteError when `running` is not what was to be replaced."""
    if wanted.over and not any(may_be(running, known) for known in wanted.over):
        raise OverwriteError(f"{ref} runs `{running}`, set by somebody else; it is left as it is")


def admit(ref: WorkloadRef, found: Mapping[str, str], fence: Fence) -> None:
    """Let a writer pass that finds the mark it was planned on, or its own.

    Raises FencedError for the mark of another run of the same target, which came after the plan, or of the same run
    with a higher token; UnreadableError for a mark that somebody has edited. Numbers are not compared: they begin anew
    when the database is lost; tokens grow with time and so do not. Marks of other targets that share the workload do
    not fence.
    """
    marked = found.get(RUN_MARK, "")
    if _target(marked) != _target(fence.run_id):
        return
    if marked != fence.run_id:
        if marked == fence.after:
            return
        raise FencedError(f"{ref} was changed by {marked} after {fence.run_id} was planned")
    if _token(ref, found) > fence.token:
        raise FencedError(
            f"{ref} carries the mark of a newer owner of {marked} (token {found[FENCE]}, not {fence.token})"
        )


def _target(run_id: str) -> str:
    """`api-prod` of `api-prod-42`; empty for anything that is nobody's run."""
    target, _, number = run_id.rpartition("-")
    return target if number.isdecimal() else ""


def _token(ref: WorkloadRef, found: Mapping[str, str]) -> int:
    text = found.get(FENCE, "")
    if not text.isdecimal():
        raise UnreadableError(
            f"the annotation {FENCE} of {ref} is '{text}', not a number; somebody edited it. "
            f"Remove it with `kubectl annotate -n {ref.namespace} {ref.kind} {ref.name} {FENCE}-`"
        )
    return int(text)


def owner(metadata: Metadata) -> str:
    """The controller that would undo our change, for people; empty when there is none or it was told to let us."""
    labels, annotations = metadata.labels, metadata.annotations
    if annotations.get(ALLOW) == "true":
        return ""
    if tracking := annotations.get("argocd.argoproj.io/tracking-id"):
        return f"Argo CD (application {tracking.partition(':')[0]})"
    if application := labels.get("argocd.argoproj.io/instance"):
        return f"Argo CD (application {application})"
    if name := labels.get("kustomize.toolkit.fluxcd.io/name"):
        return f"Flux (kustomization {name})"
    if name := labels.get("helm.toolkit.fluxcd.io/name"):
        return f"Flux (Helm release {name})"
    if controller := metadata.controller:
        return f"{controller.kind} {controller.name}"
    return ""


def refuse_owned(ref: WorkloadRef, owned_by: str) -> None:
    """Raises RefusedError, with the ways out, when a controller owns the workload."""
    if owned_by:
        raise RefusedError(
            f"{ref} is managed by {owned_by}, which would undo the change. Change the image where {owned_by} reads it "
            f"(in Git), or let Sluice act: `kubectl annotate -n {ref.namespace} {ref.kind} {ref.name} {ALLOW}=true`"
        )
