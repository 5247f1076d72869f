"""What a target ran, from when to when, whether it was healthy, and which of it is the way back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import UsageError
from bot.domain.ids import RunId, UserId
from bot.domain.image import Digest, ImageRef
from bot.domain.phase import StepPhase
from bot.domain.plan import Previous
from bot.domain.run import Run
from bot.domain.target import Target

DIGEST_PART = re.compile(r"(?:sha256:)?([0-9a-f]{7,64})")


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """One stretch of time in which a target ran one artifact. `until` is `None` while it runs.

    `healthy` is what the run that brought it proved (smoke tests and watch passed); a restored release is healthy
    again.
    """

    target: Target
    image: str
    ref: str
    run_id: RunId
    by: UserId
    since: datetime
    until: datetime | None = None
    healthy: bool = True
    reason: str = ""


def digest_of(image: str) -> Digest | None:
    """The digest in an image reference; `None` where it is known by a tag alone, or cannot be read."""
    try:
        return ImageRef.parse(image).digest
    except UsageError:
        return None


def same_image(one: str, other: str) -> bool:
    """Whether two references are the same image: by digest where both have one, else by their text."""
    first, second = digest_of(one), digest_of(other)
    return first == second if first and second else one == other


def may_be(running: str, known: str) -> bool:
    """Whether a reference on a workload may be a known image: the same, or its tag, to which a digest was found."""
    return same_image(running, known) or (digest_of(running) is None and known.partition("@")[0] == running)


def identity(image: str) -> str:
    """The same text for the same image: its digest, else the reference as written."""
    return digest_of(image) or image


def means(ref: str, image: str, refs: Sequence[str]) -> bool:
    """Whether a typed `ref` names an image that was released as `refs`: by one of these, its tag, or its digest.

    A digest may be cut to 7 digits, with or without `sha256:`.
    """
    digest = digest_of(image)
    tag = ImageRef.parse(image).tag if digest else None
    part = DIGEST_PART.fullmatch(ref)
    by_digest = bool(part and digest and digest.removeprefix("sha256:").startswith(part[1]))
    return ref in refs or ref == tag or by_digest


def left_behind(records: Sequence[ReleaseRecord], *, running: str) -> list[str]:
    """The images below the one that runs, newest first; `records` are newest first.

    A return to an older image leaves everything that came after it: going back twice never goes forward.
    """
    below: list[str] = []
    for record in reversed(records):
        image = identity(record.image)
        below = [*below[: below.index(image)], image] if image in below else [*below, image]
    now = identity(running)
    if now in below:
        below = below[: below.index(now)]
    return below[::-1]


def last_known_good(records: Sequence[ReleaseRecord], *, running: str) -> ReleaseRecord | None:
    """The newest release below the one that runs whose newest record is healthy; `records` are newest first.

    One that is known by a tag alone is passed over: nobody can say what the tag means now.
    """
    newest = {identity(record.image): record for record in reversed(records)}
    below = (newest[image] for image in left_behind(records, running=running))
    return next((record for record in below if record.healthy and digest_of(record.image)), None)


def known_before(previous: Previous | None) -> str | None:
    """The image that a release may be rolled back to by name: the newest that is not known to be bad, by digest."""
    if previous is None:
        return None
    own = () if previous.healthy is False else (previous.image,)
    return next((image for image in (*own, *previous.history) if digest_of(image)), None)


BRINGING = ("set_image", "promote")
"""Kinds of steps that give the workload its artifact. A canary beside it does not."""


ARTIFACT_FOUND = "artifact_found"
"""In the memo of a restore: the workload ran the artifact before it was set back."""


def image_set_at(run: Run) -> datetime | None:
    """When the run first gave the workload its artifact; `None` when, as far as is known, it never did.

    A step that was refused, or that never got as far as a write, leaves nothing; one that wrote says so in its memo. If
    its pass died before it could say so and the run was aborted then, its restore has found it.
    """
    if run.plan is None:
        return None
    steps = [run.step(s.key) for s in run.plan.steps if s.kind in BRINGING]
    found = any(ARTIFACT_FOUND in run.step(s.key).memo for s in run.plan.on_failure)
    begun = [s.started_at for s in steps if s.started_at and (found or s.phase is StepPhase.SUCCEEDED or s.memo)]
    return min(begun, default=None)


def restored_at(run: Run) -> datetime | None:
    """When the run brought the version before back; `None` when no restore succeeded."""
    if run.plan is None or run.plan.previous is None:
        return None
    steps = [run.step(s.key) for s in (*run.plan.steps, *run.plan.on_failure) if s.kind == "restore"]
    return max((s.ended_at for s in steps if s.ended_at and s.phase is StepPhase.SUCCEEDED), default=None)
