"""The evidence of a release: an in-toto statement of what ran and why it was let through, with its part of the journal.

Whoever has it can check its hashes without Sluice. That the journal behind them is the one there is says `compare`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ValidationError

from bot.audit import whole
from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.journal import ChainedEntry
from bot.domain.json import Json, JsonObject, plain
from bot.domain.run import Run, StepRun
from bot.ports.store import Store

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://sluice.dev/release/v1"
HASHED = "SHA-256 of the JSON array [number, entry, previous], keys sorted, without spaces, in UTF-8"
SEALED = "SHA-256 of the plan as JSON, keys sorted, without spaces, in UTF-8"


class Head(BaseModel):
    """The last entry that the journal had."""

    number: int
    hash: str


class Excerpt(BaseModel):
    """What of the journal is about the release."""

    entries: list[Json]
    head: Head


class Predicate(BaseModel, extra="allow"):
    """What is said of the release."""

    run: str
    endedAt: str | None
    journal: Excerpt


class Statement(BaseModel):
    """What somebody has as evidence."""

    subject: Json
    predicateType: Literal["https://sluice.dev/release/v1"]
    predicate: Predicate


async def evidence(store: Store, named: RunId, at: datetime) -> JsonObject:
    """The statement. Raises UsageError when there is no such run or nothing was planned for it, and BrokenJournalError
    when the journal proves nothing any more."""
    async with store.reading() as tx:
        run = await tx.run(named)
        if run is None:
            raise UsageError(f"There is no run `{named}`.", hint="`sluice release history <service>` lists what ran.")
        if run.plan is None:
            raise UsageError(
                f"Nothing was planned for `{named}`, so there is no image to give evidence of.",
                hint=f"`sluice release why {named}` tells how it stands.",
            )
        entries = await whole(tx)
    return _statement(run, entries, at)


async def compare(store: Store, written: str) -> str:
    """That a statement says what the journal says, as a sentence.

    Raises UsageError when it is no statement of a release, or says something else; BrokenJournalError.
    """
    try:
        shown = Statement.model_validate_json(written)
    except ValidationError as exc:
        raise UsageError(
            f"This is no evidence of a release: {exc.errors()[0]['msg']}.",
            hint="`sluice audit export <run>` writes some.",
        ) from exc
    said, head = shown.predicate, shown.predicate.journal.head
    async with store.reading() as tx:
        run, entries = await tx.run(RunId(said.run)), await whole(tx)
    then = [entry for entry in entries if entry.number <= head.number]
    if run is None or not then or (then[-1].number, then[-1].hash) != (head.number, head.hash):
        raise UsageError(
            f"This is the evidence of another journal: here entry {head.number} has another hash, or is none."
        )
    if plain(_own(said.run, then)) != said.journal.entries:
        raise _changed(said.run, "`journal`")
    if said.endedAt:  # what had not ended has gone on since
        _require_same(shown, Statement.model_validate(_statement(run, then, run.created_at)))
    many = len(said.journal.entries)
    return f"The evidence of {said.run} is as it was written: {many} entries, up to entry {head.number} of the journal."


def _require_same(shown: Statement, fresh: Statement) -> None:
    """All else that was said is what would be said today. Raises UsageError."""
    if shown.subject != fresh.subject:
        raise _changed(shown.predicate.run, "`subject`")
    theirs, ours = shown.predicate.model_dump(), fresh.predicate.model_dump()
    for key in sorted({*theirs, *ours} - {"exportedAt", "journal"}):
        if theirs.get(key) != ours.get(key):
            raise _changed(shown.predicate.run, f"`{key}`")


def _changed(run: str, what: str) -> UsageError:
    return UsageError(f"The evidence of {run} was changed: its {what} is not what the database has.")


def _statement(run: Run, entries: Sequence[ChainedEntry], at: datetime) -> JsonObject:
    plan = run.sealed_plan()
    algorithm, _, digest = plan.artifact.digest.partition(":")
    return {
        "_type": STATEMENT,
        "subject": [{"name": plan.artifact.image.partition("@")[0], "digest": {algorithm: digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "exportedAt": plain(at),
            "run": run.id,
            "request": plain(run.request),
            "requestedAt": plain(run.created_at),
            "startedAt": plain(run.started_at),
            "endedAt": plain(run.ended_at),
            "phase": run.phase.value,
            "reason": run.reason,
            "plan": plain(plan),
            "planDigest": {"sha256": plan.sha256, "of": SEALED},
            "approval": plain(run.approval),
            "steps": {key: _step(step) for key, step in run.steps.items()},
            "journal": _excerpt(run, entries),
        },
    }


def _step(step: StepRun) -> Json:
    told = {"phase": step.phase, "startedAt": step.started_at, "endedAt": step.ended_at, "why": step.why}
    return plain(told | {"detail": step.detail, "outputs": step.outputs, "link": step.link})


def _excerpt(run: Run, entries: Sequence[ChainedEntry]) -> JsonObject:
    head: JsonObject = {"number": entries[-1].number, "hash": entries[-1].hash}
    return {"entries": plain(_own(run.id, entries)), "head": head, "hashOf": HASHED}


def _own(run: str, entries: Sequence[ChainedEntry]) -> list[ChainedEntry]:
    return [entry for entry in entries if entry.entry.subject == run]
