"""compatibility: the new version's OpenAPI document breaks no client of the version that runs."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from bot.domain.errors import PermanentError, UnreadableError, UsageError
from bot.domain.openapi.breaks import Break
from bot.domain.openapi.operations import breaks
from bot.domain.outcome import Evidence, Failed, Outcome, Succeeded
from bot.ports.execution import StepContext
from runbooks.kinds import FILLED_IN, GateKind, StepSpec
from runbooks.needs import Need
from runbooks.openapi_documents import ApiDocuments, ApiVersion, read_document
from runbooks.openapi_source import OpenApi

MOST_LINES = 30
LONGEST = 200
"""Characters of a line: whoever writes a document chooses its words."""


class CompatibilitySpec(StepSpec):
    """`breaks`: what a change that breaks clients means. `refuse`: the release does not begin; `vote`: it is put to the
    people who vote on the release, and where nobody is asked it does not begin either. The rest is the catalogue's:
    where the documents are, and who needs this service in which versions."""

    shorthand: ClassVar[str | None] = "breaks"
    breaks: Literal["refuse", "vote"] = Field(
        default="refuse",
        description="What a change that breaks clients means: the release does not begin, or people vote on it.",
    )
    openapi: OpenApi | None = Field(default=None, description=FILLED_IN)
    repository: str = Field(default="", description=FILLED_IN)
    needed_by: dict[str, Need] = Field(default_factory=dict, description=FILLED_IN)

    def read_aloud(self) -> str:
        vote = ", unless people vote for it" if self.breaks == "vote" else ""
        return f"By its OpenAPI document it must break no client of the version that runs{vote}."


KIND = GateKind(
    name="compatibility",
    spec=CompatibilitySpec,
    deadline=timedelta(minutes=10),
    about="The OpenAPI document of the new version breaks no client of the one that runs.",
)


class CompatibilityGate:
    """Compares the documents of both versions. One that is missing, strange or too large to compare never passes."""

    def __init__(self, documents: ApiDocuments) -> None:
        self._documents = documents

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, plan = CompatibilitySpec.model_validate(context.params), context.plan
        if plan.previous is None:
            return Succeeded("first release")
        new = ApiVersion(plan.artifact.image, plan.artifact.ref)
        old = ApiVersion(plan.previous.image, plan.previous.ref)
        after, before = await self._body(new, str(new), spec), await self._body(old, _running(old), spec)
        # Pure, but a large document takes seconds, and Slack must be answered meanwhile.
        found = await asyncio.to_thread(compared, before, after, old=_running(old), new=str(new))
        return judged(found, spec, context)

    async def _body(self, version: ApiVersion, called: str, spec: CompatibilitySpec) -> bytes:
        with _told(called):
            if spec.openapi is None:
                raise UnreadableError("nobody says where it is; write 'openapi' below the service in sluice.yaml")
            return await self._documents.body(version, spec.openapi, spec.repository)


def compared(before: bytes, after: bytes, *, old: str, new: str) -> tuple[Break, ...]:
    """What breaks, or may break, clients of the older document; `old` and `new` name the versions to people.

    Raises UnreadableError. The newer one must be whole in itself too: nothing could be compared with it later.
    """
    with _told(new):
        offered = read_document(after)
        breaks(offered, offered)
    with _told(old):
        return breaks(read_document(before), offered)


def judged(found: Sequence[Break], spec: CompatibilitySpec, context: StepContext) -> Outcome:
    """What the changes mean for the release: what certainly breaks somebody refuses it, or is put to the vote."""
    certain, risky = [one for one in found if one.certain], [one for one in found if not one.certain]
    evidence = _evidence(certain, risky, spec, context)
    if not certain:
        risks = f", {_counted(risky, 'risky change')}" if risky else ""
        return Succeeded(f"breaks nothing{risks}", evidence=evidence)
    count = _counted(certain, "breaking change")
    if spec.breaks == "vote" and asks_people(context):
        return Succeeded(f"{count}, for the vote", evidence=evidence)
    hit = f", and {_needing(spec)} {'need' if len(spec.needed_by) > 1 else 'needs'} it" if spec.needed_by else ""
    beside = "deploy the new major version side by side, as a service of its own"
    if spec.breaks == "refuse":
        return Failed(f"{count}{hit}; {beside}, or let people decide with `compatibility: vote`", evidence=evidence)
    asked = f"put `approval` first in the runbook {context.plan.runbook.name}, and name who votes in sluice.yaml"
    return Failed(f"{count}{hit}, and nobody votes on this release; {beside}, or {asked}", evidence=evidence)


def asks_people(context: StepContext) -> bool:
    """Whether people vote on this very plan before anything changes. Who breaks the glass asks nobody."""
    plan = context.plan
    if plan.approval is None or context.run.request.break_glass:
        return False
    first = next((step for step in plan.steps if step.kind == "approval" or step.changes), None)
    return first is not None and first.kind == "approval"


@contextmanager
def _told(called: str) -> Iterator[None]:
    """Errors about a document name the version that it is of."""
    try:
        yield
    except (PermanentError, UsageError) as exc:
        said = str(exc).rstrip(".")
        raise UnreadableError(f"the OpenAPI document of {called} cannot be compared: {said}") from exc


def _running(version: ApiVersion) -> str:
    return f"{version}, which runs now,"


def _counted(changes: Sequence[Break], called: str) -> str:
    return f"{len(changes)} {called}{'s' if len(changes) != 1 else ''}"


def _needing(spec: CompatibilitySpec) -> str:
    return ", ".join(f"{service} ({versions})" for service, versions in spec.needed_by.items())


def _evidence(
    certain: Sequence[Break], risky: Sequence[Break], spec: CompatibilitySpec, context: StepContext
) -> tuple[Evidence, ...]:
    found = []
    if certain:
        found.append(Evidence("What breaks clients of the version that runs", _lines(certain)))
    if risky:
        found.append(Evidence("What may break those that count on more than the document says", _lines(risky)))
    if certain and spec.needed_by:
        service = context.plan.target.service
        needs = tuple(f"{other} needs {service} {versions}" for other, versions in spec.needed_by.items())
        found.append(Evidence(f"Who needs {service}", needs))
    return tuple(found)


def _lines(changes: Sequence[Break]) -> tuple[str, ...]:
    lines = [" ".join(str(one).split())[:LONGEST] for one in changes[:MOST_LINES]]
    more = len(changes) - MOST_LINES
    return (*lines, f"and {more} more") if more > 0 else tuple(lines)
