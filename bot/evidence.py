"""The evidence of a release: an in-toto statement of what ran and why it was let through, with its part of the journal.

Whoever has it can check its hashes without Sluice. That the journal behind them is the one there is says `compare`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ValidationError

from bot.audit import whole
from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.journal import ChainedEntry
from bot.domain.json import Json, JsonObject, canonical, plain
from bot.domain.run import Run, StepRun
from bot.ports.store import Store

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://sluice.dev/release/v1"
HASHED = "SHA-256 of the JSON array [number, entry, previous], keys sorted, without spaces, in UTF-8"
SEALED = "SHA-256 of the plan as JSON, keys sorted, without spaces, in UTF-8"


MOVING = frozenset({"startedAt", "endedAt", "phase", "reason", "approval", "steps"})
"""Members that go on changing until a release has ended."""

PLANNED, ENDED = "run_planned", "run_ended"
"""How the journal calls it that a plan was sealed, and that a release ended."""


class Head(BaseModel, strict=True):
    """The last entry that the journal had."""

    number: int
    hash: str


class Excerpt(BaseModel):
    """What of the journal is about the release."""

    entries: list[Json]
    head: Head


class Predicate(BaseModel):
    """What is said of the release."""

    run: str
    plan: JsonObject
    journal: Excerpt


class Statement(BaseModel):
    """What somebody has as evidence: as much of it as must be there to look for the rest."""

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
    """That a statement says what the journal and the database say, as a sentence. When it was exported nobody can say.

    Raises UsageError when it is no statement of a release, or says something else; BrokenJournalError.
    """
    shown, statement = _read(written)
    named, head = statement.predicate.run, statement.predicate.journal.head
    async with store.reading() as tx:
        entries = await whole(tx)
        then = [entry for entry in entries if entry.number <= head.number]
        if not then or (then[-1].number, then[-1].hash) != (head.number, head.hash):
            raise UsageError(
                f"This is the evidence of another journal: here entry {head.number} has another hash, or is none."
            )
        own = _own(named, then)
        run = await tx.run(RunId(named)) if own else None
    if run is None or run.plan is None:
        raise _changed(named, "`run`")
    fresh = _statement(run, then, run.created_at)
    has_ended = any(entry.entry.action == ENDED for entry in own)
    if not has_ended:
        fresh = _as_it_stood(shown, statement, own, fresh)
    _require_same(named, shown, fresh, besides="predicate")
    _require_same(named, _inside(shown), _inside(fresh), besides="exportedAt")
    many = f"{len(own)} entries, up to entry {head.number} of the journal"
    if has_ended:
        return f"The evidence of {named} is as it was written: {many}."
    moving = ", ".join(f"`{each}`" for each in sorted(MOVING - {"endedAt"}))
    return (
        f"The evidence of {named} is as it was written: {many}. The release had not ended: of its {moving} at that "
        "moment these entries alone are proof."
    )


def _read(written: str) -> tuple[JsonObject, Statement]:
    """All of it, and what must be there. Raises UsageError."""
    hint = "`sluice audit export <run>` writes some."
    try:
        statement = Statement.model_validate_json(written)  # stricter than `json`: neither half pairs nor endless depth
        return json.loads(written, object_pairs_hook=_each_once), statement
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"This is no evidence of a release: {f'`{where}`: ' if where else ''}{first['msg']}.", hint=hint
        ) from exc
    except ValueError as exc:
        raise UsageError(f"This is no evidence of a release: {exc}.", hint=hint) from exc


def _each_once(members: list[tuple[str, Json]]) -> JsonObject:
    """Of two members with one name, some readers take the first and some the last."""
    read = dict(members)
    if len(read) < len(members):
        twice = next(name for name, count in Counter(name for name, _ in members).items() if count > 1)
        raise ValueError(f"`{twice}` is in it twice")
    return read


def _as_it_stood(shown: JsonObject, statement: Statement, own: Sequence[ChainedEntry], fresh: JsonObject) -> JsonObject:
    """What must have been said of a release that had not ended: the plan of then, by the hash in the journal; what goes
    on changing is taken as it is shown."""
    plan, run = statement.predicate.plan, statement.predicate.run
    if _sealed(own) != hashlib.sha256(canonical(plan).encode()).hexdigest():
        raise _changed(run, "`plan`")
    said = _inside(shown)
    if said.get("endedAt") is not None:
        raise _changed(run, "`endedAt`")
    stood = {key: said[key] for key in MOVING & said.keys()}
    digest: JsonObject = {"sha256": _sealed(own), "of": SEALED}
    inside = _inside(fresh) | stood | {"plan": plan, "planDigest": digest}
    artifact = _member(plan, "artifact")  # as we wrote it: its hash is right
    subject = _subject(str(artifact["image"]), str(artifact["digest"]))
    return fresh | {"subject": subject, "predicate": inside}


def _sealed(own: Sequence[ChainedEntry]) -> str:
    """The hash of the last plan; empty: there was none."""
    details = [entry.entry.detail for entry in own if entry.entry.action == PLANNED]
    last = details[-1] if details else None
    return str(last["sha256"]) if isinstance(last, dict) else ""


def _inside(statement: JsonObject) -> JsonObject:
    return _member(statement, "predicate")


def _member(of: JsonObject, name: str) -> JsonObject:
    found = of[name]
    return found if isinstance(found, dict) else {}


def _require_same(run: str, theirs: JsonObject, ours: JsonObject, *, besides: str) -> None:
    """Every other member is what would be said today. Raises UsageError."""
    for key in sorted({*theirs, *ours} - {besides}):
        # As text: Python takes 1, 1.0 and true for the same.
        if key not in theirs or key not in ours or canonical(theirs[key]) != canonical(ours[key]):
            raise _changed(run, f"`{key}`")


def _changed(run: str, what: str) -> UsageError:
    return UsageError(f"The evidence of {run} was changed: its {what} is not what the database has.")


def _statement(run: Run, entries: Sequence[ChainedEntry], at: datetime) -> JsonObject:
    plan = run.sealed_plan()
    return {
        "_type": STATEMENT,
        "subject": _subject(plan.artifact.image, plan.artifact.digest),
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


def _subject(image: str, digest: str) -> list[Json]:
    algorithm, _, value = digest.partition(":")
    return [{"name": image.partition("@")[0], "digest": {algorithm: value}}]


def _step(step: StepRun) -> Json:
    told = {"phase": step.phase, "startedAt": step.started_at, "endedAt": step.ended_at, "why": step.why}
    return plain(told | {"detail": step.detail, "outputs": step.outputs, "link": step.link})


def _excerpt(run: Run, entries: Sequence[ChainedEntry]) -> JsonObject:
    head: JsonObject = {"number": entries[-1].number, "hash": entries[-1].hash}
    return {"entries": plain(_own(run.id, entries)), "head": head, "hashOf": HASHED}


def _own(run: str, entries: Sequence[ChainedEntry]) -> list[ChainedEntry]:
    return [entry for entry in entries if entry.entry.subject == run]
